#include "src/logging/jsonl_log.hpp"

#include <limits>

#include "io/base/seconds.hpp"

namespace paws::logging
{
namespace
{
using Object = nlohmann::ordered_json;

/// Lines of evaluations have no step: they stand after the last one of their epoch.
std::optional<LoggedPlace> place_of(const std::string& line)
{
    const auto object = nlohmann::json::parse(line, nullptr, false);
    if (!object.is_object() || !object.contains("epoch") || !object["epoch"].is_number_integer())
    {
        return std::nullopt;
    }
    const auto last = std::numeric_limits<std::int64_t>::max();
    const auto step = object.find("step");
    return LoggedPlace{object["epoch"].get<std::int64_t>(),
                       step != object.end() && step->is_number_integer() ? step->get<std::int64_t>() : last};
}

LogFormat format()
{
    return {place_of, [](const std::string&) { return false; },
            [](const std::string& line) { return line.starts_with('{') && !place_of(line); }};
}
}  // namespace

JsonlLog::JsonlLog(const std::filesystem::path& path, const std::vector<std::string>& columns, const LogStart& start,
                   int rank, int ranks)
    : FileLog(path, "", kept_lines(path, start, format())), columns_(columns), rank_(rank), ranks_(ranks)
{
}

void JsonlLog::step(const LoggedStep& step)
{
    Object object{{"epoch", step.epoch}, {"step", step.step}, {"steps_done", step.steps_done}};
    for (std::size_t part = 0; part < columns_.size(); ++part)
    {
        object[columns_[part]] = step.values[part];
    }
    if (ranks_ > 1)
    {
        for (std::size_t part = 0; part < columns_.size(); ++part)
        {
            object["own-" + columns_[part]] = step.own_values[part];
        }
    }
    object["lr"] = step.learning_rate;
    object["pictures_per_second"] = step.images_per_second;
    object["data_wait"] = step.data_wait_share;
    object["comm_wait"] = step.comm_wait_share;
    object["step_ms"] = step.step_milliseconds;
    write(object);
}

void JsonlLog::evaluation(const LoggedEvaluation& evaluation)
{
    write({{"epoch", evaluation.epoch},
           {"steps_done", evaluation.steps_done},
           {"top1", evaluation.top1},
           {"top5", evaluation.top5}});
}

void JsonlLog::write(const Object& object)
{
    auto stamped = object;
    stamped["rank"] = rank_;
    stamped["time"] = io::seconds_now();
    append(stamped.dump() + "\n");
}
}  // namespace paws::logging

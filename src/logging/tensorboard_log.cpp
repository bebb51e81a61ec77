#include "src/logging/tensorboard_log.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include "io/base/error.hpp"
#include "io/base/seconds.hpp"

namespace paws::logging
{
namespace
{
namespace fs = std::filesystem;

/// What TensorBoard looks for in the names of files.
const std::string name_begin = "events.out.tfevents.";

/// A file that comes after those that are there, in the order of names, which is TensorBoard's.
fs::path next_file(const fs::path& folder, bool fresh)
{
    try
    {
        fs::create_directories(folder);
        auto number = static_cast<std::int64_t>(io::seconds_now());
        std::vector<fs::path> old;
        for (const auto& entry : fs::directory_iterator(folder))
        {
            if (const auto name = entry.path().filename().string(); name.starts_with(name_begin))
            {
                old.push_back(entry.path());
                number =
                    std::max<std::int64_t>(number, 1 + std::strtoll(name.c_str() + name_begin.size(), nullptr, 10));
            }
        }
        for (const auto& path : fresh ? old : std::vector<fs::path>())
        {
            fs::remove(path);
        }
        return folder / fmt::format("{}{:010}.paws_hpc", name_begin, number);
    }
    catch (const fs::filesystem_error& error)
    {
        throw io::Error(
            fmt::format("{}: event files for TensorBoard cannot be written there ({}); set logging.folder "
                        "to a place that you may write to, or logging.tensorboard: false",
                        folder.string(), error.code().message()));
    }
}

std::string first_records(const LogStart& start)
{
    const double now = io::seconds_now();
    return io::event_file_version(now) + io::event_of_start(now, start.steps_done + 1);
}
}  // namespace

TensorboardLog::TensorboardLog(const fs::path& folder, const std::vector<std::string>& columns, const LogStart& start,
                               int ranks)
    : FileLog(next_file(folder, start.fresh), first_records(start)), columns_(columns), ranks_(ranks)
{
}

void TensorboardLog::step(const LoggedStep& step)
{
    std::vector<io::Scalar> scalars;
    const auto add = [&](const std::string& tag, double value) { scalars.push_back({tag, static_cast<float>(value)}); };
    for (std::size_t part = 0; part < columns_.size(); ++part)
    {
        add(fmt::format("loss/{}", columns_[part]), step.values[part]);
        if (ranks_ > 1)
        {
            add(fmt::format("loss_of_rank/{}", columns_[part]), step.own_values[part]);
        }
    }
    add("lr", step.learning_rate);
    add("speed/pictures_per_second", step.images_per_second);
    add("speed/step_ms", step.step_milliseconds);
    add("wait/data", step.data_wait_share);
    add("wait/comm", step.comm_wait_share);
    write(step.steps_done, scalars);
}

void TensorboardLog::evaluation(const LoggedEvaluation& evaluation)
{
    write(evaluation.steps_done, {{"accuracy/top1", static_cast<float>(evaluation.top1)},
                                  {"accuracy/top5", static_cast<float>(evaluation.top5)}});
}

void TensorboardLog::write(std::int64_t step, const std::vector<io::Scalar>& scalars)
{
    append(io::event_of_scalars(io::seconds_now(), step, scalars));
}
}  // namespace paws::logging

#include "src/checkpoint/run_files.hpp"

#include <fmt/format.h>

#include <charconv>
#include <functional>
#include <map>

#include "io/base/error.hpp"
#include "io/files/input_path.hpp"
#include "io/files/seal.hpp"

namespace paws::checkpoint
{
namespace fs = std::filesystem;

namespace
{
/// The number between `before` and `after` in `name`, if it is made like that.
std::optional<std::int64_t> number_in(const std::string& name, const std::string& before, const std::string& after)
{
    if (name.size() <= before.size() + after.size() || !name.starts_with(before) || !name.ends_with(after))
    {
        return std::nullopt;
    }
    std::int64_t number = 0;
    const char* const end = name.data() + name.size() - after.size();
    const auto parsed = std::from_chars(name.data() + before.size(), end, number);
    return parsed.ec == std::errc{} && parsed.ptr == end ? std::optional(number) : std::nullopt;
}

std::string suffix_of(config::Task task)
{
    switch (task)
    {
        case config::Task::snn_fine_tune:
            return "-fine-tune-SNN";
        case config::Task::fine_tune:
            return "-fine-tune";
        default:
            return "";
    }
}
}  // namespace

RunFiles::RunFiles(const config::Config& config)
    : folder_(config.logging.folder), run_(config.logging.write_tag + suffix_of(config.task)), task_(config.task)
{
}

fs::path RunFiles::csv(int rank) const
{
    return folder_ / fmt::format("{}_r{}.csv", run_, rank);
}

fs::path RunFiles::parameters() const
{
    return folder_ / fmt::format("params-{}.yaml", to_string(task_));
}

fs::path RunFiles::lock() const
{
    return folder_ / (run_ + ".lock");
}

fs::path RunFiles::latest(std::int64_t age) const
{
    return folder_ / (age == 0 ? run_ + "-latest.h5" : fmt::format("{}-latest-{}.h5", run_, age));
}

fs::path RunFiles::best() const
{
    return folder_ / (run_ + "-best.h5");
}

fs::path RunFiles::of_epoch(std::int64_t epoch) const
{
    return folder_ / fmt::format("{}-ep{}.h5", run_, epoch);
}

fs::path RunFiles::bad_step() const
{
    return folder_ / (run_ + "-bad-step.json");
}

std::vector<fs::path> RunFiles::to_resume_from() const
{
    std::map<std::int64_t, fs::path> by_age;
    std::map<std::int64_t, fs::path, std::greater<>> by_epoch;
    std::error_code error;
    for (fs::directory_iterator entry(folder_, error), end; !error && entry != end; entry.increment(error))
    {
        const auto name = entry->path().filename().string();
        if (std::error_code unknown; !entry->is_regular_file(unknown))
        {
            continue;
        }
        if (name == latest().filename())
        {
            by_age[0] = entry->path();
        }
        else if (const auto age = number_in(name, run_ + "-latest-", ".h5"))
        {
            by_age[*age] = entry->path();
        }
        else if (const auto epoch = number_in(name, run_ + "-ep", ".h5"))
        {
            by_epoch[*epoch] = entry->path();
        }
    }
    std::vector<fs::path> all;
    for (const auto& found : by_age)
    {
        all.push_back(found.second);
    }
    for (const auto& found : by_epoch)
    {
        all.push_back(found.second);
    }
    return all;
}

fs::path RunFiles::published() const
{
    return folder_ / (run_ + (suffix_of(task_).empty() ? "-latest" : "") + ".pth.tar");
}

std::optional<std::string> damage_of(const fs::path& path)
{
    try
    {
        if (io::verify_seal(path))
        {
            return std::nullopt;
        }
        return path.string() + ": is cut off or was not written by paws_hpc";
    }
    catch (const io::Error& error)
    {
        return error.what();
    }
}

void make_folder(const fs::path& folder)
{
    std::error_code error;
    fs::create_directories(folder, error);
    if (error)
    {
        throw io::SystemError(
            folder.string(),
            fmt::format("the folder cannot be made ({}); set logging.folder to a place that you may write to",
                        error.message()));
    }
}

ResumeChoice checkpoint_to_resume(const config::Config& config, const RunFiles& files, const std::string& resume)
{
    if (resume == "never")
    {
        return {};
    }
    if (resume != "auto")
    {
        return {fs::path(resume), {}};
    }
    if (config.meta.load_checkpoint && config.meta.read_checkpoint)
    {
        return {fs::path(config.logging.path_of(*config.meta.read_checkpoint)), {}};
    }
    ResumeChoice choice;
    for (const auto& path : files.to_resume_from())
    {
        if (const auto damage = damage_of(path))
        {
            choice.notes.push_back(*damage);
            continue;
        }
        choice.checkpoint = path;
        for (auto& note : choice.notes)
        {
            note += "; skipped";
        }
        return choice;
    }
    if (!choice.notes.empty())
    {
        throw io::Error(fmt::format(
            "{}: {} of the run is whole; restore one, or start anew with --resume never (the first: {})",
            files.folder().string(),
            choice.notes.size() == 1 ? "no checkpoint" : fmt::format("none of the {} checkpoints", choice.notes.size()),
            choice.notes.front()));
    }
    if (config.meta.load_checkpoint)
    {
        choice.checkpoint =
            !io::is_there(files.latest()) && io::is_there(files.published()) ? files.published() : files.latest();
    }
    else if (io::is_there(files.csv(0)))
    {
        choice.notes.push_back(
            fmt::format("{}: there is no checkpoint of the run that wrote it; a new run begins and "
                        "replaces it",
                        files.csv(0).string()));
    }
    return choice;
}
}  // namespace paws::checkpoint

#include "src/tasks/run_files.hpp"

#include <fmt/format.h>

#include "io/error.hpp"

namespace paws::tasks
{
namespace fs = std::filesystem;

namespace
{
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

fs::path RunFiles::evaluations() const
{
    return folder_ / (run_ + "-eval.csv");
}

fs::path RunFiles::parameters() const
{
    return folder_ / fmt::format("params-{}.yaml", to_string(task_));
}

fs::path RunFiles::latest() const
{
    return folder_ / (run_ + "-latest.h5");
}

fs::path RunFiles::best() const
{
    return folder_ / (run_ + "-best.h5");
}

fs::path RunFiles::of_epoch(std::int64_t epoch) const
{
    return folder_ / fmt::format("{}-ep{}.h5", run_, epoch);
}

fs::path RunFiles::published() const
{
    return folder_ / (run_ + (suffix_of(task_).empty() ? "-latest" : "") + ".pth.tar");
}

void make_folder(const fs::path& folder)
{
    std::error_code error;
    fs::create_directories(folder, error);
    if (error)
    {
        throw io::Error(
            fmt::format("{}: the folder cannot be made ({}); set logging.folder to a place that you may write to",
                        folder.string(), error.message()));
    }
}

std::optional<fs::path> checkpoint_to_resume(const config::Config& config, const RunFiles& files,
                                             const std::string& resume)
{
    if (resume == "never")
    {
        return std::nullopt;
    }
    if (resume != "auto")
    {
        return fs::path(resume);
    }
    if (config.meta.load_checkpoint)
    {
        if (config.meta.read_checkpoint)
        {
            return fs::path(config.logging.path_of(*config.meta.read_checkpoint));
        }
        return !fs::exists(files.latest()) && fs::exists(files.published()) ? files.published() : files.latest();
    }
    return fs::exists(files.latest()) ? std::optional(files.latest()) : std::nullopt;
}
}  // namespace paws::tasks

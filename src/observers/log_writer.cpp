#include "src/observers/log_writer.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "io/base/error.hpp"
#include "io/base/printable.hpp"
#include "io/base/say.hpp"

namespace paws::observers
{
LogWriter::LogWriter(std::unique_ptr<logging::RunLog> log, std::int64_t log_every, checkpoint::RunFolder* folder,
                     bool quiet)
    : log_(std::move(log)), log_every_(log_every), folder_(folder), quiet_(quiet)
{
    say_notes();
}

void LogWriter::before_training(train::EpochReport& report)
{
    write_evaluation(report);
}

void LogWriter::after_step(const train::StepReport& report)
{
    if (report.step % log_every_ == 0)
    {
        write([&] { log_->step(report); });
    }
}

void LogWriter::after_epoch(train::EpochReport& report)
{
    write_evaluation(report);
}

void LogWriter::write_evaluation(const train::EpochReport& report)
{
    if (const auto& accuracy = report.accuracy)
    {
        write([&] { log_->evaluation({report.epochs_done, report.steps_done, accuracy->top1, accuracy->top5}); });
    }
}

void LogWriter::summarise(nlohmann::json& summary) const
{
    for (const auto& file : log_->files())
    {
        summary["files"].push_back(file);
    }
    summary["log_is_whole"] = is_whole_;
}

void LogWriter::restore_folder()
{
    write([] {});
}

void LogWriter::write(const std::function<void()>& lines)
{
    try
    {
        try
        {
            if (folder_ != nullptr)
            {
                folder_->restore();
            }
        }
        catch (const io::SystemError&)
        {
            // Where the folder cannot be made, what was moved away with it can still be written to.
            lines();
            throw;
        }
        lines();
    }
    catch (const io::Error& error)
    {
        if (is_whole_ && folder_ != nullptr && !quiet_)
        {
            io::say_error(fmt::format("log not written: {}; the run continues\n", io::printable(error.what())));
        }
        is_whole_ = false;
    }
    say_notes();
}

void LogWriter::say_notes()
{
    if (folder_ != nullptr)
    {
        folder_->say_note(quiet_);
    }
    if (quiet_)
    {
        return;
    }
    // Of this rank's own files, which no other knows of.
    for (const auto& note : log_->take_notes())
    {
        io::say_error(note + "\n");
    }
}
}  // namespace paws::observers

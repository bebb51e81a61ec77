#include "src/observers/progress_display.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "io/base/say.hpp"
#include "io/base/seconds.hpp"

namespace paws::observers
{
ProgressDisplay::ProgressDisplay(const methods::Method& method, const Totals& totals, bool speaks)
    : method_(method), totals_(totals)
{
    if (speaks)
    {
        line_.emplace(STDOUT_FILENO);
    }
}

void ProgressDisplay::before_training(train::EpochReport& report)
{
    if (line_ && report.accuracy && !io::is_quiet())
    {
        io::say(fmt::format("before fine-tuning  top-1 {:.1f} %\n", 100 * report.accuracy->top1));
    }
}

void ProgressDisplay::before_epoch()
{
    shown_ = {};
    shown_.epochs = totals_.epochs;
    shown_.steps = totals_.steps;
    shown_.ranks = totals_.ranks;
    is_in_epoch_ = true;
}

void ProgressDisplay::after_step(const train::StepReport& report)
{
    if (line_ && !report.note.empty())
    {
        io::say(fmt::format("note: {}\n", report.note));
    }
    shown_.epoch = report.epoch;
    shown_.step = report.steps_done;
    shown_.loss = method_.describe(report.values);
    shown_.learning_rate = report.learning_rate;
    shown_.images_per_second = report.images_per_second;
    shown_.data_wait_share = report.data_wait_share;
    shown_.comm_wait_share = report.comm_wait_share;
    shown_.seconds_left = io::seconds_since(start_) / static_cast<double>(shown_.step - totals_.first_step) *
                          static_cast<double>(totals_.steps - shown_.step);
    // The epoch's last line waits for what is evaluated behind it: it is printed once.
    const bool ends_epoch = shown_.step * totals_.epochs % totals_.steps == 0;
    if (line_ && !ends_epoch)
    {
        line_->update([this] { return logging::format_progress(shown_); });
    }
}

void ProgressDisplay::after_epoch(train::EpochReport& report)
{
    // A start that finds all steps of the epoch done has no figures of them.
    if (shown_.step == 0)
    {
        is_in_epoch_ = false;
        if (line_ && report.accuracy && !io::is_quiet())
        {
            io::say(fmt::format("epoch {}/{}  top-1 {:.1f} %\n", report.epochs_done, totals_.epochs,
                                100 * report.accuracy->top1));
        }
        return;
    }
    if (report.accuracy)
    {
        shown_.top1 = report.accuracy->top1;
    }
    finish_line();
}

void ProgressDisplay::after_training()
{
    // It stops within an epoch.
    if (is_in_epoch_)
    {
        finish_line();
    }
}

void ProgressDisplay::finish_line()
{
    is_in_epoch_ = false;
    if (line_)
    {
        line_->finish(logging::format_progress(shown_));
    }
}

void ProgressDisplay::summarise(nlohmann::json& summary) const
{
    summary["pictures_per_second"] = shown_.images_per_second;
    summary["comm_wait_share"] = shown_.comm_wait_share;
    summary["data_wait_share"] = shown_.data_wait_share;
}
}  // namespace paws::observers

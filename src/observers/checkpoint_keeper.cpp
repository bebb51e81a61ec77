#include "src/observers/checkpoint_keeper.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "io/base/error.hpp"
#include "io/base/printable.hpp"
#include "io/base/say.hpp"
#include "io/base/seconds.hpp"
#include "io/ranks/agreed.hpp"
#include "src/profile/phase.hpp"

namespace paws::observers
{
namespace
{
using Clock = std::chrono::steady_clock;
}  // namespace

CheckpointKeeper::CheckpointKeeper(const config::Logging& logging, checkpoint::RunFiles files,
                                   checkpoint::RunFolder* folder, train::Trainer& trainer, const comm::World& world,
                                   bool quiet)
    : logging_(logging), files_(std::move(files)), folder_(folder), trainer_(trainer), world_(world), quiet_(quiet)
{
    if (folder_ != nullptr)
    {
        writer_.emplace();
    }
}

void CheckpointKeeper::before_training(train::EpochReport& report)
{
    if (report.accuracy)
    {
        ranks::agreed(world_.group(), [&] { keep_best(); });
    }
}

void CheckpointKeeper::ask(std::int64_t /*steps_done*/, train::StepRequest& request)
{
    request.save = is_due();
    request.checkpoint_seconds = writer_ ? slowest_copy_ + writer_->slowest_seconds() : 0;
}

bool CheckpointKeeper::is_due() const
{
    return folder_ != nullptr && logging_.checkpoint_minutes > 0 &&
           io::seconds_since(last_) >= 60 * logging_.checkpoint_minutes && !writer_->is_busy();
}

void CheckpointKeeper::after_step(const train::StepReport& report)
{
    if (report.saves || report.stops)
    {
        keep({});
    }
    say_problem();
}

void CheckpointKeeper::after_epoch(train::EpochReport& report)
{
    std::vector<std::filesystem::path> copies;
    if (trainer_.is_best())
    {
        copies.push_back(files_.best());
    }
    if (logging_.keeps_epoch(report.epochs_done))
    {
        copies.push_back(files_.of_epoch(report.epochs_done));
    }
    keep(std::move(copies));
    say_problem();
}

void CheckpointKeeper::keep_best()
{
    auto content = trainer_.snapshot();
    if (folder_ != nullptr)
    {
        folder_->restore();
        io::write_checkpoint(files_.best(), content);
    }
}

void CheckpointKeeper::keep(std::vector<std::filesystem::path> copies)
{
    const profile::Phase phase("checkpoint");
    const auto start = Clock::now();
    auto content = trainer_.snapshot(folder_ != nullptr ? writer_->recycled() : io::Checkpoint{});
    if (folder_ != nullptr)
    {
        checkpoint::CheckpointJob job{std::move(content), files_.latest(), {}, std::move(copies), [folder = folder_] {
                                          return folder->restore();
                                      }};
        for (std::int64_t age = 1; age < logging_.keep_last; ++age)
        {
            job.older.push_back(files_.latest(age));
        }
        slowest_copy_ = std::max(slowest_copy_, io::seconds_since(start));
        writer_->submit(std::move(job));
    }
    last_ = Clock::now();
    waited_ += std::chrono::duration<double>(last_ - start).count();
}

void CheckpointKeeper::say_problem()
{
    if (folder_ == nullptr)
    {
        return;
    }
    if (const auto problem = writer_->take_problem())
    {
        io::say_error(
            fmt::format("checkpoint not written: {}; the run continues, the last one that was written stays\n",
                        io::printable(*problem)));
    }
    folder_->say_note(quiet_);
}

void CheckpointKeeper::after_training()
{
    // Nobody leaves before the last checkpoint is there.
    ranks::agreed(world_.group(), [&] { finish(); });
}

void CheckpointKeeper::finish()
{
    if (!writer_)
    {
        return;
    }
    writer_->wait();
    if (writer_->last_failed())
    {
        throw io::Error(writer_->take_problem().value_or("the last checkpoint could not be written") +
                        "; the run has continued since the last checkpoint that was");
    }
}

void CheckpointKeeper::summarise(nlohmann::json& summary) const
{
    summary["checkpoint_wait_seconds"] = waited_;
}
}  // namespace paws::observers

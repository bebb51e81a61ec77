#include "src/commands/checkpoint_keeper.hpp"

#include "io/base/error.hpp"

namespace paws::commands
{
namespace
{
using Clock = std::chrono::steady_clock;
}  // namespace

CheckpointKeeper::CheckpointKeeper(const config::Logging& logging, checkpoint::RunFiles files,
                                   checkpoint::RunFolder* folder)
    : logging_(logging), files_(std::move(files)), folder_(folder)
{
    if (folder_ != nullptr)
    {
        writer_.emplace();
    }
}

bool CheckpointKeeper::is_due() const
{
    const std::chrono::duration<double, std::ratio<60>> since = Clock::now() - last_;
    return folder_ != nullptr && logging_.checkpoint_minutes > 0 && since.count() >= logging_.checkpoint_minutes &&
           !writer_->is_busy();
}

void CheckpointKeeper::keep_step(train::Trainer& trainer)
{
    keep(trainer, {});
}

void CheckpointKeeper::keep_best(train::Trainer& trainer)
{
    auto content = trainer.snapshot();
    if (folder_ != nullptr)
    {
        folder_->restore();
        io::write_checkpoint(files_.best(), content);
    }
}

void CheckpointKeeper::keep_epoch(train::Trainer& trainer)
{
    std::vector<std::filesystem::path> copies;
    const auto done = trainer.progress().epochs_done;
    if (trainer.is_best())
    {
        copies.push_back(files_.best());
    }
    if (logging_.keeps_epoch(done))
    {
        copies.push_back(files_.of_epoch(done));
    }
    keep(trainer, std::move(copies));
}

void CheckpointKeeper::keep(train::Trainer& trainer, std::vector<std::filesystem::path> copies)
{
    const auto start = Clock::now();
    auto content = trainer.snapshot(folder_ != nullptr ? writer_->recycled() : io::Checkpoint{});
    if (folder_ != nullptr)
    {
        checkpoint::CheckpointJob job{std::move(content), files_.latest(), {}, std::move(copies), [folder = folder_] {
                                          return folder->restore();
                                      }};
        for (std::int64_t age = 1; age < logging_.keep_last; ++age)
        {
            job.older.push_back(files_.latest(age));
        }
        const std::chrono::duration<double> copied = Clock::now() - start;
        slowest_copy_ = std::max(slowest_copy_, copied.count());
        writer_->submit(std::move(job));
    }
    last_ = Clock::now();
    waited_ += std::chrono::duration<double>(last_ - start).count();
}

std::optional<std::string> CheckpointKeeper::take_problem()
{
    return writer_ ? writer_->take_problem() : std::nullopt;
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
                        "; the run has gone on since the last checkpoint that was");
    }
}

double CheckpointKeeper::seconds_needed() const
{
    return writer_ ? slowest_copy_ + writer_->slowest_seconds() : 0;
}
}  // namespace paws::commands

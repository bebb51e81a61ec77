#include "src/commands/training_speed.hpp"

#include <algorithm>
#include <chrono>
#include <vector>

#include "src/train/trainer.hpp"

namespace paws::commands
{
namespace
{
using Clock = std::chrono::steady_clock;

// The first steps allocate, choose the convolutions' kernels, and find views that were made before the first of them.
constexpr std::int64_t warm_steps = 8;
constexpr std::int64_t steps = warm_steps + 24;

/// Stops the training after `steps`, and keeps the seconds from one step's end to the next one's.
class StepIntervals final : public train::Observer
{
public:
    void before_epoch() override { last_ = Clock::now(); }
    void ask(std::int64_t steps_done, train::StepRequest& request) override { request.stop = steps_done >= steps; }
    void after_step(const train::StepReport&) override
    {
        const auto now = Clock::now();
        seconds_.push_back(std::chrono::duration<double>(now - last_).count());
        last_ = now;
    }

    /// Of the steps after the warm ones.
    double median() const
    {
        std::vector<double> sorted(seconds_.begin() + warm_steps, seconds_.end());
        std::sort(sorted.begin(), sorted.end());
        return sorted.at(sorted.size() / 2);
    }

private:
    Clock::time_point last_ = Clock::now();
    std::vector<double> seconds_;
};
}  // namespace

double training_speed(const config::Config& config, const data::Dataset& dataset, device::Precision precision,
                      const comm::World& world)
{
    auto settings = config;
    // An epoch has a step at least.
    settings.optimization.epochs = steps;
    settings.logging.log_every = 1;  // the values of each step are read: on a GPU its end is waited for
    train::Trainer trainer(settings, dataset, precision, world.communicator, world.device);
    StepIntervals intervals;
    trainer.run(steps, {&intervals});
    return static_cast<double>(trainer.loader().images_per_step()) / intervals.median();
}
}  // namespace paws::commands

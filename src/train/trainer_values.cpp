// The values of steps: what ranks agree on after a step, and when the device is asked for them.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "src/train/trainer.hpp"

namespace paws::train
{
namespace
{
logging::StepValues figures_of(const StepRequest& request)
{
    return {request.stop ? 1.0 : 0.0, request.save ? 1.0 : 0.0};
}

/// From the means of the figures over ranks.
StepRequest request_of(const logging::StepValues& figures)
{
    return {figures[0] > 0, figures[1] > 0};
}
}  // namespace

StepRequest Trainer::agree(std::int64_t step, const StepRequest& asked)
{
    if (reads_each_step_)
    {
        // One reduction for all of it.
        return request_of(take_sums_into_means(step, figures_of(asked)));
    }
    // The hosts agree among themselves, beside what their devices do.
    const auto figures = torch::tensor(figures_of(asked), torch::kFloat64);
    communicator_->all_reduce(figures);
    const auto agreed = request_of({figures.data_ptr<double>(), figures.data_ptr<double>() + 2});
    const bool is_due =
        step == pace_.first_step || step % config_.logging.log_every == 0 || step + 1 == loader_->steps_per_epoch();
    if (is_due || agreed.stop || agreed.save)
    {
        take_sums_into_means(step);
    }
    return agreed;
}

logging::StepValues Trainer::take_sums_into_means(std::int64_t step, const logging::StepValues& extra)
{
    const auto steps = sums_.steps();
    const auto reading = sums_.read(*communicator_, extra);
    own_means_.add(reading.own.sums, reading.own.steps);
    means_.add(reading.mean.sums, reading.mean.steps);
    if (!std::isfinite(method_->loss_of(means_.sums())))
    {
        fail("loss is NaN or infinite", step, reading, steps);
    }
    if (!scaler_)
    {
        if (reading.overflows > 0)
        {
            fail("gradient is NaN or infinite", step, reading, steps);
        }
        return reading.extra;
    }
    left_out_ += reading.overflows;
    loss_scale_ = scaler_->scale().item<double>();
    if (loss_scale_ < 1)
    {
        fail("gradient is NaN or infinite, whatever the loss is scaled by,", step, reading, steps);
    }
    return reading.extra;
}

void Trainer::fail(const std::string& what, std::int64_t last_step, const SumsReading& reading, std::int64_t steps)
{
    const auto own = std::min(last_step, last_step - steps + 1 + reading.steps_until);
    const auto step = communicator_->all_gather(torch::tensor({own}, torch::kInt64)).min().item<std::int64_t>();
    throw NotFinite(
        fmt::format("the {} at epoch {}, step {} (learning rate {:.3g}); the last checkpoint is kept: lower "
                    "optimization.lr or optimization.start_lr and start again",
                    what, progress_.epochs_done + 1, step, schedule_.at(progress_.steps_done - 1 - (last_step - step))),
        progress_.epochs_done, step, loader_->rows_of_step(step));
}
}  // namespace paws::train

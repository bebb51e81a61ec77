#pragma once

#include <torch/types.h>

#include <cstdint>
#include <vector>

#include "src/comm/communicator.hpp"
#include "src/logging/step_values.hpp"

namespace paws::train
{
/// The values of some steps, added up.
struct ValueSums
{
    logging::StepValues sums;
    double steps = 0;  ///< whose values are among them
};

/// What the steps since the last reading have come to.
struct SumsReading
{
    ValueSums own;                 ///< of this rank's images
    ValueSums mean;                ///< the mean over ranks
    std::int64_t overflows = 0;    ///< steps whose gradients were not finite, which changed no weights
    std::int64_t steps_until = 0;  ///< those before the first that ought to end the run; all where there is none
    logging::StepValues extra;     ///< the mean over ranks
};

/// Adds the values of steps up where they are computed, so that nobody waits for a device before somebody wants to know
/// them.
class StepSums
{
public:
    /// `scaled`: the loss is multiplied by a factor whose gradients may overflow now and then. The values of such a
    /// step are left out if they are not finite.
    StepSums(torch::Device device, bool scaled) : device_(device), scaled_(scaled) {}

    /// What a step leaves, all 0-dimensional: its values, the same number every time, and last the optimiser's count of
    /// gradients that are not finite.
    void add(const std::vector<torch::Tensor>& outcome);

    /// Steps since the last reading.
    std::int64_t steps() const { return steps_; }

    /// Collective, in one reduction, of one step at least; waits for the device. `extra`: figures on the host whose
    /// mean over ranks is taken as well.
    SumsReading read(comm::Communicator& communicator, const logging::StepValues& extra = {});

private:
    torch::Device device_;
    bool scaled_;
    std::int64_t steps_ = 0;
    torch::Tensor
        sums_;  ///< double [values + 3]: the values, and how many steps count, overflow, come before a bad one
    torch::Tensor unbroken_;  ///< double, 0-dimensional: 1 until a step ought to end the run
};
}  // namespace paws::train

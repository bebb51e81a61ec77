#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "io/hdf5/h5.hpp"
#include "src/comm/communicator.hpp"
#include "src/profile/step_timings.hpp"

namespace paws::profile
{
/// The steps of all ranks since the start, on the first one: the newest that fit 64 MiB.
class TimingTable
{
public:
    explicit TimingTable(std::int64_t ranks);

    /// Collective: the same steps of every rank come to the first one.
    void add(const std::vector<StepTiming>& own, comm::Communicator& communicator);

    std::int64_t steps() const { return static_cast<std::int64_t>(step_.size()); }
    /// Of the steps that are kept, those that summaries leave out.
    std::int64_t warm_up() const;

    /// {"step": ..., "phases": ...}: min, median, max, mean and count of every rank, and min, median and max of the
    /// ranks' medians. At least one step.
    nlohmann::ordered_json summary() const;
    /// /phases, /seconds [ranks, steps, phases], /step_seconds [ranks, steps], /epoch and /step [steps].
    void write(io::h5::File& file) const;

private:
    nlohmann::ordered_json summary_of(const std::vector<std::vector<float>>& of_ranks, std::size_t stride,
                                      std::size_t first) const;

    std::size_t most_steps_;
    std::int64_t gone_ = 0;  ///< steps that are kept no more
    std::vector<std::int64_t> epoch_, step_;
    std::vector<std::vector<float>> seconds_;  ///< of each rank [steps, phases]
    std::vector<std::vector<float>> totals_;   ///< of each rank [steps]
};
}  // namespace paws::profile

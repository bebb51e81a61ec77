#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "io/checkpoint/checkpoint_file.hpp"
#include "src/logging/step_values.hpp"

namespace paws::checkpoint
{
/// The means of what was added.
class Means
{
public:
    Means() = default;
    Means(logging::StepValues sums, double count);

    /// `values`: the sums of `count` steps.
    const logging::StepValues& add(const logging::StepValues& values, double count = 1);
    /// Before the first call of add: empty; not numbers where no step counted.
    const logging::StepValues& values() const { return means_; }
    const logging::StepValues& sums() const { return sums_; }
    double count() const { return count_; }

private:
    void update();

    logging::StepValues sums_;
    logging::StepValues means_;
    double count_ = 0;
};

/// How far an epoch has come when a run stops within it: what its means resume from.
struct EpochMeters
{
    std::int64_t steps = 0;                     ///< done of the epoch; 0 between epochs
    std::int64_t images = 0;                    ///< in a step, of all ranks
    logging::StepValues sums;                   ///< of all ranks' means
    std::vector<logging::StepValues> own_sums;  ///< [ranks], of each rank's own values
    double counted = 0;                         ///< steps in the sums; fewer than `steps` where fp16 left some out
    std::vector<double> own_counted;            ///< [ranks]

    bool operator==(const EpochMeters&) const = default;

    /// The same place of the epoch, to the whole step before it, in steps of `images_in_step`.
    EpochMeters in_steps_of(std::int64_t images_in_step) const;

    /// Nothing is written between epochs.
    void write(io::Progress& progress) const;
    /// Takes its own integers out of `integers`, those of the file.
    static EpochMeters take(const io::Progress& progress, std::map<std::string, std::int64_t>& integers);
};
}  // namespace paws::checkpoint

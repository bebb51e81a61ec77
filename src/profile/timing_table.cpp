#include "src/profile/timing_table.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>

#include "src/profile/median.hpp"
#include "src/profile/ready_times.hpp"

namespace paws::profile
{
namespace
{
constexpr std::size_t most_bytes = std::size_t{64} << 20;
constexpr std::int64_t columns = static_cast<std::int64_t>(step_phases) + 1;

/// [1, steps, phases and the total].
torch::Tensor tensor_of(const std::vector<StepTiming>& steps)
{
    auto values = torch::empty({1, static_cast<std::int64_t>(steps.size()), columns}, torch::kFloat32);
    auto* out = values.data_ptr<float>();
    for (const auto& step : steps)
    {
        out = std::copy(step.phases.begin(), step.phases.end(), out);
        *out++ = static_cast<float>(step.total);
    }
    return values;
}

template <class T>
void drop_front(std::vector<T>& values, std::size_t count)
{
    values.erase(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(count));
}

std::vector<float> joined(const std::vector<std::vector<float>>& parts)
{
    std::vector<float> all;
    for (const auto& part : parts)
    {
        all.insert(all.end(), part.begin(), part.end());
    }
    return all;
}
}  // namespace

TimingTable::TimingTable(std::int64_t ranks)
    : most_steps_(std::max<std::size_t>(
          1000, most_bytes / (static_cast<std::size_t>(ranks) * static_cast<std::size_t>(columns) * sizeof(float)))),
      seconds_(static_cast<std::size_t>(ranks)),
      totals_(static_cast<std::size_t>(ranks))
{
}

void TimingTable::add(const std::vector<StepTiming>& own, comm::Communicator& communicator)
{
    if (own.empty())
    {
        return;
    }
    const auto all = communicator.all_gather(tensor_of(own));
    if (communicator.rank() != 0)
    {
        return;
    }
    for (const auto& step : own)
    {
        epoch_.push_back(step.epoch);
        step_.push_back(step.step);
    }
    const auto* values = all.data_ptr<float>();
    for (std::size_t rank = 0; rank < seconds_.size(); ++rank)
    {
        for (std::size_t i = 0; i < own.size(); ++i, values += columns)
        {
            seconds_[rank].insert(seconds_[rank].end(), values, values + step_phases);
            totals_[rank].push_back(values[step_phases]);
        }
    }
    const auto surplus = step_.size() - std::min(step_.size(), most_steps_);
    gone_ += static_cast<std::int64_t>(surplus);
    drop_front(epoch_, surplus);
    drop_front(step_, surplus);
    for (std::size_t rank = 0; rank < seconds_.size(); ++rank)
    {
        drop_front(seconds_[rank], surplus * step_phases);
        drop_front(totals_[rank], surplus);
    }
}

std::int64_t TimingTable::warm_up() const
{
    return std::max<std::int64_t>(0, warm_up_steps(gone_ + steps()) - gone_);
}

nlohmann::ordered_json TimingTable::summary_of(const std::vector<std::vector<float>>& of_ranks, std::size_t stride,
                                               std::size_t first) const
{
    std::vector<double> medians;
    auto per_rank = nlohmann::ordered_json::array();
    for (const auto& rank : of_ranks)
    {
        std::vector<double> values;
        for (auto i = static_cast<std::size_t>(warm_up()); i < step_.size(); ++i)
        {
            values.push_back(rank[i * stride + first]);
        }
        const auto [least, most] = std::minmax_element(values.begin(), values.end());
        const auto mean = std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
        medians.push_back(median(values));
        per_rank.push_back(
            {{"min", *least}, {"median", medians.back()}, {"max", *most}, {"mean", mean}, {"count", values.size()}});
    }
    const auto [least, most] = std::minmax_element(medians.begin(), medians.end());
    return {{"median", median(medians)}, {"min", *least}, {"max", *most}, {"per_rank", std::move(per_rank)}};
}

nlohmann::ordered_json TimingTable::summary() const
{
    nlohmann::ordered_json phases;
    for (std::size_t phase = 0; phase < step_phases; ++phase)
    {
        nlohmann::ordered_json of_phase{{"overlapped", is_overlapped(phase)}};
        of_phase.update(summary_of(seconds_, step_phases, phase));
        phases[step_phase_names[phase]] = std::move(of_phase);
    }
    return {{"step", summary_of(totals_, 1, 0)}, {"phases", std::move(phases)}};
}

void TimingTable::write(io::h5::File& file) const
{
    const auto ranks = seconds_.size();
    file.write_strings("phases", {step_phase_names.begin(), step_phase_names.end()});
    file.write<float>("seconds", joined(seconds_), {ranks, step_.size(), step_phases});
    file.write<float>("step_seconds", joined(totals_), {ranks, step_.size()});
    file.write<std::int64_t>("epoch", epoch_, {epoch_.size()});
    file.write<std::int64_t>("step", step_, {step_.size()});
}
}  // namespace paws::profile

#include "src/train/epoch_meters.hpp"

#include <fmt/format.h>

#include <utility>

namespace paws::train
{
namespace
{
const std::string steps_name = "epoch_steps";
const std::string pictures_name = "epoch_pictures_in_step";

/// "epoch_sum_1": the second value of all ranks; "epoch_sum_1_rank2": that of rank 2.
std::string sum_name(std::size_t value)
{
    return fmt::format("epoch_sum_{}", value);
}

std::string own_sum_name(std::size_t value, std::size_t rank)
{
    return fmt::format("epoch_sum_{}_rank{}", value, rank);
}

template <typename Name>
StepValues read_values(const io::Progress& progress, const Name& name)
{
    StepValues values;
    for (auto found = progress.reals.find(name(0)); found != progress.reals.end();
         found = progress.reals.find(name(values.size())))
    {
        values.push_back(found->second);
    }
    return values;
}
}  // namespace

Means::Means(StepValues sums, std::int64_t count) : sums_(std::move(sums)), count_(count)
{
    update();
}

const StepValues& Means::add(const StepValues& values)
{
    sums_.resize(values.size());
    ++count_;
    for (std::size_t i = 0; i < values.size(); ++i)
    {
        sums_[i] += values[i];
    }
    update();
    return means_;
}

void Means::update()
{
    means_ = sums_;
    for (auto& mean : means_)
    {
        mean /= static_cast<double>(count_);
    }
}

EpochMeters EpochMeters::in_steps_of(std::int64_t pictures_in_step) const
{
    if (steps == 0 || pictures_in_step == pictures)
    {
        return *this;
    }
    EpochMeters other{steps * pictures / pictures_in_step, pictures_in_step, sums, {}};
    for (auto& sum : other.sums)
    {
        sum *= static_cast<double>(other.steps) / static_cast<double>(steps);
    }
    return other.steps == 0 ? EpochMeters{} : other;
}

void EpochMeters::write(io::Progress& progress) const
{
    if (steps == 0)
    {
        return;
    }
    progress.integers[steps_name] = steps;
    progress.integers[pictures_name] = pictures;
    for (std::size_t value = 0; value < sums.size(); ++value)
    {
        progress.reals[sum_name(value)] = sums[value];
        for (std::size_t rank = 0; rank < own_sums.size(); ++rank)
        {
            progress.reals[own_sum_name(value, rank)] = own_sums[rank][value];
        }
    }
}

EpochMeters EpochMeters::take(const io::Progress& progress, std::map<std::string, std::int64_t>& integers)
{
    EpochMeters meters;
    const auto steps = integers.extract(steps_name);
    const auto pictures = integers.extract(pictures_name);
    if (!steps || !pictures)
    {
        return meters;
    }
    meters.steps = steps.mapped();
    meters.pictures = pictures.mapped();
    meters.sums = read_values(progress, sum_name);
    while (true)
    {
        auto own =
            read_values(progress, [&](std::size_t value) { return own_sum_name(value, meters.own_sums.size()); });
        if (own.empty())
        {
            return meters;
        }
        meters.own_sums.push_back(std::move(own));
    }
}
}  // namespace paws::train

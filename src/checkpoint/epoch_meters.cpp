#include "src/checkpoint/epoch_meters.hpp"

#include <fmt/format.h>

#include <utility>

namespace paws::checkpoint
{
namespace
{
const std::string steps_name = "epoch_steps";
const std::string images_name = "epoch_pictures_in_step";

/// "epoch_sum_1": the second value of all ranks; "epoch_sum_1_rank2": that of rank 2.
std::string sum_name(std::size_t value)
{
    return fmt::format("epoch_sum_{}", value);
}

std::string own_sum_name(std::size_t value, std::size_t rank)
{
    return fmt::format("epoch_sum_{}_rank{}", value, rank);
}

/// How many steps the sums are of, in files where that is not the number of steps.
const std::string counted_name = "epoch_counted";

std::string own_counted_name(std::size_t rank)
{
    return fmt::format("epoch_counted_rank{}", rank);
}

template <typename Name>
logging::StepValues read_values(const io::Progress& progress, const Name& name)
{
    logging::StepValues values;
    for (auto found = progress.reals.find(name(0)); found != progress.reals.end();
         found = progress.reals.find(name(values.size())))
    {
        values.push_back(found->second);
    }
    return values;
}
}  // namespace

Means::Means(logging::StepValues sums, double count) : sums_(std::move(sums)), count_(count)
{
    update();
}

const logging::StepValues& Means::add(const logging::StepValues& values, double count)
{
    sums_.resize(values.size());
    count_ += count;
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
        mean /= count_;
    }
}

EpochMeters EpochMeters::in_steps_of(std::int64_t images_in_step) const
{
    if (steps == 0 || images_in_step == images)
    {
        return *this;
    }
    EpochMeters other{steps * images / images_in_step, images_in_step, sums, {}, 0, {}};
    other.counted = static_cast<double>(other.steps) * (counted / static_cast<double>(steps));
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
    progress.integers[images_name] = images;
    for (std::size_t value = 0; value < sums.size(); ++value)
    {
        progress.reals[sum_name(value)] = sums[value];
        for (std::size_t rank = 0; rank < own_sums.size(); ++rank)
        {
            progress.reals[own_sum_name(value, rank)] = own_sums[rank][value];
        }
    }
    const auto write_counted = [&](const std::string& name, double count)
    {
        if (count != static_cast<double>(steps))
        {
            progress.reals[name] = count;
        }
    };
    write_counted(counted_name, counted);
    for (std::size_t rank = 0; rank < own_counted.size(); ++rank)
    {
        write_counted(own_counted_name(rank), own_counted[rank]);
    }
}

EpochMeters EpochMeters::take(const io::Progress& progress, std::map<std::string, std::int64_t>& integers)
{
    EpochMeters meters;
    const auto steps = integers.extract(steps_name);
    const auto images = integers.extract(images_name);
    if (!steps || !images)
    {
        return meters;
    }
    meters.steps = steps.mapped();
    meters.images = images.mapped();
    meters.sums = read_values(progress, sum_name);
    const auto read_counted = [&](const std::string& name)
    {
        const auto found = progress.reals.find(name);
        return found == progress.reals.end() ? static_cast<double>(meters.steps) : found->second;
    };
    meters.counted = read_counted(counted_name);
    while (true)
    {
        auto own =
            read_values(progress, [&](std::size_t value) { return own_sum_name(value, meters.own_sums.size()); });
        if (own.empty())
        {
            return meters;
        }
        meters.own_counted.push_back(read_counted(own_counted_name(meters.own_sums.size())));
        meters.own_sums.push_back(std::move(own));
    }
}
}  // namespace paws::checkpoint

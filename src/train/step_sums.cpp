#include "src/train/step_sums.hpp"

namespace paws::train
{
namespace
{
constexpr std::int64_t counters = 3;

ValueSums sums_in(const double* row, std::int64_t values)
{
    return {{row, row + values}, row[values]};
}
}  // namespace

void StepSums::add(const std::vector<torch::Tensor>& outcome)
{
    const torch::NoGradGuard no_gradient;
    std::vector<torch::Tensor> values;
    for (std::size_t i = 0; i + 1 < outcome.size(); ++i)
    {
        values.push_back(outcome[i].to(torch::kFloat64));
    }
    auto row = torch::stack(values);
    const auto finite = torch::isfinite(row).all();
    const auto overflow = outcome.back().ne(0);
    auto counts = torch::ones_like(finite);
    if (scaled_)
    {
        counts = finite.logical_or(overflow.logical_not());
        row = row.masked_fill(counts.logical_not(), 0);
    }
    const auto good = scaled_ ? finite.logical_or(overflow) : finite.logical_and(overflow.logical_not());
    if (steps_++ == 0)
    {
        const auto options = row.options();
        sums_ = torch::zeros({row.size(0) + counters}, options);
        unbroken_ = torch::ones({}, options);
    }
    unbroken_.mul_(good);
    sums_.add_(torch::cat({row, torch::stack({counts.to(torch::kFloat64), overflow.to(torch::kFloat64), unbroken_})}));
}

SumsReading StepSums::read(comm::Communicator& communicator, const logging::StepValues& extra)
{
    const torch::NoGradGuard no_gradient;
    const auto figures = torch::tensor(extra, torch::kFloat64).to(device_);
    const auto values = sums_.size(0) - counters;
    const auto own = torch::cat({sums_, figures});
    auto all = own;
    if (!communicator.is_alone())
    {
        all = own.clone();
        communicator.all_reduce(all);
    }
    const auto read = torch::stack({own, all / communicator.world_size()}).cpu();
    const auto* const mine = read.data_ptr<double>();
    const auto* const mean = mine + own.size(0);
    SumsReading reading;
    reading.own = sums_in(mine, values);
    reading.mean = sums_in(mean, values);
    reading.overflows = static_cast<std::int64_t>(mine[values + 1]);
    reading.steps_until = static_cast<std::int64_t>(mine[values + 2]);
    reading.extra.assign(mean + values + counters, mean + own.size(0));
    steps_ = 0;
    return reading;
}
}  // namespace paws::train

#pragma once

#include <algorithm>
#include <vector>

namespace paws::profile
{
/// Of at least one value: the middle one, or the mean of the two in the middle.
inline double median(std::vector<double> values)
{
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    return values.size() % 2 == 1 ? *middle : (*middle + *std::max_element(values.begin(), middle)) / 2;
}
}  // namespace paws::profile

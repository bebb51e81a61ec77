#include "io/checkpoint/finite.hpp"

#include <cmath>
#include <cstring>

#include "io/base/quantity.hpp"

namespace paws::io
{
namespace
{
template <class Number>
std::size_t count_of(const Array& array)
{
    std::size_t count = 0;
    for (std::size_t begin = 0; begin + sizeof(Number) <= array.bytes.size(); begin += sizeof(Number))
    {
        Number number;
        std::memcpy(&number, array.bytes.data() + begin, sizeof number);
        count += std::isfinite(number) ? 0 : 1;
    }
    return count;
}
}  // namespace

std::size_t count_not_finite(const Array& array)
{
    switch (array.type)
    {
        case ElementType::float32:
            return count_of<float>(array);
        case ElementType::float64:
            return count_of<double>(array);
        case ElementType::int64:
        case ElementType::uint8:
            return 0;
    }
    return 0;
}

std::optional<std::string> say_not_finite(const NamedArrays& arrays)
{
    std::string first;
    std::size_t others = 0;
    for (const auto& [name, array] : arrays)
    {
        const std::size_t count = count_not_finite(array);
        if (count > 0 && first.empty())
        {
            first = std::to_string(count) + " of the " + std::to_string(array.bytes.size() / element_size(array.type)) +
                    " numbers of '" + name + "'";
        }
        else if (count > 0)
        {
            ++others;
        }
    }
    if (first.empty())
    {
        return std::nullopt;
    }
    return first + (others == 0 ? "" : " and some of " + plural(others, "other tensor")) + " are NaN or infinite";
}
}  // namespace paws::io

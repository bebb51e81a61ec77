#pragma once

// Numbers that are not finite: what is computed with NaN or infinite weights looks like a result and is none.

#include <cstddef>
#include <optional>
#include <string>

#include "io/checkpoint/checkpoint_file.hpp"

namespace paws::io
{
/// How many numbers of an array are NaN or infinite; whole numbers never are.
std::size_t count_not_finite(const Array& array);

/// "3 of the 64 numbers of 'bn1.running_var' and some of 2 other tensors are NaN or infinite"; nothing if all are
/// finite.
std::optional<std::string> say_not_finite(const NamedArrays& arrays);
}  // namespace paws::io

#pragma once

#include <vector>

namespace paws::logging
{
/// The figures of a step, or their means: parts of the loss, and what else a method logs.
using StepValues = std::vector<double>;
}  // namespace paws::logging

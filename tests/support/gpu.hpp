#pragma once

#include <torch/cuda.h>
#include <torch/types.h>

#include "tests/support/catch.hpp"

namespace paws::test
{
/// Whether there is a GPU; tests tagged [gpu] say that there is none, and return.
inline bool has_gpu()
{
    const bool has = torch::cuda::is_available();
    if (!has)
    {
        WARN("no GPU here");
    }
    return has;
}
}  // namespace paws::test

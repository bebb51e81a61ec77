#pragma once

#include <vector>

#include "src/device/processor.hpp"

namespace paws::test
{
/// Every make with every combination of instruction sets, those that no processor has included.
inline std::vector<device::Processor> all_processors()
{
    using device::ProcessorMake;
    std::vector<device::Processor> all;
    for (const auto make : {ProcessorMake::other, ProcessorMake::intel, ProcessorMake::amd})
    {
        for (unsigned sets = 0; sets < 16; ++sets)
        {
            all.push_back({make, (sets & 1U) != 0, (sets & 2U) != 0, (sets & 4U) != 0, (sets & 8U) != 0});
        }
    }
    return all;
}
}  // namespace paws::test

#pragma once

#include <torch/types.h>

#include <cstdint>
#include <memory>

#include "src/comm/communicator.hpp"
#include "src/config/config.hpp"

namespace paws::methods
{
/// What a method is made for.
struct Context
{
    const config::Config& config;
    std::int64_t world_size = 1;  ///< of the ranks whose mathematics is computed
    std::shared_ptr<comm::Communicator> communicator = comm::make_single_rank();  ///< fewer may emulate them
    torch::Device device = torch::kCPU;                                           ///< where the batches lie
};
}  // namespace paws::methods

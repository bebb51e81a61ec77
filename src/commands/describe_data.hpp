#pragma once

#include <torch/types.h>

#include <string>

#include "src/config/config.hpp"
#include "src/data/dataset.hpp"

namespace paws::commands
{
/// Where the images are read from, the memory that they may take, threads and batches ahead of a rank, or that it
/// makes views on its device, and what there is to note; a line each.
std::string describe_data(const config::Config& config, const data::Dataset& dataset,
                          torch::Device device = torch::kCPU);
}  // namespace paws::commands

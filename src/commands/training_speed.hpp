#pragma once

#include "src/comm/world.hpp"
#include "src/config/config.hpp"
#include "src/data/dataset.hpp"
#include "src/device/precision.hpp"

namespace paws::commands
{
/// Images a second, as the progress line counts them, of a training that is given up after its first steps: some
/// 2,000 images. Writes nothing, and changes nothing that a later training depends on. By the median step, so that a
/// short disturbance does not count. `world`: one rank.
double training_speed(const config::Config& config, const data::Dataset& dataset, device::Precision precision,
                      const comm::World& world = {});
}  // namespace paws::commands

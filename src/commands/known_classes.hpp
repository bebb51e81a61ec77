#pragma once

#include "src/comm/world.hpp"
#include "src/commands/evaluation.hpp"
#include "src/config/config.hpp"
#include "src/data/dataset.hpp"

namespace paws::commands
{
/// Collective: compares the classes of a data set with those that the checkpoint was trained on, as far as it says
/// them. The data of the run must have the same as then: throws ranks::BadInput that
/// names the first that differs. Other data may have others, as soft nearest neighbours take the classes of the
/// labelled images: the first rank prints a note then, and those of the data set.
void require_known_classes(const Pretrained& pretrained, const config::Config& config, const data::Dataset& dataset,
                           const comm::World& world);
}  // namespace paws::commands

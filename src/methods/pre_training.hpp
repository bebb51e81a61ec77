#pragma once

#include "src/methods/method.hpp"

namespace paws::methods
{
/// PAWS (arXiv 2104.13963): supports and unlabelled images.
std::unique_ptr<Method> make_paws(const config::Config& config, const data::Dataset& dataset,
                                  const data::RankShare& share, const std::shared_ptr<comm::Communicator>& communicator,
                                  torch::Device device);

/// SimCLR on the unlabelled images, with SuNCEt (arXiv 2006.10803) on labelled ones in the first epochs.
std::unique_ptr<Method> make_suncet(const config::Config& config, const data::Dataset& dataset,
                                    const data::RankShare& share,
                                    const std::shared_ptr<comm::Communicator>& communicator, torch::Device device);
}  // namespace paws::methods

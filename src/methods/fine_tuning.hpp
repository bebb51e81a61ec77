#pragma once

#include "src/methods/method.hpp"

namespace paws::methods
{
/// SuNCEt (arXiv 2006.10803) on the labelled images alone, with the batch-norm statistics of pre-training.
std::unique_ptr<Method> make_snn_fine_tuning(const config::Config& config, const data::Dataset& dataset,
                                             const data::RankShare& share,
                                             const std::shared_ptr<comm::Communicator>& communicator,
                                             torch::Device device);

/// A classifier on the labelled images: cross-entropy of the logits.
std::unique_ptr<Method> make_fine_tuning(const config::Config& config, const data::Dataset& dataset,
                                         const data::RankShare& share, torch::Device device);
}  // namespace paws::methods

#pragma once

#include <memory>

#include "src/data/dataset.hpp"
#include "src/data/loader.hpp"
#include "src/data/rank_share.hpp"
#include "src/methods/context.hpp"
#include "src/methods/method.hpp"

namespace paws::methods
{
/// Throws config::Error for a task that does not train, or when the batches of all ranks leave nothing to learn from.
void require_learnable(const config::Config& config, std::int64_t world_size);

/// The batches that the method of config.task learns from, on `device`. `dataset` must outlive the loader. Throws as
/// require_learnable does, and when a batch cannot be filled.
std::unique_ptr<data::Loader> make_loader(const config::Config& config, const data::Dataset& dataset,
                                          const data::RankShare& share, torch::Device device);

/// The method of config.task. Throws config::Error for a task that does not train.
std::unique_ptr<Method> make_method(const Context& context);
}  // namespace paws::methods

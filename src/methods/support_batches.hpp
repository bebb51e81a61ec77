#pragma once

#include <memory>

#include "src/config/config.hpp"
#include "src/loss/contrastive_settings.hpp"
#include "src/loss/support_labels.hpp"
#include "src/methods/context.hpp"
#include "src/methods/method.hpp"

namespace paws::methods
{
/// The labels of the class-stratified batches of all ranks, on `device`.
std::shared_ptr<const loss::SupportLabels> labels_of_supports(const config::Config& config, std::int64_t world_size,
                                                              torch::Device device);

/// Throws config::Error where a class has one row in the batch of all ranks, which SuNCEt finds no neighbour for.
void require_neighbours(const config::Config& config, std::int64_t world_size);

/// Throws config::Error where the labelled images of a step, those of all ranks, are of a single class.
void require_other_classes(const config::Config& config, std::int64_t world_size);

/// criterion.similarity_memory_gb in bytes.
std::int64_t similarity_bytes(const config::Criterion& criterion);

/// Where a loss compares all large views with each other, and reduces the gradients of labelled ones.
GatheredRows contrastive_rows(const config::Config& config);

/// Of the SimCLR and the SuNCEt loss.
loss::ContrastiveSettings contrastive_settings(const Context& context);
}  // namespace paws::methods

#pragma once

// The optimiser's part of published_checkpoint.hpp.

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "io/torch/published_checkpoint.hpp"

namespace paws::io
{
/// The names that the published optimiser numbers, in the order of the numbers, and how many are of the first group.
struct Numbering
{
    std::vector<std::string> names;
    std::size_t first_group = 0;
};

/// Of parameters in the order of the network.
Numbering numbered(const std::vector<std::string>& parameters, const PublishedRules& rules);

/// The names of the arrays that are parameters, not statistics of batch norms.
std::vector<std::string> parameter_names(const NamedArrays& encoder);

/// The state, with references to momentum.
TorchValue published_optimizer(const NamedArrays& momentum, const Numbering& numbering,
                               const PublishedSettings& settings);

/// The momentum buffers in a state by the names of their parameters, in the order of `numbering`; a parameter that has
/// none has null. Nothing where numbers and shapes are not those of the parameters.
using Buffers = std::vector<std::pair<std::string, TorchValue*>>;
std::optional<Buffers> momentum_buffers(TorchValue& optimizer, const Numbering& numbering, const NamedArrays& encoder);
}  // namespace paws::io

#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "src/commands/summary.hpp"

namespace paws::commands
{
/// `paws_hpc convert`: a checkpoint of PyTorch to one of ours or back.
struct ConvertRequest
{
    std::filesystem::path input;   ///< of either kind
    std::filesystem::path output;  ///< .h5, or .pth.tar, .pth, .pt
    std::optional<std::string> config;
};

/// Throws config::Error or io::Error: `output` has another ending, is `input`, or is of the same kind and would only be
/// a copy; the configuration is of another network. `overrides` change the configuration.
Summary convert(const ConvertRequest& request, const std::vector<std::string>& overrides);
}  // namespace paws::commands

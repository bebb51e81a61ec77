#pragma once

#include <torch/types.h>

#include <string>
#include <utility>
#include <vector>

#include "io/checkpoint/checkpoint_file.hpp"

namespace paws::checkpoint
{
using NamedTensors = std::vector<std::pair<std::string, torch::Tensor>>;

/// What went from arrays into tensors of the same names, and what did not.
struct FillReport
{
    std::size_t filled = 0;
    std::vector<std::string> missing;      ///< tensors without an array
    std::vector<std::string> unexpected;   ///< arrays without a tensor
    std::vector<std::string> other_shape;  ///< "NAME [3, 4], here [3, 5]"
    std::vector<std::string> not_finite;   ///< "3 of the 64 numbers of NAME", of those that were filled

    bool is_complete() const { return missing.empty() && unexpected.empty() && other_shape.empty(); }

    /// "missing: a, b; unexpected: c, d, e and 5 more; of another shape: f [3, 4], here [3, 5]"
    std::string text() const;
};

/// Copies arrays whose names and shapes fit.
FillReport fill_tensors(const io::NamedArrays& arrays, const NamedTensors& tensors);

/// Throws io::Error if a number that was filled in is NaN or infinite: what comes of such weights looks like a result.
/// `source` names the file.
void require_finite(const FillReport& report, const std::string& source);

/// The same as fill_tensors(). Throws io::Error if anything is left over on either side, or not finite; `what` names
/// the collection in the message, `source` the file.
void fill_all_tensors(const io::NamedArrays& arrays, const NamedTensors& tensors, const std::string& what,
                      const std::string& source);
}  // namespace paws::checkpoint

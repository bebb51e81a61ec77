#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io/torch/pickle.hpp"

namespace paws::io::pickle
{
/// The names that pickles of numpy arrays use; for the `allowed_globals` of read().
std::span<const std::string_view> numpy_globals();

/// A numpy array.
struct NumpyArray
{
    std::string type;  ///< numpy's short name of the elements: "u1", "f4", ...
    std::vector<std::size_t> shape;
    std::string bytes;  ///< row-major
};

/// The array that a value describes, by the way numpy reconstructs it (of Python 2 and 3, protocols 2 to 5).
/// Throws if it describes none, if its bytes do not match its shape, or if it has more than two dimensions in column
/// order.
NumpyArray numpy_array(const Value& value, const std::string& source);
}  // namespace paws::io::pickle

#pragma once

// Between pickles and the values of torch_value.hpp.

#include <functional>
#include <string>
#include <string_view>

#include "io/torch/pickle.hpp"
#include "io/torch/pickle_writer.hpp"
#include "io/torch/torch_rebuild.hpp"
#include "io/torch/torch_value.hpp"

namespace paws::io
{
/// The first pickle of `bytes`, which are taken away from their front. Throws Error in a user's words where it wants
/// anything but tensors and plain data: a whole module, say.
pickle::Document read_torch_pickle(std::string_view& bytes, const std::string& source);

/// How tensors, and persistent ids that belong to no tensor, become values.
struct TorchReader
{
    std::function<TorchValue(const TensorPlace&)> tensor;
    std::function<TorchValue(const pickle::Value& persistent)> persistent;
};

/// Throws Error for what is no such value, or is nested deeper than 100 levels, or large out of all proportion.
/// Parameters become their tensors. Bytes that are UTF-8 become text: they are what Python 2 wrote for text.
TorchValue from_pickle(const pickle::Value& value, const std::string& source, const TorchReader& reader);

/// Writes one value; `tensor` writes tensors and references.
using TensorWriter = std::function<void(pickle::Writer&, const TorchValue&)>;
void to_pickle(pickle::Writer& writer, const TorchValue& value, const TensorWriter& tensor);

/// A value of which all tensors are references, as a pickle of its own, in which ("array", NAME, STORAGE) is their
/// persistent id.
std::string pickled_structure(const TorchValue& value);
/// The way back. Throws Error, naming `source`.
TorchValue read_structure(std::string_view pickle, const std::string& source);
}  // namespace paws::io

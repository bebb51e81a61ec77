#pragma once

// The calls with which pickles of torch.save make tensors.

#include <cstdint>
#include <string>
#include <vector>

#include "io/torch/pickle.hpp"
#include "io/torch/torch_value.hpp"

namespace paws::io
{
/// Where a tensor's elements lie.
struct TensorPlace
{
    std::string name;  ///< of the tensor, for messages: "encoder.module.conv1.weight"
    TorchType type = TorchType::float32;
    std::string storage;         ///< the storage's key
    std::uint64_t elements = 0;  ///< of the storage
    std::uint64_t offset = 0;    ///< of the tensor in it; like the strides, in elements
    std::vector<std::size_t> shape;
    std::vector<std::uint64_t> strides;
    bool negated = false;  ///< its numbers are those of the storage with the other sign
};

/// Whether a value is such a call.
bool is_tensor_call(const pickle::Value& value);

/// What a call says. Throws Error, which names the tensor (`name`), for arguments that are not those of torch.save, and
/// for tensors of another kind: quantised, sparse, complex, ...
TensorPlace place_of_tensor(const pickle::Value& call, const std::string& name, const std::string& source);

/// What a pickle's persistent id says of a storage: its type, key and elements.
TensorPlace storage_of(const pickle::Value& persistent, const std::string& name, const std::string& source);

/// Throws Error: `what` is wrong with a value of the file `source`.
[[noreturn]] void refuse_value(const std::string& source, const std::string& what);

/// Throws Error unless `value` is a tuple with more than `i` items; of those that describe a tensor.
const pickle::Value& item_of(const pickle::Value* tuple, std::size_t i, const std::string& name,
                             const std::string& source);
}  // namespace paws::io

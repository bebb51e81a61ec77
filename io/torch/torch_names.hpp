#pragma once

// The names of Python that pickles of torch.save use.

#include <span>
#include <string_view>

namespace paws::io
{
/// For the `allowed_globals` of pickle::read(), as "module name": those of values that are read, and those of tensors
/// that are refused by their name.
std::span<const std::string_view> torch_globals();

/// A function that makes tensors of a kind that is not read.
struct OtherTensor
{
    std::string_view callee;
    const char* what;    ///< of the tensor: "is quantised"
    const char* remedy;  ///< "save its dequantize()"
};

/// Null for other functions.
const OtherTensor* other_tensor(std::string_view callee);
}  // namespace paws::io

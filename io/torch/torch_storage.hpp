#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "io/torch/torch_pickle.hpp"

namespace paws::io
{
/// Makes tensors of storages, in two passes: what all tensors need is known before memory is taken for the first one. A
/// storage is read when its first tensor is made, and kept until its last one is: many may be views of the same.
class TensorMaker
{
public:
    using ReadStorage = std::function<std::vector<std::byte>(const TensorPlace&)>;

    /// `content_size`: bytes of all storages together. Tensors may have some times as many and no more, since strides
    /// can make much of little.
    TensorMaker(std::string source, std::uint64_t content_size, ReadStorage read);

    /// The first pass, in any order. Throws Error if a tensor reaches beyond its storage, or all are too large.
    void plan(const TensorPlace& place);

    /// The second pass: each as often as it was planned. Throws Error if the storage is smaller than it was said to be.
    TorchTensor make(const TensorPlace& place);

private:
    struct Storage
    {
        std::size_t uses = 0;  ///< still to come
        TorchType type = TorchType::float32;
        std::vector<std::byte> bytes;
        bool is_read = false;
    };

    const std::vector<std::byte>& read_storage(const TensorPlace& place, Storage& storage);

    std::string source_;
    std::uint64_t budget_;
    ReadStorage read_;
    std::map<std::string, Storage> storages_;
};

/// The first pass over the tensors of a pickle of torch.save. Throws Error for what no such pickle holds.
void plan_tensors(const pickle::Value& root, const std::string& source, TensorMaker& maker);

/// The second: the value that the pickle stands for.
TorchValue make_value(const pickle::Value& root, const std::string& source, TensorMaker& maker);
}  // namespace paws::io

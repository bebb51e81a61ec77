#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "io/torch_pickle.hpp"

namespace paws::io
{
/// Makes tensors of storages, which it asks for when they are needed and of which it keeps the last one.
class TensorMaker
{
public:
    using ReadStorage = std::function<std::vector<std::byte>(const TensorPlace&)>;

    /// `file_size`: of the file that all come from. What is read and made may be some times as large and no more, since
    /// strides can make much of little.
    TensorMaker(std::string source, std::uint64_t file_size, ReadStorage read);

    /// Throws Error if a tensor reaches beyond its storage.
    TorchTensor make(const TensorPlace& place);

private:
    void spend(std::uint64_t bytes);
    const std::vector<std::byte>& storage(const TensorPlace& place);

    std::string source_;
    std::uint64_t budget_;
    ReadStorage read_;
    std::string last_key_;
    std::vector<std::byte> last_;
    bool has_last_ = false;
};
}  // namespace paws::io

#pragma once

// What the tests of PyTorch's files share.

#include <cstring>
#include <string>
#include <vector>

#include "io/torch/published_checkpoint.hpp"
#include "io/torch/torch_value.hpp"
#include "io/torch/zip_file.hpp"
#include "tests/io/files.hpp"

namespace paws::test
{
/// A file of torch.save around a pickle, written without its protocol and end, with the storage "0" of 24 bytes.
inline std::filesystem::path write_around(const std::filesystem::path& path, const std::string& instructions)
{
    const std::string pickle = std::string("\x80\x02") + instructions + ".";
    const std::string storage(24, '\1');
    io::ZipWriter zip(path);
    zip.add("archive/data.pkl", pickle, 1);
    zip.add("archive/data/0", storage, 64);
    zip.save();
    return path;
}

/// Text, number, tuple as a pickle has them.
inline std::string pickled(const std::string& text)
{
    return "X" + std::string(1, static_cast<char>(text.size())) + std::string(3, '\0') + text;
}
inline std::string pickled(std::int64_t number)
{
    std::string bytes(8, '\0');
    std::memcpy(bytes.data(), &number, bytes.size());
    return "\x8a\x08" + bytes;
}
inline std::string pickled(const std::vector<std::int64_t>& numbers)
{
    std::string out = "(";
    for (const auto number : numbers)
    {
        out += pickled(number);
    }
    return out + "t";
}

/// What stands for a storage.
inline std::string storage_id(std::int64_t elements, const std::string& storage = "FloatStorage",
                              const std::string& key = "0", const std::string& module = "torch")
{
    return "(" + pickled("storage") + "c" + module + "\n" + storage + "\n" + pickled(key) + pickled("cpu") +
           pickled(elements) + "tQ";
}

/// No gradient, no hooks.
inline const std::string no_gradient =
    "\x89"
    "ccollections\nOrderedDict\n)R";

/// The call that makes a tensor; `more`: further arguments.
inline std::string tensor_call(std::int64_t elements, std::int64_t offset, const std::vector<std::int64_t>& shape,
                               const std::vector<std::int64_t>& strides, const std::string& storage = "FloatStorage",
                               const std::string& key = "0", const std::string& more = "")
{
    return "ctorch._utils\n_rebuild_tensor_v2\n(" + storage_id(elements, storage, key) + pickled(offset) +
           pickled(shape) + pickled(strides) + no_gradient + more + "tR";
}

template <class Number>
io::TorchTensor tensor_of(io::TorchType type, std::vector<std::size_t> shape, const std::vector<Number>& numbers)
{
    io::TorchTensor tensor{type, std::move(shape), std::vector<std::byte>(numbers.size() * sizeof(Number))};
    if (!numbers.empty())
    {
        std::memcpy(tensor.bytes.data(), numbers.data(), tensor.bytes.size());
    }
    return tensor;
}

inline std::filesystem::path small_reference()
{
    return data_path("reference_ckpt_small.pth.tar");
}

/// What the application says of parameters and settings.
inline io::PublishedRules rules()
{
    return {[](const std::string& name)
            { return name.find("bias") != std::string::npos || name.find("bn") != std::string::npos; },
            [](const std::string& config)
            {
                io::PublishedSettings settings;
                settings.lr = config.empty() ? 0 : 3.2;
                settings.weight_decay = 1e-6;
                return settings;
            }};
}
}  // namespace paws::test

#include "io/files/other_file.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "io/base/error.hpp"
#include "io/files/hdf5_signature.hpp"
#include "io/files/input_path.hpp"

namespace paws::io
{
namespace
{
struct Known
{
    std::string_view beginning;
    const char* what;
};

constexpr const char* compressed = "is compressed; decompress it first";
constexpr const char* web_page = "is a web page, not what it links to; download the file itself";

constexpr std::array<Known, 11> kinds = {{
    {"\x1f\x8b", compressed},
    {"BZh", compressed},
    {std::string_view("\xfd"
                      "7zXZ\0",
                      6),
     compressed},
    {"\x28\xb5\x2f\xfd", compressed},
    {"\x93NUMPY", "is an array of numpy; give a checkpoint"},
    {"version https://git-lfs.github.com/",
     "only says where the file is (a pointer of Git LFS); get the file itself with git lfs pull"},
    {"<!DOCTYPE html", web_page},
    {"<!doctype html", web_page},
    {"<html", web_page},
    {"\x89PNG", "is an image; give a checkpoint"},
    {"\xff\xd8\xff", "is an image; give a checkpoint"},
}};

/// The length of a header in 8 bytes, then the header, in JSON.
bool is_safetensors(std::string_view bytes)
{
    constexpr std::size_t length = 8;
    std::uint64_t header = 0;
    for (std::size_t i = length; i-- > 0 && bytes.size() > length;)
    {
        header = header << 8 | static_cast<unsigned char>(bytes[i]);
    }
    constexpr std::uint64_t most = 100'000'000;
    return header >= 2 && header <= most && bytes.substr(length).starts_with('{');
}

/// A message of Protocol Buffers: the version of ONNX, and who made it.
bool is_onnx(std::string_view bytes)
{
    constexpr std::size_t text = 4;
    if (bytes.size() < text || bytes[0] != '\x08' || bytes[1] < 1 || bytes[1] > 32 || bytes[2] != '\x12')
    {
        return false;
    }
    const auto producer = bytes.substr(text, static_cast<unsigned char>(bytes[3]));
    return !producer.empty() &&
           std::all_of(producer.begin(), producer.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

bool is_tar(std::string_view bytes)
{
    constexpr std::size_t place = 257;
    return bytes.size() > place && bytes.substr(place).starts_with("ustar");
}

bool is_pickle(std::string_view bytes)
{
    return bytes.size() > 2 && bytes[0] == '\x80' && bytes[1] >= 2 && bytes[1] <= 5;
}
}  // namespace

std::string kind_of_other_file(const std::filesystem::path& path)
{
    std::array<char, 512> buffer{};
    Descriptor file = open_file(path);
    const std::string_view bytes(buffer.data(), file.read(std::as_writable_bytes(std::span(buffer))));
    if (bytes.empty())
    {
        return "is empty; take another copy";
    }
    const auto* const known =
        std::find_if(kinds.begin(), kinds.end(), [&](const Known& kind) { return bytes.starts_with(kind.beginning); });
    if (known != kinds.end())
    {
        return known->what;
    }
    if (is_safetensors(bytes))
    {
        return "is a safetensors file; save what safetensors.torch.load_file gives with torch.save";
    }
    if (is_onnx(bytes))
    {
        return "is a network of ONNX; give a checkpoint of PyTorch or paws_hpc";
    }
    if (is_tar(bytes))
    {
        return "is a tar archive; unpack it, and give the file in it (checkpoints called .pth.tar are not archives)";
    }
    if (is_pickle(bytes))
    {
        return "is a pickle of Python, but not one of torch.save; load it there and save it with torch.save";
    }
    return {};
}

void refuse_other_file(const std::filesystem::path& path)
{
    if (const std::string kind = kind_of_other_file(path); !kind.empty())
    {
        throw Error(path.string() + ": " + kind);
    }
    std::array<char, hdf5_signature.size()> begin{};
    Descriptor file = open_file(path);
    const auto length = file.read(std::as_writable_bytes(std::span(begin)));
    if (std::string_view(begin.data(), length) != hdf5_signature)
    {
        throw Error(path.string() +
                    ": is neither an HDF5 file nor a checkpoint of PyTorch; name one that paws_hpc or "
                    "torch.save wrote");
    }
}
}  // namespace paws::io

#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace paws::io
{
enum class ElementType
{
    float32,
    float64,
    int64,
    uint8
};

/// Bytes of one element.
std::size_t element_size(ElementType type);

/// An array in memory.
struct Array
{
    ElementType type = ElementType::float32;
    std::vector<std::size_t> shape;  ///< empty for a single number
    std::vector<std::byte> bytes;    ///< row-major

    bool operator==(const Array&) const = default;
};

/// Arrays in the order of the state dict, whose names have dots ("layer1.0.bn1.weight").
using NamedArrays = std::vector<std::pair<std::string, Array>>;

/// How far a run has come, and the state of what continues there.
struct Progress
{
    std::int64_t epoch = 0;
    std::int64_t iteration = 0;
    std::map<std::string, std::int64_t> integers;
    std::map<std::string, double> reals;
    std::map<std::string, std::string> texts;

    bool operator==(const Progress&) const = default;
};

/// What a checkpoint of PyTorch holds besides what paws_hpc knows, so that it can be written again as it was.
struct PytorchRest
{
    std::string structure;  ///< its dictionary, as a pickle in which arrays stand by name (see torch_pickle.hpp)
    NamedArrays tensors;    ///< those that are neither the encoder's nor momentum

    bool operator==(const PytorchRest&) const = default;
};

struct Checkpoint
{
    NamedArrays encoder;
    NamedArrays momentum;
    Progress progress;
    std::string config;     ///< the YAML of the run; empty if it is not known
    PytorchRest pytorch{};  ///< empty but for a converted one

    bool operator==(const Checkpoint&) const = default;
};

/// Writes a `paws-checkpoint` file, atomically; equal checkpoints give equal files:
///
///     /encoder/NAME, /optimizer/momentum/NAME     an array, with / for the dots of its name; attribute position: its
///     place
///                                                 in the order. The groups have the attribute count.
///     /progress                                   attributes epoch, iteration and the others
///     /config                                     text
///     /pytorch/structure, /pytorch/tensors/NAME   bytes, and arrays as above; for converted ones alone
///
/// Arrays, progress and config have the attribute crc32. Throws before anything is written if an array's bytes do not
/// match its shape, or if names collide.
void write_checkpoint(const std::filesystem::path& path, const Checkpoint& checkpoint);

/// Throws if the file is of another format, is cut off, lacks something, or if something does not match its checksum.
Checkpoint read_checkpoint(const std::filesystem::path& path);
}  // namespace paws::io

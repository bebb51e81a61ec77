#pragma once

// Event files of TensorBoard, as bytes: records, each with its length and checksums (TFRecord), that hold messages of
// Protocol Buffers (tensorflow.Event). The handful of fields that scalars need are written here: libprotobuf without
// generated code offers no more than varints, and a second copy of it in a process clashes with the one that some
// builds of LibTorch bring.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace paws::io
{
/// CRC-32C (Castagnoli), as records have it. Not that of zlib.
std::uint32_t crc32c(std::string_view bytes);

struct Scalar
{
    std::string tag;
    float value = 0;
};

/// The first record of a file: its version. `wall_time`: seconds since 1970.
std::string event_file_version(double wall_time);

/// A (re)start of a run: readers drop what older files of the folder say of `step` and later ones.
std::string event_of_start(double wall_time, std::int64_t step);

/// Some scalars of a step.
std::string event_of_scalars(double wall_time, std::int64_t step, const std::vector<Scalar>& scalars);
}  // namespace paws::io

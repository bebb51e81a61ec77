#pragma once

// Checkpoints in files of either kind: ours (HDF5), and those of PyTorch.

#include <filesystem>
#include <string>
#include <vector>

#include "io/checkpoint/checkpoint_file.hpp"
#include "src/config/config.hpp"

namespace paws::checkpoint
{
struct StoredCheckpoint
{
    std::filesystem::path path;  ///< of the file that was read
    io::Checkpoint content;
    std::vector<std::string> notes;  ///< what the user should know, a line each
};

/// The file to read for `path`: where there is none of that name, one that is called the same but for .pth.tar, .pth,
/// .pt or .h5 at the end.
std::filesystem::path existing_checkpoint(const std::filesystem::path& path);

/// Reads existing_checkpoint(path), and notes where that is another; what kind of file it is, its content says. Throws
/// io::Error.
StoredCheckpoint read_stored_checkpoint(const std::filesystem::path& path);

/// Writes one of PyTorch if `path` ends like one (.pth.tar, .pth, .pt), else ours. Throws io::Error.
void write_stored_checkpoint(const std::filesystem::path& path, const io::Checkpoint& checkpoint);

/// Whether a path ends like one of a checkpoint of PyTorch.
bool is_named_like_pytorch(const std::filesystem::path& path);

/// The settings of the run that made it, or what its weights tell of them (see inferred_config). What the user should
/// know is added to their notices. Throws io::Error or config::Error.
config::Config config_of(const StoredCheckpoint& stored);
}  // namespace paws::checkpoint

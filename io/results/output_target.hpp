#pragma once

// What is asked about the files that a command is to write before it reads or computes anything.

#include <filesystem>
#include <string>
#include <vector>

#include "io/results/output_kind.hpp"

namespace paws::io
{
/// A file under the option or setting that names it: "--data", "logging.write_tag".
struct NamedPath
{
    std::string name;
    std::filesystem::path path;
};

struct OutputTarget
{
    std::string name;
    std::filesystem::path path;
    OutputKind kind;
};

/// The files that a command reads and writes.
struct CommandFiles
{
    std::vector<NamedPath> inputs;
    std::vector<OutputTarget> outputs;
    /// Folders that the command makes where they are missing, with those above them.
    std::vector<std::filesystem::path> made_folders;
};

/// Throws Error, which names both things and the remedy, if an output
/// - is a folder, a socket, a block device; or a character device, a FIFO or a stream and no text;
/// - is one of the inputs, another of the outputs, or where this program prints to: the same file, whatever its name;
/// - is there and is of another kind;
/// - cannot be written, which is tried: its folder is missing or read-only, its name too long, the file there cannot be
///   replaced.
/// Leaves everything as it was.
void require_outputs(const CommandFiles& files);
}  // namespace paws::io

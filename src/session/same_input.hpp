#pragma once

#include <filesystem>
#include <string>

#include "io/ranks/group.hpp"
#include "src/config/config.hpp"

namespace paws::session
{
/// Collective: ranks that see different settings or read different files would compute nonsense together, or wait for
/// each other for ever. Throws ranks::BadInput, which names a rank, its host, and the keys or the file.
void require_same_config(const ranks::Group& group, const config::Config& config);
void require_same_inputs(const ranks::Group& group, const config::Config& config);
/// Of a checkpoint to be evaluated, wherever it is named; it need not be there.
void require_same_file(const ranks::Group& group, const std::filesystem::path& path);

/// What tells the files that every rank of a run reads by itself from others, without reading them: sizes, and the
/// checksum of one of our files as its seal says it; lists of images by their contents. The data, the lists of labelled
/// and of held-out images, the checkpoint that training starts from. Lines "path: what". Throws config::Error or
/// io::Error.
std::string identity_of_inputs(const config::Config& config);
}  // namespace paws::session

#pragma once

#include <string>

#include "io/ranks/group.hpp"
#include "src/config/config.hpp"

namespace paws::session
{
/// Collective: ranks that see different settings or different data would compute nonsense together, or wait for each
/// other for ever. Throws ranks::BadInput, which names a rank, its host, and the keys or the file.
void require_same_config(const ranks::Group& group, const config::Config& config);
void require_same_data(const ranks::Group& group, const config::Config& config);

/// What tells a run's data from others without reading them: sizes, and the checksum of a packed file as its seal says
/// it; the list of labelled images by its contents. Lines "path: what". Throws config::Error or io::Error.
std::string identity_of_data(const config::Data& data);
}  // namespace paws::session

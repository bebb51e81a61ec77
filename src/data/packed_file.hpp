#pragma once

#include <filesystem>

#include "src/config/config.hpp"

namespace paws::data
{
/// The packed file that `data` names: data.file; or that of the folder root_path/image_folder, which lies beside it as
/// FOLDER.h5. Throws config::Error when there is neither.
std::filesystem::path packed_file(const config::Data& data);
}  // namespace paws::data

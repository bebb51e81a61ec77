#pragma once

#include <filesystem>
#include <string>

namespace paws::data
{
/// How the images of `folder` differ from those of the file that was packed from it, by their names: "3 images were
/// added (first: train/cat/new.jpg), 1 removed (...)"; empty when they do not, or when there is no folder (any more).
///
/// Listing the folders of a million images takes a parallel file system a minute, so it is done only if a class
/// folder has changed after `packed` was written. An image that was overwritten under its name is not noticed.
/// Throws io::Error for a packed file that is none.
std::string folder_changes(const std::filesystem::path& folder, const std::filesystem::path& packed);
}  // namespace paws::data

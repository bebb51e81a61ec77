#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "io/dataset/pack_folder.hpp"
#include "src/comm/world.hpp"
#include "src/config/config.hpp"
#include "src/logging/work_progress.hpp"

namespace paws::data
{
/// How far packing a folder has come, for the user: its time left is told by bytes, as images differ in size.
logging::WorkDone packing_done(const io::FolderPackStatus& status);

/// Where the packed file of a configuration is, or will be.
struct PackedPlace
{
    std::filesystem::path file;
    std::filesystem::path folder;  ///< the class folders that it is packed from; empty when data.file names the file
    bool exists = false;
};

/// data.file; or the packed file of the folder root_path/image_folder, which lies beside it as FOLDER.h5, or in
/// data.scratch as FOLDER-SUM.h5 where nothing can be written beside the folder. Looks, and changes nothing.
/// Throws config::Error if there is neither the file nor the folder.
PackedPlace packed_place(const config::Data& data);

/// The same file, made by all ranks together where it is not there yet.
struct PackedFile
{
    std::filesystem::path path;
    std::vector<std::string> notes;  ///< a line each: that it was made, that its folder has changed since
};

/// Collective; throws the same ranks::BadInput on all ranks: when there is neither file nor folder, when the
/// file can be written nowhere, and for what is corrupt in the folder. A file that is older than the images of its
/// folder is used as it is, and a note says what differs.
PackedFile packed_file(const config::Data& data, const comm::World& world);

/// The file as this rank reads it: with data.copy_data a copy on the node's own disk (io::stage_file), else itself.
/// Collective.
PackedFile staged_file(const config::Data& data, const std::filesystem::path& file, const comm::World& world);
}  // namespace paws::data

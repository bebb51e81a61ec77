#include "src/data/packed_file.hpp"

#include <fmt/format.h>

namespace paws::data
{
namespace fs = std::filesystem;

fs::path packed_file(const config::Data& data)
{
    if (data.file)
    {
        return *data.file;
    }
    auto folder = (fs::path(data.root_path) / data.image_folder).lexically_normal();
    if (!folder.has_filename())
    {
        folder = folder.parent_path();
    }
    auto packed = folder;
    packed += ".h5";
    if (fs::exists(packed))
    {
        return packed;
    }
    throw config::Error(
        fmt::format("data.dataset: {}: there is no {}; make it with paws_hpc pack --format imagefolder --input {} "
                    "--output {}, or give data.file",
                    to_string(data.dataset), packed.string(), folder.string(), packed.string()));
}
}  // namespace paws::data

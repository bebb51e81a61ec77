#include "src/session/same_input.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <sstream>
#include <vector>

#include "io/base/error.hpp"
#include "io/base/printable.hpp"
#include "io/files/checksum.hpp"
#include "io/files/read_file.hpp"
#include "io/files/seal.hpp"
#include "io/ranks/agreed.hpp"
#include "src/config/compare.hpp"
#include "src/config/task_traits.hpp"
#include "src/data/labelled.hpp"
#include "src/data/packed_file.hpp"

namespace paws::session
{
namespace
{
namespace fs = std::filesystem;

constexpr std::size_t most_keys_named = 3;

std::map<std::string, std::string> lines_by_path(const std::string& identity)
{
    std::map<std::string, std::string> lines;
    std::istringstream stream(identity);
    for (std::string line; std::getline(stream, line);)
    {
        const auto colon = line.rfind(": ");
        lines[line.substr(0, colon)] = line.substr(colon + 2);
    }
    return lines;
}

std::string identity_of_packed(const fs::path& path)
{
    io::require_file(path);
    std::error_code error;
    const auto size = fs::file_size(path, error);
    const auto seal = io::read_seal(path);
    return fmt::format("{}: {} bytes, {}\n", io::printable(path.string()), error ? 0 : size,
                       seal ? fmt::format("checksum {:08x}", seal->checksum) : "no checksum");
}

/// The files of CIFAR-10 as published, which nothing seals: in the folder or one level below.
std::string identity_of_cifar10(const fs::path& folder)
{
    std::map<std::string, std::uintmax_t> sizes;
    for (const char* below : {".", "cifar-10-batches-py", "cifar-10-batches-bin"})
    {
        std::error_code error;
        for (fs::directory_iterator entry(folder / below, error), end; !error && entry != end; entry.increment(error))
        {
            std::error_code no_file;
            if (entry->is_regular_file(no_file))
            {
                sizes[(below / entry->path().filename()).string()] = entry->file_size(no_file);
            }
        }
    }
    std::string all;
    std::uintmax_t bytes = 0;
    for (const auto& [name, size] : sizes)
    {
        all += fmt::format("{} {}\n", name, size);
        bytes += size;
    }
    return fmt::format("{}: {} files, {} bytes, {:08x}\n", io::printable(folder.string()), sizes.size(), bytes,
                       io::crc32(std::as_bytes(std::span(all))));
}

std::string identity_of_list(const fs::path& path)
{
    const auto text = io::read_file(path);
    return fmt::format("{}: {} bytes, checksum {:08x}\n", io::printable(path.string()), text.size(),
                       io::crc32(std::as_bytes(std::span(text))));
}
/// A folder that is yet to be packed is the same where its path is: all ranks pack it together.
std::string identity_of_place(const data::PackedPlace& place)
{
    return place.exists || place.folder.empty() ? identity_of_packed(place.file)
                                                : io::printable(place.folder.string()) + ": to be packed\n";
}

std::string identity_of_data(const config::Data& data)
{
    if (data.is_synthetic())
    {
        return {};  // the settings say it all
    }
    auto identity = data.is_cifar10() && !data.file ? identity_of_cifar10(fs::path(data.root_path) / data.image_folder)
                                                    : identity_of_place(data::packed_place(data));
    if (const auto list = data.labelled_list(); list && io::is_there(*list))
    {
        identity += identity_of_list(*list);
    }
    if (const auto list = data::existing_held_out_list(data))
    {
        identity += identity_of_list(*list);
    }
    return identity;
}

/// Whoever reads a file that is missing says so.
std::string identity_of_checkpoint(const fs::path& path)
{
    std::error_code error;
    return fs::is_regular_file(path, error) ? identity_of_packed(path) : std::string();
}

/// `identity`: lines "path: what" of this rank.
void require_same_lines(const ranks::Group& group, const std::string& identity)
{
    const auto found = ranks::find_disagreement(group, identity);
    if (!found)
    {
        return;
    }
    const auto theirs = lines_by_path(found->text);
    for (const auto& [path, what] : lines_by_path(found->text_of_first))
    {
        const auto other = theirs.find(path);
        const auto other_what = other == theirs.end() ? std::string("nothing") : other->second;
        if (other_what != what)
        {
            group.refuse(fmt::format("{}: {} is {}, but {} on {}; give all ranks the same files", found->rank, path,
                                     other_what, what, found->first));
        }
    }
    group.refuse(
        fmt::format("{}: it reads other files than {}; give all ranks the same files", found->rank, found->first));
}
}  // namespace

std::string identity_of_inputs(const config::Config& config)
{
    auto identity = identity_of_data(config.data);
    if (config.meta.init_backbone)
    {
        identity += identity_of_checkpoint(*config.meta.init_backbone);
    }
    if (config.logging.pretrain_path && config::trains(config))
    {
        identity += identity_of_checkpoint(config.logging.path_of(*config.logging.pretrain_path));
    }
    return identity;
}

void require_same_config(const ranks::Group& group, const config::Config& config)
{
    const auto found = ranks::find_disagreement(group, config.to_yaml());
    if (!found)
    {
        return;
    }
    auto keys = config::differing_settings(found->text, found->text_of_first);
    const auto count = keys.size();
    keys.resize(std::min(count, most_keys_named));
    group.refuse(
        fmt::format("{}: its settings differ from those of {}: {}{}; give all ranks the same YAML file and the same "
                    "--set",
                    found->rank, found->first, fmt::join(keys, ", "),
                    count > most_keys_named ? fmt::format(" and {} more", count - most_keys_named) : ""));
}

void require_same_inputs(const ranks::Group& group, const config::Config& config)
{
    require_same_lines(group, agreed(group, [&] { return identity_of_inputs(config); }));
}

void require_same_file(const ranks::Group& group, const fs::path& path)
{
    require_same_lines(group, agreed(group, [&] { return identity_of_checkpoint(path); }));
}
}  // namespace paws::session

#include "src/data/packed_file.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cmath>
#include <numeric>
#include <optional>
#include <string_view>
#include <system_error>

#include "io/base/live_line.hpp"
#include "io/base/printable.hpp"
#include "io/base/quantity.hpp"
#include "io/base/seconds.hpp"
#include "io/dataset/pack_folder.hpp"
#include "io/files/checksum.hpp"
#include "io/files/input_path.hpp"
#include "io/files/staging.hpp"
#include "io/ranks/agreed.hpp"
#include "src/data/folder_changes.hpp"

namespace paws::data
{
namespace fs = std::filesystem;

namespace
{
fs::path image_folder(const config::Data& data)
{
    auto folder = (fs::path(data.root_path) / data.image_folder).lexically_normal();
    if (!folder.has_filename())
    {
        folder = folder.parent_path();
    }
    const auto name = folder.filename();
    return name == "." || name == ".." ? fs::weakly_canonical(folder) : folder;
}

fs::path beside(const fs::path& folder)
{
    auto file = folder;
    file += ".h5";
    return file;
}

/// Folders in different places often have the same name.
fs::path in_scratch(const fs::path& scratch, const fs::path& folder)
{
    const auto full = fs::weakly_canonical(folder).string();
    return scratch / fmt::format("{}-{:08x}.h5", folder.filename().string(), io::crc32(std::as_bytes(std::span(full))));
}

/// Why no file can be made in a folder; empty if one can. Tried out, as permissions do not tell of full quotas and
/// file systems that may only be read.
std::string hurdle_in(const fs::path& folder)
{
    const auto probe = folder / fmt::format(".paws-probe-{}", ::getpid());
    const int descriptor = ::open(probe.c_str(), O_CREAT | O_EXCL | O_WRONLY, 0600);
    if (descriptor < 0)
    {
        return std::generic_category().message(errno);
    }
    ::close(descriptor);
    ::unlink(probe.c_str());
    return {};
}

/// Where the file can be made. Throws where it cannot.
fs::path place_to_pack(const config::Data& data, const fs::path& folder)
{
    const auto file = beside(folder);
    const auto where = file.has_parent_path() ? file.parent_path() : fs::path(".");
    const auto hurdle = hurdle_in(where);
    if (hurdle.empty())
    {
        return file;
    }
    const auto refusal =
        fmt::format("{} is not packed yet, and {} cannot be written ({})", folder.string(), file.string(), hurdle);
    if (!data.scratch)
    {
        throw config::Error(fmt::format(
            "{}; name a folder that all nodes see with data.scratch, or pack it yourself, paws_hpc pack --format "
            "imagefolder --input {} --output FILE.h5, and give data.file=FILE.h5",
            refusal, folder.string()));
    }
    const auto hurdle_in_scratch = hurdle_in(*data.scratch);
    if (!hurdle_in_scratch.empty())
    {
        throw config::Error(fmt::format("{}, nor anything in data.scratch, {} ({}); name a folder that all nodes see",
                                        refusal, *data.scratch, hurdle_in_scratch));
    }
    return in_scratch(*data.scratch, folder);
}

/// A file that all ranks write together must be the same file on all nodes.
void require_shared_folder(const fs::path& file, const comm::World& world)
{
    if (world.nodes == 1)
    {
        return;
    }
    const auto ranks = world.group().naming_ranks(false);
    const auto mark = ranks.broadcast(file.string() + fmt::format(".probe-{}", ::getpid()));
    agreed(ranks,
           [&]
           {
               const int descriptor = world.is_first() ? ::open(mark.c_str(), O_CREAT | O_WRONLY, 0600) : -1;
               return descriptor >= 0 ? ::close(descriptor) : 0;
           });
    const auto remove_mark = [&]
    {
        if (world.is_first())
        {
            std::error_code ignored;
            fs::remove(mark, ignored);
        }
    };
    const auto require_mark = [&]
    {
        if (!fs::exists(mark))
        {
            throw config::Error(fmt::format(
                "{} cannot be packed by all ranks together: its folder is not the same on all nodes; name a folder "
                "that all nodes see with data.scratch, or pack it on one node",
                file.string()));
        }
    };
    try
    {
        agreed(ranks, require_mark);
    }
    catch (...)
    {
        remove_mark();
        throw;
    }
    remove_mark();
}

std::vector<std::string> pack(const config::Data& data, const PackedPlace& place, const comm::World& world)
{
    const auto start = std::chrono::steady_clock::now();
    io::LiveLine line(STDERR_FILENO);
    io::FolderPackRequest request;
    request.input = place.folder;
    request.output = place.file;
    request.skip_broken = data.skip_broken;
    request.skip_option = "data.skip_broken: true";
    const auto report =
        io::pack_image_folder(request, world.group(),
                              [&](const io::FolderPackStatus& status)
                              {
                                  line.update(
                                      [&]
                                      {
                                          return fmt::format("packing {}: {}", io::printable(place.folder.string()),
                                                             logging::format_work(packing_done(status)));
                                      });
                              });
    const auto images = std::accumulate(report.splits.begin(), report.splits.end(), std::size_t{0},
                                        [](std::size_t sum, const auto& split) { return sum + split.images; });
    std::vector<std::string> notes{fmt::format("{} was packed: {} of {}, {:.0f} s; later runs use the file",
                                               place.file.string(), io::plural(images, "image"),
                                               io::plural(report.classes, "class", "es"), io::seconds_since(start))};
    for (const auto& skipped : report.skipped)
    {
        notes.push_back("left out (data.skip_broken): " + skipped);
    }
    return notes;
}

/// What the first rank found, for all: they must go the same way even if they see different things.
PackedPlace first_place(const PackedPlace& mine, const comm::World& world)
{
    PackedPlace place;
    place.file = world.group().broadcast(mine.file.string());
    place.folder = world.group().broadcast(mine.folder.string());
    place.exists = world.group().reduce(mine.exists ? 1 : 0, MPI_MAX) == 1;
    return place;
}
}  // namespace

logging::WorkDone packing_done(const io::FolderPackStatus& status)
{
    logging::WorkDone work;
    work.verb = status.writes ? "packed" : "checked";
    work.items = status.images;
    work.all_items = status.total_images;
    work.bytes = status.bytes;
    work.all_bytes = status.total_bytes;
    work.seconds = status.seconds;
    return work;
}

PackedPlace packed_place(const config::Data& data)
{
    if (data.file)
    {
        return {*data.file, {}, io::is_there(*data.file)};
    }
    const auto folder = image_folder(data);
    const auto file = beside(folder);
    if (io::is_there(file))
    {
        return {file, folder, true};
    }
    if (data.scratch)
    {
        const auto other = in_scratch(*data.scratch, folder);
        if (io::is_there(other))
        {
            return {other, folder, true};
        }
    }
    if (!io::is_folder(folder))
    {
        throw config::Error(fmt::format(
            "data.dataset: {}: there is neither a folder {} nor a packed file {}; correct data.root_path and "
            "data.image_folder, or give data.file",
            to_string(data.dataset), folder.string(), file.string()));
    }
    return {place_to_pack(data, folder), folder, false};
}

PackedFile packed_file(const config::Data& data, const comm::World& world)
{
    if (data.file)
    {
        return {*data.file, {}};
    }
    const auto ranks = world.group().naming_ranks(false);
    auto place = agreed(ranks, [&] { return world.is_first() ? packed_place(data) : PackedPlace(); });
    place = first_place(place, world);
    if (!place.exists)
    {
        require_shared_folder(place.file, world);
        return {place.file, pack(data, place, world)};
    }
    const auto changes = ranks.broadcast(
        agreed(ranks, [&] { return world.is_first() ? folder_changes(place.folder, place.file) : std::string(); }));
    PackedFile packed{place.file, {}};
    if (!changes.empty())
    {
        packed.notes.push_back(
            fmt::format("{} is used as it is, but {} has changed since it was packed: {}; to pack the "
                        "current images, remove the file",
                        place.file.string(), place.folder.string(), changes));
    }
    return packed;
}

PackedFile staged_file(const config::Data& data, const fs::path& file, const comm::World& world)
{
    if (!data.copy_data)
    {
        return {file, {}};
    }
    const auto start = std::chrono::steady_clock::now();
    io::LiveLine line(STDERR_FILENO);
    const auto report =
        io::stage_file(file, data.scratch.value_or(""), world.group().mpi(),
                       [&](std::uint64_t done, std::uint64_t total)
                       {
                           if (world.is_first())
                           {
                               line.update(
                                   [&]
                                   {
                                       logging::WorkDone work;
                                       work.verb = fmt::format("copying {}: copied", io::printable(file.string()));
                                       work.bytes = done;
                                       work.all_bytes = total;
                                       work.seconds = io::seconds_since(start);
                                       return logging::format_work(work);
                                   });
                           }
                       });
    return {report.path, {report.note}};
}
}  // namespace paws::data

#include "io/results/output_target.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <system_error>

#include "io/base/error.hpp"
#include "io/files/atomic_file.hpp"
#include "io/files/file_name.hpp"
#include "io/files/landing_place.hpp"

namespace paws::io
{
namespace
{
namespace fs = std::filesystem;

[[noreturn]] void refuse(const OutputTarget& output, const std::string& what)
{
    throw Error(output.name + ": " + output.path.string() + " " + what);
}

bool is_stream(FileType type)
{
    return type == FileType::character_device || type == FileType::fifo || type == FileType::own_descriptor;
}

void require_type(const OutputTarget& output, FileType type)
{
    if (type == FileType::absent || type == FileType::regular || (output.kind.is_text && is_stream(type)))
    {
        return;
    }
    refuse(output, "is " + in_words(type) + ", and " + output.kind.name + " is to be written; name a file");
}

/// The path without symbolic links and dots, as far as it is there.
fs::path resolved(const fs::path& path)
{
    std::error_code error;
    const fs::path whole = fs::weakly_canonical(fs::absolute(path), error);
    return error ? path : whole;
}

void require_no_input(const OutputTarget& output, const std::vector<NamedPath>& inputs)
{
    const auto identity = FileIdentity::of(output.path);
    for (const NamedPath& input : inputs)
    {
        if (identity && !identity->is_shared() && FileIdentity::of(input.path) == identity)
        {
            refuse(output, "is the file that is read, " + input.name + " " + input.path.string() +
                               ", and would replace it; give " + output.name + " another");
        }
    }
}

/// Names of one file do not matter here: each output takes the place of one name.
void require_own_place(const OutputTarget& output, const LandingPlace& place, std::map<fs::path, NamedPath>& taken)
{
    if (place.type == FileType::character_device)
    {
        return;
    }
    const auto [other, is_new] = taken.try_emplace(resolved(place.path), NamedPath{output.name, output.path});
    if (!is_new)
    {
        refuse(output, "is also what " + other->second.name + " writes, " + other->second.path.string() +
                           "; give one of them another");
    }
}

/// The file would take the place of what was printed.
void require_not_printed_to(const OutputTarget& output)
{
    const auto identity = FileIdentity::of(output.path);
    for (const auto& [number, name] : {std::pair(STDOUT_FILENO, "stdout"), std::pair(STDERR_FILENO, "stderr")})
    {
        if (identity && FileIdentity::of_descriptor(number) == identity)
        {
            refuse(output, std::string("is where ") + name + " of this program goes; give another file" +
                               (output.kind.is_text ? std::string(", or /dev/") + name : ""));
        }
    }
}

void require_kind(const OutputTarget& output, const fs::path& place)
{
    std::error_code error;
    if (fs::file_size(place, error) == 0 && !error)
    {
        return;
    }
    bool fits = false;
    std::string reason;
    try
    {
        fits = output.kind.fits(place);
    }
    catch (const DamagedOutput&)
    {
        refuse(output, "is there already and is damaged; it may have been " + output.kind.name +
                           ": move it away, or give " + output.name + " another");
    }
    catch (const Error& unreadable)
    {
        reason = " (" + std::string(unreadable.what()) + ")";
    }
    if (!fits)
    {
        refuse(output, "is there already and is not " + output.kind.name + reason + "; move it away, or give " +
                           output.name + " another");
    }
}

/// Whether the file that is there can make room for another is not seen in its folder.
void require_replaceable(const OutputTarget& output, const fs::path& place)
{
    const auto refuse_to_replace = [&](const std::string& what)
    { refuse(output, what + "; give " + output.name + " another"); };
#ifdef STATX_ATTR_IMMUTABLE
    struct statx found
    {
    };
    if (::statx(AT_FDCWD, place.c_str(), AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &found) == 0)
    {
        if ((found.stx_attributes & (STATX_ATTR_IMMUTABLE | STATX_ATTR_APPEND)) != 0)
        {
            refuse_to_replace("is protected from change (chattr)");
        }
#ifdef STATX_ATTR_MOUNT_ROOT
        if ((found.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0)
        {
            refuse_to_replace("is mounted there by itself, so that no other file can take its place");
        }
#endif
    }
#endif
    struct stat file
    {
    };
    struct stat folder
    {
    };
    const uid_t user = ::geteuid();
    if (::stat(place.c_str(), &file) == 0 && ::stat(folder_of(place).c_str(), &folder) == 0 && user != 0 &&
        (folder.st_mode & S_ISVTX) != 0 && file.st_uid != user && folder.st_uid != user)
    {
        refuse_to_replace("belongs to another user, in a folder where only he may replace it");
    }
}

bool is_made(const fs::path& folder, const CommandFiles& files)
{
    const fs::path wanted = resolved(folder);
    return std::any_of(files.made_folders.begin(), files.made_folders.end(),
                       [&](const fs::path& made)
                       {
                           const fs::path whole = resolved(made / "");
                           const auto [end, ignored] =
                               std::mismatch(wanted.begin(), wanted.end(), whole.begin(), whole.end());
                           return end == wanted.end();
                       });
}

/// Tries what makes a file, as deep as there are folders, once for each folder.
void require_writable(const OutputTarget& output, const fs::path& place, const CommandFiles& files,
                      std::set<fs::path>& tried)
{
    require_name_fits(place);
    if (!tried.insert(folder_of(place)).second)
    {
        return;
    }
    std::error_code error;
    fs::path missing = place;
    if (!fs::exists(folder_of(place), error) && is_made(folder_of(place), files))
    {
        missing = fs::absolute(place);
        while (!fs::exists(folder_of(missing), error) && folder_of(missing) != missing.root_path())
        {
            require_name_fits(missing);
            missing = folder_of(missing);
        }
    }
    try
    {
        const AtomicFile trial(missing);
    }
    catch (const Error& refused)
    {
        throw Error(output.name + ": " + (missing == place ? "" : output.path.string() + ": ") + refused.what());
    }
}
}  // namespace

void require_outputs(const CommandFiles& files)
{
    std::set<fs::path> tried;
    std::map<fs::path, NamedPath> taken;
    for (const OutputTarget& output : files.outputs)
    {
        if (output.path.empty())
        {
            throw Error(output.name + ": is empty; name a file");
        }
        const LandingPlace place = landing_place(output.path);
        require_type(output, place.type);
        require_no_input(output, files.inputs);
        require_own_place(output, place, taken);
        if (is_stream(place.type))
        {
            continue;
        }
        require_not_printed_to(output);
        if (place.type == FileType::regular)
        {
            require_kind(output, place.path);
            require_replaceable(output, place.path);
        }
        require_writable(output, place.path, files, tried);
    }
}
}  // namespace paws::io

#include "io/files/atomic_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <mutex>
#include <set>
#include <system_error>
#include <vector>

#include "io/files/descriptor.hpp"
#include "io/files/file_name.hpp"
#include "io/files/landing_place.hpp"
#include "io/ranks/host_name.hpp"

namespace paws::io
{
namespace
{
namespace fs = std::filesystem;

/// The temporary files that this process has now.
struct Temporaries
{
    std::timed_mutex mutex;
    std::set<fs::path> paths;
};

Temporaries& temporaries()
{
    // Never destroyed: another thread may end the process while static objects go.
    static auto* const all = new Temporaries;
    return *all;
}

/// A thread that holds the lock for longer waits for a file system that does not answer.
constexpr auto patience_with_storage = std::chrono::seconds(1);

void unlink_all() noexcept
{
    for (const auto& path : temporaries().paths)
    {
        ::unlink(path.c_str());
    }
}

/// What stands before the process number in the names of the temporary files that this machine makes for `path`.
std::string temporary_stem(const fs::path& path)
{
    constexpr std::size_t digits_of_process = 10;
    return name_beside(path.filename().string(), ".partial-" + ranks::host_name() + "-", digits_of_process);
}

/// Where a file is to be put in place of what is at `path`. Throws if that is no file that can be replaced.
fs::path place_of_file(const fs::path& path)
{
    const LandingPlace place = landing_place(path);
    if (place.type == FileType::folder || !place.path.has_filename())
    {
        throw Error(path.string() + ": is a folder; name the file to write");
    }
    if (place.type != FileType::absent && place.type != FileType::regular)
    {
        throw Error(path.string() + ": is " + in_words(place.type) +
                    ", where no whole file can be put; name a file to write");
    }
    require_name_fits(place.path);
    return place.path;
}

void require_folder_of(const fs::path& path, const fs::path& folder)
{
    std::error_code error;
    const auto status = fs::status(folder, error);
    if (status.type() == fs::file_type::none)
    {
        throw SystemError(path.string(), "cannot be written ('" + folder.string() + "': " + error.message() +
                                             "); check its permissions, or name another folder");
    }
    if (!fs::is_directory(status))
    {
        fs::path in_the_way = folder;
        while (in_the_way.has_relative_path() && !fs::exists(in_the_way, error))
        {
            in_the_way = in_the_way.parent_path();
        }
        if (!in_the_way.empty() && fs::exists(in_the_way, error) && !fs::is_directory(in_the_way, error))
        {
            throw Error(path.string() + ": cannot be written, '" + in_the_way.string() +
                        "' is not a folder; move it away, or name another place");
        }
        throw Error(path.string() + ": cannot be written, there is no folder '" + folder.string() + "'; make it first");
    }
}

/// Makes the file anew: what a process of the same number left goes.
void make_temporary(const fs::path& path)
{
    ::unlink(path.c_str());
    Descriptor(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW).close();
}

/// Removes what processes of this machine that were killed left while they wrote `path`. Those of other machines stay:
/// nothing here tells whether they are still at it.
void remove_leftovers(const fs::path& path)
{
    const std::string stem = temporary_stem(path);
    std::vector<fs::path> leftovers;
    std::error_code error;
    for (fs::directory_iterator entry(folder_of(path), error), end; !error && entry != end; entry.increment(error))
    {
        const std::string name = entry->path().filename().string();
        if (name.starts_with(stem))
        {
            const auto process = static_cast<pid_t>(std::strtol(name.c_str() + stem.size(), nullptr, 10));
            if (process > 0 && ::kill(process, 0) != 0 && errno == ESRCH)
            {
                leftovers.push_back(entry->path());
            }
        }
    }
    for (const auto& leftover : leftovers)
    {
        fs::remove(leftover, error);
    }
}

void sync_folder(const fs::path& folder)
{
    try
    {
        Descriptor(folder, O_RDONLY | O_DIRECTORY).sync();
    }
    catch (const SystemError&)
    {
        // One that may be written to but not read cannot be waited for.
        if (::access(folder.c_str(), R_OK) == 0)
        {
            throw;
        }
    }
}
}  // namespace

AtomicFile::AtomicFile(std::filesystem::path path) : path_(std::move(path)), place_(place_of_file(path_))
{
    const std::filesystem::path folder = folder_of(place_);
    require_folder_of(path_, folder);
    remove_leftovers(place_);
    temporary_ = folder / (temporary_stem(place_) + std::to_string(::getpid()));
    const std::lock_guard lock(temporaries().mutex);
    try
    {
        make_temporary(temporary_);
    }
    catch (const SystemError& refused)
    {
        throw SystemError(path_.string(), "cannot be written (" + refused.reason() +
                                              "); check the permissions and space of '" + folder.string() +
                                              "', or name another folder");
    }
    temporaries().paths.insert(temporary_);
}

AtomicFile::~AtomicFile()
{
    std::error_code ignored;
    std::filesystem::remove(temporary_, ignored);
    const std::lock_guard lock(temporaries().mutex);
    temporaries().paths.erase(temporary_);
}

void AtomicFile::commit()
{
    Descriptor(temporary_, O_RDONLY).sync();
    if (std::rename(temporary_.c_str(), place_.c_str()) != 0)
    {
        throw SystemError(path_.string(), "rename failed: " + std::generic_category().message(errno));
    }
    sync_folder(folder());
}

std::filesystem::path AtomicFile::folder() const
{
    return folder_of(place_);
}

void refuse_write(const std::filesystem::path& path, const SystemError& error)
{
    throw SystemError(path.string(), "cannot be written (" + error.reason() + "); free some space or quota in '" +
                                         folder_of(path).string() + "', or name another folder");
}

void write_atomically(const std::filesystem::path& path, std::initializer_list<std::string_view> pieces)
{
    AtomicFile file(path);
    try
    {
        Descriptor descriptor(file.temporary(), O_WRONLY | O_TRUNC);
        for (const std::string_view piece : pieces)
        {
            descriptor.write(piece);
        }
        descriptor.close();
        file.commit();
    }
    catch (const SystemError& error)
    {
        refuse_write(path, error);
    }
}

void remove_temporaries() noexcept
{
    const std::unique_lock lock(temporaries().mutex, patience_with_storage);
    unlink_all();
}

void exit_without_temporaries(int code) noexcept
{
    // The lock is never given back, so that no other thread makes a file in the last moment.
    static_cast<void>(temporaries().mutex.try_lock_for(patience_with_storage));
    unlink_all();
    ::_exit(code);
}
}  // namespace paws::io

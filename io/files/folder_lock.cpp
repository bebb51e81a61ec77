#include "io/files/folder_lock.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <span>

#include "io/base/error.hpp"
#include "io/ranks/host_name.hpp"

namespace paws::io
{
namespace
{
[[noreturn]] void refuse_lock(const std::filesystem::path& path, const SystemError& error)
{
    throw SystemError(path.string(), "the lock of the run cannot be taken (" + error.reason() +
                                         "); check the permissions and space of '" + path.parent_path().string() +
                                         "', or set logging.folder to a place that you may write to");
}
}  // namespace

FolderLock::FolderLock(const std::filesystem::path& path)
try : file_(path, O_RDWR | O_CREAT | O_NONBLOCK)
{
    const auto outcome = file_.try_lock();
    held_ = outcome == Descriptor::Lock::taken;
    if (outcome == Descriptor::Lock::busy)
    {
        std::array<char, 300> text{};
        const auto length = file_.read(std::as_writable_bytes(std::span(text)));
        const std::string holder(text.data(), length);
        throw Error(path.string() + ": another run (" + (holder.empty() ? "of unknown place" : holder) +
                    ") is writing there; wait for its end, or give this one another logging.folder or "
                    "logging.write_tag");
    }
    if (held_)
    {
        note_holder();
    }
}
catch (const SystemError& error)
{
    refuse_lock(path, error);
}

void FolderLock::note_holder()
{
    const std::string holder = std::string(begin_of_text) + std::to_string(::getpid()) + " on " + ranks::host_name();
    file_.cut(0);
    file_.write(holder);
}
}  // namespace paws::io

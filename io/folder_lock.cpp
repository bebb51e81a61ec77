#include "io/folder_lock.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <span>

#include "io/error.hpp"
#include "io/host_name.hpp"

namespace paws::io
{
FolderLock::FolderLock(const std::filesystem::path& path) : file_(path, O_RDWR | O_CREAT)
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
        const std::string holder = std::string(begin_of_text) + std::to_string(::getpid()) + " on " + host_name();
        file_.cut(0);
        file_.write(holder);
    }
}
}  // namespace paws::io

#include "src/checkpoint/run_folder.hpp"

#include <fcntl.h>

#include <utility>

#include "io/base/say.hpp"
#include "io/files/atomic_file.hpp"

namespace paws::checkpoint
{
RunFolder::RunFolder(RunFiles files) : files_(std::move(files))
{
    open();
}

void RunFolder::open()
{
    make_folder(files_.folder());
    // A lock that is in its place is ours: taking it again would find it taken.
    if (!lock_ || !lock_->is_in_place())
    {
        lock_.reset();
        lock_ = std::make_unique<io::FolderLock>(files_.lock());
    }
    // After something was made there: an overlay gives a folder another number then.
    folder_ = std::make_unique<io::Descriptor>(files_.folder(), O_PATH | O_DIRECTORY);
}

void RunFolder::write_parameters(std::string text)
{
    const std::lock_guard guard(mutex_);
    parameters_ = std::move(text);
    write_parameters();
}

void RunFolder::write_parameters() const
{
    io::write_atomically(files_.parameters(), {parameters_});
}

bool RunFolder::restore()
{
    const std::lock_guard guard(mutex_);
    const bool was_gone = !folder_->is_in_place();
    if (was_gone || !lock_ || !lock_->is_in_place())
    {
        open();
    }
    if (was_gone)
    {
        note_ = files_.folder().string() +
                ": the folder was removed or renamed; it is made again, and the run continues there";
        write_parameters();
    }
    return was_gone;
}

std::optional<std::string> RunFolder::take_note()
{
    const std::lock_guard guard(mutex_);
    return std::exchange(note_, std::nullopt);
}

void RunFolder::say_note(bool quiet)
{
    if (const auto note = take_note(); note && !quiet)
    {
        io::say_error(*note + "\n");
    }
}
}  // namespace paws::checkpoint

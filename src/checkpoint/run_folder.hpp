#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "io/files/descriptor.hpp"
#include "io/files/folder_lock.hpp"
#include "src/checkpoint/run_files.hpp"

namespace paws::checkpoint
{
/// The folder of a run while the run lasts, on its first rank: kept to this run by a lock, and made again where
/// somebody removes or renames it.
class RunFolder
{
public:
    /// Makes the folder and takes its lock. Throws io::Error.
    explicit RunFolder(RunFiles files);

    /// Writes params-TASK.yaml, now and whenever the folder is made again. Throws io::Error.
    void write_parameters(std::string text);

    /// Before something is written there, from any thread: makes the folder again, and takes its lock again, if they
    /// are not in their places any more; gives whether the folder was not. Throws io::Error where the folder cannot be
    /// made, and where another run has taken it meanwhile: then its files are no more ours to write.
    bool restore();

    /// What is to be said about that since the last call.
    std::optional<std::string> take_note();
    /// Says it on standard error, or drops it where the run is `quiet`.
    void say_note(bool quiet);

private:
    void open();
    void write_parameters() const;

    RunFiles files_;
    std::mutex mutex_;
    std::unique_ptr<io::Descriptor> folder_;
    std::unique_ptr<io::FolderLock> lock_;
    std::string parameters_;
    std::optional<std::string> note_;
};
}  // namespace paws::checkpoint

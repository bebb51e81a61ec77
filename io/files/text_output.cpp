#include "io/files/text_output.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <system_error>
#include <thread>

#include "io/base/error.hpp"
#include "io/files/atomic_file.hpp"
#include "io/files/landing_place.hpp"

namespace paws::io
{
namespace
{
namespace fs = std::filesystem;

constexpr auto pause_between_tries = std::chrono::milliseconds(50);

[[noreturn]] void refuse_stream(const fs::path& path, int reason)
{
    throw SystemError(path.string(), "cannot be written (" + std::generic_category().message(reason) +
                                         "); check its permissions, or name another file");
}

int open_device(const fs::path& path)
{
    const int number = ::open(path.c_str(), O_WRONLY | O_NOCTTY | O_CLOEXEC);
    if (number < 0)
    {
        refuse_stream(path, errno);
    }
    return number;
}

/// A FIFO without a reader would hold the program for ever.
int open_fifo(const fs::path& path, std::chrono::milliseconds patience)
{
    const auto end = std::chrono::steady_clock::now() + patience;
    while (true)
    {
        const int number = ::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC);
        if (number >= 0)
        {
            // From now on a slow reader is waited for.
            if (::fcntl(number, F_SETFL, O_WRONLY) != 0)
            {
                refuse_stream(path, errno);
            }
            return number;
        }
        if (errno != ENXIO && errno != EINTR)
        {
            refuse_stream(path, errno);
        }
        if (std::chrono::steady_clock::now() > end)
        {
            throw Error(path.string() + ": is a FIFO that nobody reads; start its reader first, or name a file");
        }
        std::this_thread::sleep_for(pause_between_tries);
    }
}

/// The stream itself, so that what is in it already stays and the text comes after that.
int copy_of_stream(const fs::path& path, int number)
{
    const int flags = ::fcntl(number, F_GETFL);
    if (flags < 0 || (flags & O_ACCMODE) == O_RDONLY)
    {
        throw Error(path.string() + ": is not a stream that is open for writing; name a file");
    }
    std::fflush(nullptr);
    constexpr int after_standard_streams = 3;
    const int copy = ::fcntl(number, F_DUPFD_CLOEXEC, after_standard_streams);
    if (copy < 0 || (number == STDOUT_FILENO && ::dup2(STDERR_FILENO, STDOUT_FILENO) < 0))
    {
        refuse_stream(path, errno);
    }
    return copy;
}

/// A reader that has gone is an error of the call, not the end of the program.
class WithoutSigpipe
{
public:
    WithoutSigpipe() : before_(std::signal(SIGPIPE, SIG_IGN)) {}
    ~WithoutSigpipe()
    {
        if (before_ != SIG_ERR)
        {
            std::signal(SIGPIPE, before_);
        }
    }
    WithoutSigpipe(const WithoutSigpipe&) = delete;
    WithoutSigpipe& operator=(const WithoutSigpipe&) = delete;

private:
    void (*before_)(int);
};
}  // namespace

TextOutput::TextOutput(fs::path path, std::chrono::milliseconds patience) : path_(std::move(path))
{
    const LandingPlace place = landing_place(path_);
    switch (place.type)
    {
        case FileType::absent:
        case FileType::regular:
            break;
        case FileType::character_device:
            stream_.emplace(path_, Descriptor::Open{open_device(path_)});
            break;
        case FileType::fifo:
            stream_.emplace(path_, Descriptor::Open{open_fifo(path_, patience)});
            break;
        case FileType::own_descriptor:
            stream_.emplace(path_, Descriptor::Open{copy_of_stream(path_, place.descriptor)});
            break;
        default:
            throw Error(path_.string() + ": is " + in_words(place.type) + "; name a file");
    }
}

void TextOutput::write(std::initializer_list<std::string_view> pieces)
{
    if (!stream_)
    {
        write_atomically(path_, pieces);
        return;
    }
    const WithoutSigpipe errors_only;
    try
    {
        for (const std::string_view piece : pieces)
        {
            stream_->write(piece);
        }
        stream_->close();
    }
    catch (const SystemError& error)
    {
        throw SystemError(path_.string(), "cannot be written (" + error.reason() + "); name a file");
    }
}
}  // namespace paws::io

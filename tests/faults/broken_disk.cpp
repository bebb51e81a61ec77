// Preloaded into the ranks of a program, it makes the disk of one of them fail: on rank BROKEN_RANK, whatever is
// written to files whose names contain BROKEN_FILE, after the first BROKEN_AFTER times.

#include <dlfcn.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace
{
std::string_view variable(const char* name)
{
    const char* const text = std::getenv(name);
    return text == nullptr ? std::string_view() : text;
}

bool is_broken(int descriptor)
{
    static std::atomic<int> times = 0;
    std::array<char, 64> link{};
    std::array<char, 4096> name{};
    std::snprintf(link.data(), link.size(), "/proc/self/fd/%d", descriptor);
    const auto length = readlink(link.data(), name.data(), name.size());
    const auto file = variable("BROKEN_FILE");
    return length > 0 && !file.empty() && variable("OMPI_COMM_WORLD_RANK") == variable("BROKEN_RANK") &&
           std::string_view(name.data(), static_cast<std::size_t>(length)).find(file) != std::string_view::npos &&
           times++ >= std::atoi(variable("BROKEN_AFTER").data());
}

template <class... Arguments>
ssize_t write_unless_broken(const char* call, int descriptor, const void* bytes, std::size_t count, Arguments... where)
{
    if (is_broken(descriptor))
    {
        errno = EIO;
        return -1;
    }
    using Function = ssize_t (*)(int, const void*, std::size_t, Arguments...);
    return reinterpret_cast<Function>(dlsym(RTLD_NEXT, call))(descriptor, bytes, count, where...);
}
}  // namespace

extern "C" ssize_t write(int descriptor, const void* bytes, std::size_t count)
{
    return write_unless_broken("write", descriptor, bytes, count);
}

extern "C" ssize_t pwrite(int descriptor, const void* bytes, std::size_t count, off_t place)
{
    return write_unless_broken("pwrite", descriptor, bytes, count, place);
}

extern "C" ssize_t pwrite64(int descriptor, const void* bytes, std::size_t count, off64_t place)
{
    return write_unless_broken("pwrite64", descriptor, bytes, count, place);
}

// Preloaded into a program, it makes locks fail as file systems without them do: flock with ENOTSUPP, which the kernel
// has for itself and network file systems let out, or as NO_LOCKS_FLOCK says; those of fcntl with ENOSYS.

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>
#include <cstdarg>
#include <cstdlib>

namespace
{
constexpr int enotsupp = 524;

bool is_lock(int command)
{
    return command == F_SETLK || command == F_SETLKW || command == F_GETLK || command == F_OFD_SETLK ||
           command == F_OFD_SETLKW || command == F_OFD_GETLK;
}

int pass_on(const char* name, int descriptor, int command, void* argument)
{
    if (is_lock(command))
    {
        errno = ENOSYS;
        return -1;
    }
    using Function = int (*)(int, int, void*);
    return reinterpret_cast<Function>(dlsym(RTLD_NEXT, name))(descriptor, command, argument);
}
}  // namespace

extern "C" int flock(int, int) noexcept
{
    const char* number = std::getenv("NO_LOCKS_FLOCK");
    errno = number == nullptr ? enotsupp : std::atoi(number);
    return -1;
}

extern "C" int fcntl(int descriptor, int command, ...)
{
    va_list arguments;
    va_start(arguments, command);
    void* argument = va_arg(arguments, void*);
    va_end(arguments);
    return pass_on("fcntl", descriptor, command, argument);
}

extern "C" int fcntl64(int descriptor, int command, ...)
{
    va_list arguments;
    va_start(arguments, command);
    void* argument = va_arg(arguments, void*);
    va_end(arguments);
    return pass_on("fcntl64", descriptor, command, argument);
}

// What has to be done before the libraries of the program are set up, since they would fail in their own words, or not
// end at all, where there is too little memory or where no threads can be started: the program's .preinit_array runs
// before their constructors. Nothing but system calls, and functions of the C library that take no memory, may be used
// here.

#include "src/cli/before_main.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "io/ranks/process_limits.hpp"

namespace
{
using paws::ranks::MemoryLimit;

constexpr int bad_input = 2;

/// What the libraries take when they are set up, and a command that computes nothing, as measured; and each thread that
/// the BLAS library starts then.
constexpr std::uint64_t for_libraries = std::uint64_t{160} << 20U;
constexpr std::uint64_t for_blas_thread = std::uint64_t{136} << 20U;
/// For MPI, the watch over the ranks, the loader, the checkpoints.
constexpr std::size_t further_threads = 12;

sigset_t mask_of_parent;

/// The value of NAME in `variables`, which end with a null pointer; null if it has none.
const char* value_of(const char* name, char** variables)
{
    const auto length = std::strlen(name);
    for (; *variables != nullptr; ++variables)
    {
        if (std::strncmp(*variables, name, length) == 0 && (*variables)[length] == '=')
        {
            return *variables + length + 1;
        }
    }
    return nullptr;
}

/// Of several ranks on a node, one is enough to say what is wrong with the node.
bool speaks(char** variables)
{
    for (const char* name : {"OMPI_COMM_WORLD_LOCAL_RANK", "MPI_LOCALRANKID", "PMI_RANK", "SLURM_LOCALID"})
    {
        if (const char* const rank = value_of(name, variables))
        {
            return std::atoi(rank) == 0;
        }
    }
    return true;
}

/// As many as OpenBLAS starts, the calling one included.
std::size_t blas_threads(char** variables)
{
    const auto cores = paws::ranks::usable_cores();
    for (const char* name : {"OPENBLAS_NUM_THREADS", "GOTO_NUM_THREADS", "OMP_NUM_THREADS"})
    {
        const char* const text = value_of(name, variables);
        if (const auto number = text == nullptr ? 0 : std::atoi(text); number > 0)
        {
            return std::min(cores, static_cast<std::size_t>(number));
        }
    }
    return cores;
}

/// A descriptor that is closed would be given to the next file, and what is printed would end up in that. Opened the
/// other way round, so that whoever uses it is told that it is of no use.
void occupy_standard_descriptors()
{
    for (const int number : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    {
        if (fcntl(number, F_GETFD) < 0 && errno == EBADF)
        {
            static_cast<void>(open("/dev/null", number == STDIN_FILENO ? O_WRONLY : O_RDONLY));
        }
    }
}

void hold_signals_back()
{
    sigset_t signals;
    sigemptyset(&signals);
    for (const int number : {SIGTERM, SIGHUP, SIGXCPU, SIGUSR1, SIGUSR2})
    {
        sigaddset(&signals, number);
    }
    sigprocmask(SIG_BLOCK, &signals, &mask_of_parent);
}

[[noreturn]] void refuse(const char* text, char** variables)
{
    if (speaks(variables))
    {
        static_cast<void>(!write(STDERR_FILENO, text, std::strlen(text)));
    }
    _exit(bad_input);
}

void require_memory(std::size_t threads, char** variables)
{
    const auto needed = for_libraries + (threads - 1) * for_blas_thread;
    const auto limits = paws::ranks::memory_limits();
    for (const MemoryLimit* const limit : {&limits.address_space, &limits.data})
    {
        if (!limit->exists() || limit->left() >= needed)
        {
            continue;
        }
        std::array<char, 32> most{};
        std::array<char, 32> wanted{};
        paws::ranks::write_gibibytes(limit->most, most);
        paws::ranks::write_gibibytes(limit->used + needed, wanted);
        std::array<char, 512> text{};
        std::snprintf(text.data(), text.size(),
                      "paws_hpc: %s is limited to %s (%s), and %s are needed to start with %zu thread%s of the BLAS "
                      "library; raise the limit%s\n",
                      limit->name, most.data(), limit->setting, wanted.data(), threads, threads == 1 ? "" : "s",
                      threads == 1 ? "" : ", or set OPENBLAS_NUM_THREADS=1 in the environment");
        refuse(text.data(), variables);
    }
}

/// MPI, files and sockets of ranks: what runs on one node take, and some to spare.
void require_descriptors(char** variables)
{
    constexpr std::size_t needed = 64;
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= needed)
    {
        return;
    }
    std::array<char, 256> text{};
    std::snprintf(
        text.data(), text.size(),
        "paws_hpc: a process may have %zu files open (ulimit -n), and %zu are needed to start; raise the limit\n",
        static_cast<std::size_t>(limit.rlim_cur), needed);
    refuse(text.data(), variables);
}

void require_threads(std::size_t threads, char** variables)
{
    const auto wanted = threads - 1 + further_threads;
    const auto found = paws::ranks::startable_threads(wanted);
    if (found < wanted)
    {
        std::array<char, 512> text{};
        std::snprintf(text.data(), text.size(),
                      "paws_hpc: %zu threads are needed to start, and the system starts %zu; raise the limit on "
                      "processes (ulimit -u, pids.max of the control group), or end others of yours\n",
                      wanted, found);
        refuse(text.data(), variables);
    }
}

extern "C" void before_libraries(int, char**, char** variables)
{
    occupy_standard_descriptors();
    hold_signals_back();
    const auto threads = blas_threads(variables);
    require_descriptors(variables);
    require_memory(threads, variables);
    require_threads(threads, variables);
}

[[gnu::section(".preinit_array"), gnu::used]] void (*const entry)(int, char**, char**) = &before_libraries;
}  // namespace

namespace paws::cli
{
void let_signals_through()
{
    sigprocmask(SIG_SETMASK, &mask_of_parent, nullptr);
}
}  // namespace paws::cli

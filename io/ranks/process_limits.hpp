#pragma once

// What the system lets this process have. Nothing here takes memory from the heap or needs a library that is set up: it
// may be asked before the program's libraries are.

#include <sched.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace paws::ranks
{
/// One of the limits on memory, in bytes.
struct MemoryLimit
{
    static constexpr std::uint64_t none = std::numeric_limits<std::uint64_t>::max();

    const char* name = "";     ///< "the address space of a process"
    const char* setting = "";  ///< what sets it: "ulimit -v"
    std::uint64_t most = none;
    std::uint64_t used = 0;  ///< by this process; of a group by all in it, what the system keeps of files included

    bool exists() const { return most != none; }
    std::uint64_t left() const { return most > used ? most - used : 0; }
};

struct MemoryLimits
{
    std::uint64_t resident = 0;  ///< what of this process is in memory
    MemoryLimit address_space;   ///< what is mapped, whether it is in use or not
    MemoryLimit data;            ///< of that, what is private and can be written to
    MemoryLimit group;           ///< what is in use in the control group of a container or job, by all in it
};

MemoryLimits memory_limits() noexcept;

/// The cores that this thread may run on, as those that it starts; empty if the system does not say.
cpu_set_t usable_core_set() noexcept;
/// How many these are, at least 1.
std::size_t usable_cores() noexcept;

/// Starts so many threads at once, with stacks of so many bytes (0: of the usual size), and ends them again; gives how
/// many there were. Fewer where limits on processes (ulimit -u), on the threads of a control group or on memory do not
/// allow them.
std::size_t startable_threads(std::size_t wanted, std::size_t stack_bytes = 0) noexcept;

/// "1.3 GiB" into `text`.
void write_gibibytes(std::uint64_t bytes, std::array<char, 32>& text) noexcept;
}  // namespace paws::ranks

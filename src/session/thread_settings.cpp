#include "src/session/thread_settings.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <omp.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <string_view>

#include "io/base/quantity.hpp"
#include "io/ranks/process_limits.hpp"
#include "src/config/config.hpp"
#include "src/config/limits.hpp"

namespace paws::session
{
namespace
{
/// What the watch over the ranks, the loader and the checkpoints start beside.
constexpr std::size_t further_threads = 8;

/// Those whose names begin so, as NAME=VALUE, in order.
std::vector<std::string> variables_with(std::initializer_list<std::string_view> beginnings)
{
    std::vector<std::string> found;
    for (char** variable = environ; *variable != nullptr; ++variable)
    {
        const std::string_view text = *variable;
        if (std::any_of(beginnings.begin(), beginnings.end(), [&](auto begin) { return text.starts_with(begin); }))
        {
            found.emplace_back(text);
        }
    }
    std::sort(found.begin(), found.end());
    return found;
}

std::string with_variables(const std::string& message)
{
    const auto variables = openmp_variables();
    return variables.empty() ? message : fmt::format("{}; set in the environment: {}", message, variables);
}
}  // namespace

ThreadChoice choose_threads(std::int64_t wanted, std::int64_t cores, std::int64_t openmp_limit)
{
    if (wanted > openmp_limit)
    {
        throw config::Error(
            fmt::format("meta.threads is {}, but OpenMP gives {} at most: OMP_THREAD_LIMIT in the environment says so; "
                        "unset it, or set "
                        "meta.threads: {}",
                        wanted, openmp_limit, openmp_limit));
    }
    if (wanted > 0)
    {
        return {wanted, {}};
    }
    ThreadChoice choice{cores, {}};
    if (choice.count > config::most_threads)
    {
        choice.count = config::most_threads;
        choice.notes.push_back(
            fmt::format("this rank may use {} cores, and computes with {} threads, the most that Kokkos "
                        "has; more ranks a node use them all",
                        cores, choice.count));
    }
    if (choice.count > openmp_limit)
    {
        choice.notes.push_back(fmt::format("OMP_THREAD_LIMIT in the environment holds this rank to {} of {} threads",
                                           openmp_limit, choice.count));
        choice.count = openmp_limit;
    }
    return choice;
}

std::vector<std::string> take_kokkos_variables()
{
    std::vector<std::string> notes;
    for (const auto& variable : variables_with({"KOKKOS_"}))
    {
        const auto name = variable.substr(0, variable.find('='));
        constexpr std::array harmless{"KOKKOS_PROFILE_LIBRARY", "KOKKOS_PRINT_CONFIGURATION"};
        if (name.starts_with("KOKKOS_TOOLS_") || std::find(harmless.begin(), harmless.end(), name) != harmless.end())
        {
            continue;
        }
        unsetenv(name.c_str());
        notes.push_back(
            fmt::format("{} in the environment has no effect; meta.threads and meta.device decide", variable));
    }
    return notes;
}

std::string openmp_variables()
{
    return fmt::format("{}", fmt::join(variables_with({"OMP_", "GOMP_", "KMP_"}), ", "));
}

std::size_t openmp_stack_bytes()
{
    for (const char* name : {"OMP_STACKSIZE", "GOMP_STACKSIZE"})
    {
        const char* const value = std::getenv(name);
        const std::string text = value == nullptr ? "" : value;
        std::uint64_t number = 0;
        const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
        const std::string unit(parsed.ptr, static_cast<const char*>(text.data() + text.size()));
        if (parsed.ec != std::errc{} || unit.size() > 1)
        {
            continue;
        }
        switch (unit.empty() ? 'K' : unit.front())
        {
            case 'B':
            case 'b':
                return number;
            case 'K':
            case 'k':
                return number << 10U;
            case 'M':
            case 'm':
                return number << 20U;
            case 'G':
            case 'g':
                return number << 30U;
            default:
                break;
        }
    }
    return 0;
}

void start_openmp(std::int64_t count)
{
    // OMP_DYNAMIC and OMP_MAX_ACTIVE_LEVELS=0 would give fewer.
    omp_set_dynamic(0);
    omp_set_max_active_levels(std::max(1, omp_get_max_active_levels()));
    omp_set_num_threads(static_cast<int>(count));
    const auto wanted = static_cast<std::size_t>(count) - 1;
    // OpenMP itself ends the process where it cannot start one.
    const auto stack = openmp_stack_bytes();
    const auto with_stack = ranks::startable_threads(wanted, stack);
    const auto found = with_stack < wanted ? with_stack : ranks::startable_threads(wanted + further_threads);
    if (with_stack < wanted || found < wanted + further_threads)
    {
        throw config::Error(with_variables(fmt::format(
            "{} cannot be started on this rank, the system starts {} more; set meta.threads to fewer, or "
            "raise the limits on processes (ulimit -u, pids.max of the control group) and memory (ulimit -v)",
            io::plural(count, "thread"), found)));
    }
    int started = 0;
#pragma omp parallel
    {
#pragma omp single
        started = omp_get_num_threads();
    }
    if (started != count)
    {
        throw config::Error(with_variables(
            fmt::format("OpenMP starts {} instead of {}; set meta.threads: {}, or unset what holds it back",
                        io::plural(started, "thread"), count, started)));
    }
}
}  // namespace paws::session

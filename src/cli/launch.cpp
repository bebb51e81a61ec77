#include "src/cli/launch.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <exception>
#include <optional>

#include "io/base/printable.hpp"
#include "io/base/say.hpp"
#include "io/files/atomic_file.hpp"
#include "io/hdf5/collective_file.hpp"
#include "io/ranks/agreed.hpp"
#include "io/ranks/launcher.hpp"
#include "io/ranks/session.hpp"
#include "src/comm/device_communicator.hpp"
#include "src/comm/last_words.hpp"
#include "src/comm/watch.hpp"
#include "src/config/config.hpp"

namespace paws::cli
{
namespace
{
using std::chrono::milliseconds;

/// A rank that lives, but does not come to a collective call, may be reading, evaluating or writing meanwhile.
milliseconds deadline_of_calls(milliseconds timeout)
{
    return 10 * timeout;
}

/// For what ends a process from threads that nobody waits for.
comm::Watch* watch_of_process = nullptr;

/// In one line: that of bad input can only be broken by a name in it.
ranks::Failure failure_of(const std::exception_ptr& error)
{
    auto failure = ranks::failure_of(error);
    failure.message = io::printable(failure.message);
    return failure;
}

[[noreturn]] void report_and_end()
{
    if (const auto error = std::current_exception(); error && watch_of_process != nullptr)
    {
        watch_of_process->fail(failure_of(error));
    }
    std::abort();
}

void print_failure(const ranks::Failure& failure)
{
    std::fflush(stdout);
    io::say_error(fmt::format("paws_hpc: {}\n", failure.message));
}

int run_alone(const Work& work)
{
    try
    {
        comm::World alone;
        return work(alone);
    }
    catch (...)
    {
        const auto failure = failure_of(std::current_exception());
        print_failure(failure);
        return failure.code;
    }
}

/// The first thing that ranks do together, and in all versions the same.
void require_same_version(const ranks::Group& group, const std::string& identity)
{
    if (const auto found = ranks::find_disagreement(group, identity))
    {
        group.refuse(fmt::format("{}: it runs {}, but {} runs {}; start the same installation everywhere", found->rank,
                                 found->text, found->first, found->text_of_first));
    }
}

/// Returns if all ranks ended well, or all with the same failure.
int run_together(const std::string& identity, const Work& work, std::optional<comm::Watch>& watch)
{
    int code = ranks::success;
    // Not destroyed if this rank fails alone: ending a communicator may take all of its ranks.
    auto world = comm::make_world(MPI_COMM_WORLD, deadline_of_calls(first_timeout));
    try
    {
        require_same_version(world.group(), identity);
        watch.emplace(*world.communicator, first_timeout);
        watch_of_process = &*watch;
        std::set_terminate(&report_and_end);
        code = work(world);
    }
    catch (...)
    {
        const auto error = std::current_exception();
        const auto failure = failure_of(error);
        if (!world.group().knows(error))
        {
            if (watch)
            {
                watch->fail(failure);
            }
            throw;
        }
        code = failure.code;
        if (world.is_first())
        {
            print_failure(failure);
        }
    }
    // Whoever is done waits here, watched, for those who are not.
    world.communicator->barrier();
    if (io::CollectiveFile::is_one_left_open())
    {
        std::fflush(stdout);
        io::exit_without_temporaries(code);
    }
    return code;
}
}  // namespace

void set_timeout(comm::World& world, milliseconds timeout)
{
    if (watch_of_process != nullptr && deadline_of_calls(timeout) != world.group().deadline())
    {
        watch_of_process->set_timeout(timeout);
        const auto device = world.device;
        world = comm::make_world(MPI_COMM_WORLD, deadline_of_calls(timeout));
        use_device(world, device);
    }
}

void use_device(comm::World& world, const c10::Device& device)
{
    world.device = device;
    world.communicator = comm::communicator_on_device(world.communicator, device, world.group().deadline(),
                                                      [](const std::string& message) {
                                                          watch_of_process->fail({message, ranks::failed, true});
                                                      });
}

int launch(int argc, char** argv, const std::string& identity, const Work& work)
{
    const auto launcher = ranks::launcher_of_environment();
    // Outlives MPI, whose end takes all ranks.
    std::optional<comm::Watch> watch;
    try
    {
        std::optional<comm::LastWords> words(ranks::words_if_mpi_does_not_start());
        const ranks::Session mpi(argc, argv);
        words.reset();
        const auto started = ranks::Group(MPI_COMM_WORLD).size();
        if (const auto confusion = ranks::launcher_confusion(launcher, started); !confusion.empty())
        {
            if (launcher.is_first())
            {
                print_failure({confusion, ranks::bad_input});
            }
            return ranks::bad_input;
        }
        return started == 1 ? run_alone(work) : run_together(identity, work, watch);
    }
    catch (...)
    {
        const auto failure = failure_of(std::current_exception());
        if (watch)
        {
            watch->fail(failure);
        }
        print_failure(failure);
        return failure.code;
    }
}
}  // namespace paws::cli

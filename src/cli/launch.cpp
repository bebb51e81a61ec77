#include "src/cli/launch.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <exception>
#include <optional>

#include "io/base/say.hpp"
#include "src/comm/agreement.hpp"
#include "src/comm/device_communicator.hpp"
#include "src/comm/launcher.hpp"
#include "src/comm/mpi_session.hpp"
#include "src/comm/watch.hpp"
#include "src/config/config.hpp"
#include "src/session/agreed.hpp"

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

[[noreturn]] void report_and_end()
{
    if (const auto error = std::current_exception(); error && watch_of_process != nullptr)
    {
        watch_of_process->fail(session::failure_of(error));
    }
    std::abort();
}

void print_failure(const comm::Failure& failure)
{
    std::fflush(stdout);
    io::say_error(fmt::format("paws_hpc: {}\n", comm::first_line(failure.message)));
}

int run_alone(const std::function<int(Ranks&)>& work)
{
    try
    {
        Ranks alone;
        return work(alone);
    }
    catch (...)
    {
        const auto failure = session::failure_of(std::current_exception());
        print_failure(failure);
        return failure.code;
    }
}

/// The first thing that ranks do together, and in all versions the same.
void require_same_version(comm::Communicator& communicator, const std::string& identity)
{
    if (const auto found = comm::find_disagreement(communicator, identity))
    {
        throw comm::AgreedFailure(fmt::format("{}: it runs {}, but {} runs {}; start the same installation everywhere",
                                              found->rank, found->text, found->first, found->text_of_first),
                                  comm::bad_input);
    }
}

/// Returns if all ranks ended well, or all with the same failure.
int run_together(const std::string& identity, const std::function<int(Ranks&)>& work, std::optional<comm::Watch>& watch)
{
    int code = comm::success;
    // Not destroyed if this rank fails alone: ending a communicator may take all of its ranks.
    auto world = comm::make_world(MPI_COMM_WORLD, deadline_of_calls(first_timeout));
    std::optional<Ranks> ranks;
    try
    {
        require_same_version(*world.communicator, identity);
        watch.emplace(*world.communicator, first_timeout);
        watch_of_process = &*watch;
        std::set_terminate(&report_and_end);
        ranks.emplace(*watch, world);
        code = work(*ranks);
    }
    catch (...)
    {
        const auto error = std::current_exception();
        const auto failure = session::failure_of(error);
        try
        {
            std::rethrow_exception(error);
        }
        catch (const comm::AgreedFailure&)
        {
            code = failure.code;
        }
        catch (...)
        {
            if (watch)
            {
                watch->fail(failure);
            }
            throw;
        }
        if (world.is_first())
        {
            print_failure(failure);
        }
    }
    // Whoever is done waits here, watched, for those who are not.
    world.communicator->barrier();
    return code;
}
}  // namespace

void Ranks::set_timeout(milliseconds timeout)
{
    if (watch_ != nullptr && timeout != timeout_)
    {
        timeout_ = timeout;
        watch_->set_timeout(timeout);
        const auto device = world_.device;
        world_ = comm::make_world(MPI_COMM_WORLD, deadline_of_calls(timeout));
        use_device(device);
    }
}

void Ranks::use_device(const torch::Device& device)
{
    world_.device = device;
    world_.communicator = comm::communicator_on_device(world_.communicator, device, deadline_of_calls(timeout_),
                                                       [watch = watch_](const std::string& message) {
                                                           watch->fail({message, comm::failed, true});
                                                       });
}

int launch(int argc, char** argv, const std::string& identity, const std::function<int(Ranks&)>& work)
{
    const auto launcher = comm::launcher_of_environment();
    // Outlives MPI, whose end takes all ranks.
    std::optional<comm::Watch> watch;
    try
    {
        const comm::MpiSession mpi(argc, argv);
        if (const auto confusion = comm::launcher_confusion(launcher, mpi.world_size()); !confusion.empty())
        {
            if (launcher.is_first())
            {
                print_failure({confusion, comm::bad_input});
            }
            return comm::bad_input;
        }
        return mpi.world_size() == 1 ? run_alone(work) : run_together(identity, work, watch);
    }
    catch (...)
    {
        const auto failure = session::failure_of(std::current_exception());
        if (watch)
        {
            watch->fail(failure);
        }
        print_failure(failure);
        return failure.code;
    }
}
}  // namespace paws::cli

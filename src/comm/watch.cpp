#include "src/comm/watch.hpp"

#include <fmt/format.h>
#include <mpi.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>

#include <random>
#include <thread>

#include "io/base/host_name.hpp"
#include "io/base/say.hpp"
#include "io/files/atomic_file.hpp"
#include "src/comm/agreement.hpp"
#include "src/comm/watch_loop.hpp"

namespace paws::comm
{
namespace
{
constexpr auto patience_with_rank_0 = std::chrono::seconds(10);

std::string random_token()
{
    std::random_device source;
    std::string token;
    for (int i = 0; i < 4; ++i)
    {
        token += fmt::format("{:08x}", source());
    }
    return token;
}

/// Rank 0 holds a connection to every rank, beside all the files of the run.
void allow_many_files(std::size_t ranks)
{
    constexpr rlim_t for_the_run = 512;
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < ranks + for_the_run)
    {
        limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, ranks + for_the_run);
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

/// The connection to rank 0, which has said welcome.
std::optional<Channel> call_rank_0(const Muster& muster)
{
    const auto& first = muster.ranks.front();
    const auto& mine = muster.ranks[static_cast<std::size_t>(muster.rank)];
    auto socket = call(first, first.on_machine_of(mine), patience_with_rank_0);
    if (!socket)
    {
        return std::nullopt;
    }
    Channel channel(std::move(socket));
    channel.send(WatchLoop::hello(muster));
    const auto answer = channel.wait_for_line(patience_with_rank_0);
    return answer == "welcome" ? std::optional(std::move(channel)) : std::nullopt;
}
}  // namespace

class Watch::Thread
{
public:
    Thread(Muster muster, Socket listener, std::optional<Channel> leader, std::chrono::milliseconds timeout)
        : loop(std::move(muster), std::move(listener), std::move(leader), timeout)
    {
        // Signals are for the other threads, whose handlers and system calls expect them.
        sigset_t all;
        sigset_t before;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        thread_ = std::thread([this] { run(); });
        pthread_sigmask(SIG_SETMASK, &before, nullptr);
        pthread_setname_np(thread_.native_handle(), "paws-watch");
    }
    ~Thread()
    {
        loop.stop();
        thread_.join();
    }
    Thread(const Thread&) = delete;
    Thread& operator=(const Thread&) = delete;

    WatchLoop loop;

private:
    void run() noexcept
    {
        try
        {
            loop.run();
        }
        catch (const std::exception& error)
        {
            io::say_error(fmt::format("paws_hpc: the watch over the ranks failed: {}\n", first_line(error.what())));
            io::exit_without_temporaries(failed);
        }
    }

    std::thread thread_;
};

Watch::Watch(Communicator& communicator, std::chrono::milliseconds timeout) : rank_(communicator.rank())
{
    int port = 0;
    auto listener = listen_anywhere(port);
    Muster muster;
    muster.rank = rank_;
    for (const auto& line : gather_texts(communicator, own_endpoint(port).encoded()))
    {
        muster.ranks.push_back(Endpoint::decoded(line));
    }
    muster.token = broadcast_text(communicator, rank_ == 0 ? random_token() : "", 0);
    const auto ranks = muster.ranks.size();
    if (rank_ == 0 && listener)
    {
        allow_many_files(ranks);
        thread_ = std::make_unique<Thread>(std::move(muster), std::move(listener), std::nullopt, timeout);
    }
    else if (rank_ != 0)
    {
        if (auto leader = call_rank_0(muster))
        {
            thread_ = std::make_unique<Thread>(std::move(muster), std::move(listener), std::move(leader), timeout);
        }
    }
    const auto unwatched = torch::tensor({std::int64_t{thread_ == nullptr}}, torch::kInt64);
    communicator.all_reduce(unwatched);
    if (const auto count = unwatched.item<std::int64_t>(); count > 0 && rank_ == 0)
    {
        io::say(fmt::format(
            "note: {} of {} ranks cannot reach rank 0 over TCP (a firewall between nodes?); if one of them fails, the "
            "others notice only when they wait for it in vain\n",
            count, ranks));
    }
}

Watch::~Watch() = default;

void Watch::set_timeout(std::chrono::milliseconds timeout)
{
    if (thread_)
    {
        thread_->loop.set_timeout(timeout);
    }
}

void Watch::fail(const Failure& failure)
{
    if (thread_)
    {
        thread_->loop.fail(failure.may_follow ? Cause::waiting : Cause::failed, failure.code, failure.message);
        // The watch's thread ends the process.
        while (true)
        {
            std::this_thread::sleep_for(std::chrono::hours(1));
        }
    }
    // Nobody to tell but the launcher. Where all waited in vain for the same rank, one line is enough.
    if (failure.may_follow && rank_ != 0)
    {
        std::this_thread::sleep_for(std::chrono::seconds(2));
    }
    io::say_error(fmt::format("paws_hpc: {}: {}\n", rank_on_host(rank_, io::host_name()), first_line(failure.message)));
    MPI_Abort(MPI_COMM_WORLD, failure.code);
    io::exit_without_temporaries(failure.code);
}
}  // namespace paws::comm

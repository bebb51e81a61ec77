#include "src/comm/watch.hpp"

#include <fmt/format.h>
#include <mpi.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <functional>
#include <random>
#include <sstream>
#include <string_view>
#include <utility>

#include "io/base/printable.hpp"
#include "io/base/say.hpp"
#include "io/files/atomic_file.hpp"
#include "io/ranks/agreed.hpp"
#include "io/ranks/host_name.hpp"

namespace paws::comm
{
namespace
{
using namespace std::chrono_literals;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr milliseconds slowest_beat = 1s;
constexpr milliseconds patience_with_unknown = 10s;

// What a handler may know is what is global.
int descriptor_of_watch = -1;
constexpr std::string_view told_by_handler =
    "fail 4 143 ended by SIGTERM; the job was cancelled, its time was over, or the launcher gave up\n";
static_assert(static_cast<int>(Cause::signalled) == 4 && 128 + SIGTERM == 143);

extern "C" void tell_watch(int)
{
    const int before = errno;
    static_cast<void>(!write(descriptor_of_watch, told_by_handler.data(), told_by_handler.size()));
    errno = before;
}

/// Leaves alone what another has installed.
void replace_sigterm_handler(void (*old)(int), void (*replacement)(int))
{
    struct sigaction action = {};
    if (sigaction(SIGTERM, nullptr, &action) == 0 && action.sa_handler == old)
    {
        action.sa_handler = replacement;
        action.sa_flags = SA_RESTART;
        sigaction(SIGTERM, &action, nullptr);
    }
}

/// Rank 0 holds a connection to every rank, beside all the files of the run.
void allow_many_files(rlim_t ranks)
{
    constexpr rlim_t for_the_run = 512;
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
    {
        limit.rlim_cur = std::clamp(ranks + for_the_run, limit.rlim_cur, limit.rlim_max);
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

/// Signals are for the threads that work: a handler may wait for what the watch is to do. Not those of a thread's own
/// faults.
std::thread thread_without_signals(std::function<void()> work)
{
    sigset_t blocked, before;
    sigfillset(&blocked);
    for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT})
    {
        sigdelset(&blocked, fault);
    }
    pthread_sigmask(SIG_SETMASK, &blocked, &before);
    std::thread thread(std::move(work));
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    return thread;
}

/// A message of one line that any channel takes, together with what comes before it.
std::string shortened(std::string message)
{
    constexpr auto longest = Channel::longest_line / 8;
    if (message.size() > longest)
    {
        auto end = longest;
        while (end > 0 && (static_cast<unsigned char>(message[end]) & 0xC0U) == 0x80U)
        {
            --end;
        }
        message.resize(end);
        message += "…";
    }
    return message;
}

/// Of a line "fail CAUSE CODE TEXT".
Report report_of(int rank, const std::string& line)
{
    std::istringstream words(line);
    std::string kind;
    int cause = 0;
    Report report;
    words >> kind >> cause >> report.code >> std::ws;
    std::getline(words, report.message);
    report.rank = rank;
    report.cause = static_cast<Cause>(cause);
    return report;
}

std::optional<Channel> call_leader(const RankTable& table, int leader, milliseconds patience)
{
    auto channel = call(table.endpoints[static_cast<std::size_t>(leader)], patience);
    if (channel)
    {
        channel->send(fmt::format("hello {} {}", table.token, table.rank));
    }
    return channel;
}

RankTable introduce(Communicator& communicator)
{
    RankTable table;
    table.rank = communicator.rank();
    table.endpoints = communicator.group().gather_texts(table.listener.endpoint());
    std::random_device random;
    table.token =
        communicator.group().broadcast(fmt::format("{:x}-{:x}-{:x}-{:x}", random(), random(), random(), random()));
    if (table.rank == 0)
    {
        allow_many_files(table.endpoints.size());
    }
    else if (auto channel = call_leader(table, 0, patience_with_unknown);
             channel && channel->wait_for_line(patience_with_unknown) == "welcome")
    {
        table.leader.emplace(std::move(*channel));
    }
    return table;
}
}  // namespace

Watch::Watch(Communicator& communicator, milliseconds timeout) : Watch(introduce(communicator), timeout)
{
    const auto watched = communicator.group().gather_texts(thread_.joinable() ? "yes" : "no");
    if (const auto count = std::count(watched.begin(), watched.end(), "no"); count > 0 && table_.rank == 0)
    {
        io::say(fmt::format(
            "note: {} of {} ranks cannot reach rank 0 over TCP (a firewall between nodes?); if one of them fails, the "
            "others notice only when they wait for it in vain\n",
            count, watched.size()));
    }
}

Watch::Watch(RankTable table, milliseconds timeout)
    : table_(std::move(table)), timeout_(timeout), verdict_(3 * slowest_beat)
{
    std::array<int, 2> ends{};
    const bool is_watched = table_.leader || (table_.rank == 0 && table_.listener.number() >= 0);
    if (!is_watched || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()) != 0)
    {
        return;
    }
    to_watch_.emplace(ends[0]);
    descriptor_of_watch = ends[0];
    peers_.push_back({Channel(ends[1]), table_.rank});
    if (table_.leader)
    {
        peers_.push_back({std::move(*table_.leader), 0});
    }
    replace_sigterm_handler(SIG_DFL, &tell_watch);
    thread_ = thread_without_signals([this] { run(); });
    pthread_setname_np(thread_.native_handle(), "paws-watch");
}

Watch::~Watch()
{
    if (thread_.joinable())
    {
        replace_sigterm_handler(&tell_watch, SIG_DFL);
        descriptor_of_watch = -1;
        to_watch_->send("stop");
        thread_.join();
    }
}

void Watch::fail(const ranks::Failure& failure)
{
    const auto message = shortened(io::printable(ranks::first_line(failure.message)));
    if (thread_.joinable() && thread_.get_id() != std::this_thread::get_id())
    {
        const auto cause = failure.may_follow ? Cause::waiting : Cause::failed;
        to_watch_->send(fmt::format("fail {} {} {}", static_cast<int>(cause), failure.code, message));
        // The watch's thread ends the process.
        while (true)
        {
            std::this_thread::sleep_for(1h);
        }
    }
    // Nobody to tell but the launcher. Where all waited in vain for the same rank, one line is enough.
    if (failure.may_follow && table_.rank != 0)
    {
        std::this_thread::sleep_for(2s);
    }
    io::say_error(fmt::format("paws_hpc: {}: {}\n", name_of(table_.rank), message));
    MPI_Abort(MPI_COMM_WORLD, failure.code);
    io::exit_without_temporaries(failure.code);
}

bool Watch::watches(const Peer& peer) const
{
    return is_rank(peer) && (leads() || peer.rank == leader_) && end_line_.empty();
}

milliseconds Watch::beat_interval() const
{
    return std::clamp(timeout_.load() / 4, milliseconds(1), slowest_beat);
}

std::string Watch::name_of(int rank) const
{
    const auto& endpoint = table_.endpoints[static_cast<std::size_t>(rank)];
    return ranks::rank_on_host(rank, endpoint.substr(0, endpoint.find(' ')));
}

void Watch::run()
{
    auto next_beat = Clock::now();
    for (listen(next_beat); !is_stopping_; listen(std::min(next_beat, verdict_.due())))
    {
        const auto now = Clock::now();
        if (now >= next_beat)
        {
            tell_all("beat");
            next_beat = now + beat_interval();
        }
        if (const auto report = verdict_.decided(now))
        {
            // A rank that waited in vain did so for a reason: one that has just fallen silent, if there is one.
            const auto silent = std::find_if(peers_.begin(), peers_.end(),
                                             [this](const Peer& peer)
                                             { return watches(peer) && 2 * peer.silence > 5 * beat_interval(); });
            pronounce(report->cause == Cause::waiting && silent != peers_.end() ? of_loss(*silent) : *report);
        }
        // What thousands of ranks send one by one must not keep a core busy.
        std::this_thread::sleep_for(5ms);
    }
    tell_all("bye");
}

void Watch::listen(Clock::time_point until)
{
    std::vector<pollfd> polled{{table_.listener.number(), POLLIN, 0}};
    for (const auto& peer : peers_)
    {
        polled.push_back({peer.channel.number(), POLLIN, 0});
    }
    const auto patience = std::chrono::ceil<milliseconds>(until - Clock::now()).count();
    poll(polled.data(), polled.size(), static_cast<int>(std::max<std::int64_t>(0, patience)));
    while (auto caller = table_.listener.accept())
    {
        peers_.push_back({std::move(*caller)});
        polled.push_back({-1, POLLIN, POLLIN});
    }
    // A process that was stopped itself, by a job system for example, has not heard the others meanwhile.
    const auto now = Clock::now();
    const auto passed = std::min<nanoseconds>(now - std::exchange(last_look_, now), 2 * beat_interval());
    auto entry = polled.begin();
    for (auto& peer : peers_)
    {
        peer.silence += passed;
        peer.is_gone = ((++entry)->revents != 0 && !peer.channel.receive()) ||
                       (peer.rank < 0 && peer.silence > patience_with_unknown);
        while (const auto line = peer.channel.next_line())
        {
            understand(peer, *line);
        }
    }
    // After all that was said: where others have ended, a process that was stopped finds that when it wakes up, among
    // connections that are closed.
    for (const auto& peer : peers_)
    {
        if (watches(peer) && (peer.is_gone || peer.silence > timeout_.load()))
        {
            judge(of_loss(peer));
        }
    }
    peers_.remove_if([](const Peer& peer) { return peer.is_gone; });
}

void Watch::understand(Peer& peer, const std::string& line)
{
    std::istringstream words(line);
    std::string kind;
    words >> kind;
    peer.silence = 0s;
    if (peer.rank < 0)
    {
        std::string token;
        int rank = 0;
        words >> token >> rank;
        peer.is_gone = kind != "hello" || token != table_.token || rank < 1 || rank >= std::ssize(table_.endpoints);
        if (!peer.is_gone)
        {
            peer.rank = rank;
            peer.channel.send(end_line_.empty() ? "welcome" : end_line_);
        }
    }
    else if (kind == "end")
    {
        // Another rank has pronounced it: to be told to those who have called this one, too.
        int code = ranks::failed;
        words >> code;
        spread_end(line);
        io::exit_without_temporaries(code);
    }
    else if (kind == "fail" && leads())
    {
        verdict_.add(report_of(peer.rank, line), Clock::now());
    }
    else if (kind == "fail" && peer.rank == table_.rank)
    {
        own_failure_ = report_of(peer.rank, line);
        tell_all(line);
    }
    else if (kind == "bye")
    {
        peer.rank = -1;
        peer.is_gone = true;
    }
    is_stopping_ = is_stopping_ || (kind == "stop" && peer.rank == table_.rank);
}

void Watch::tell_all(const std::string& line)
{
    for (auto& peer : peers_)
    {
        if (is_rank(peer))
        {
            peer.channel.send(line);
        }
    }
}

Report Watch::of_loss(const Peer& peer)
{
    if (peer.is_gone)
    {
        return {peer.rank, Cause::lost, ranks::failed,
                "ended without a word; it was killed (for want of memory?), or crashed"};
    }
    return {peer.rank, Cause::silent, ranks::failed,
            fmt::format("gave no sign of life for {:.1f} s; it is stopped, or its node is down or out of reach",
                        std::chrono::duration<double>(peer.silence).count())};
}

/// If it was the leader that was lost, the lowest rank that answers takes its place; those in between are gone too. It
/// sees the same soon, and tells this rank what to end with.
void Watch::judge(const Report& loss)
{
    first_loss_ = first_loss_.value_or(loss);
    while (leader_ < table_.rank && ++leader_ < table_.rank)
    {
        if (auto channel = call_leader(table_, leader_, 1s))
        {
            peers_.push_back({std::move(*channel), leader_});
            return;
        }
    }
    // What this rank said to a leader that may not have heard it any more.
    if (own_failure_)
    {
        verdict_.add(*own_failure_, Clock::now());
    }
    verdict_.add(*first_loss_, Clock::now());
}

void Watch::spread_end(const std::string& line)
{
    end_line_ = line;
    tell_all(line);
    // Now, as launchers may kill this process too, soon after the first has ended.
    io::remove_temporaries();
    // What the main thread has printed, unless it is just doing so.
    if (ftrylockfile(stdout) == 0)
    {
        fflush_unlocked(stdout);
    }
}

void Watch::pronounce(const Report& report)
{
    const auto line = fmt::format("paws_hpc: {}: {}\n", name_of(report.rank), report.message);
    static_cast<void>(!write(STDERR_FILENO, line.data(), line.size()));
    spread_end(fmt::format("end {}", report.code));
    // Until all know, but launchers kill what is left a second or so after the first has ended. Whoever reads nothing
    // any more, because it is stopped, finds it when it wakes up. Those who call a new leader notice a silence beats
    // later.
    const int beats = table_.rank > 0 && report.cause == Cause::silent ? 2 : 0;
    const auto last = Clock::now() + 500ms + beats * beat_interval();
    while (Clock::now() < last && (table_.rank > 0 || peers_.size() > 1))
    {
        listen(last);
    }
    io::exit_without_temporaries(report.code);
}
}  // namespace paws::comm

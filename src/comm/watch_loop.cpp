#include "src/comm/watch_loop.hpp"

#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <sstream>

#include "io/files/atomic_file.hpp"
#include "src/comm/agreement.hpp"

namespace paws::comm
{
namespace
{
using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr auto slowest_beat = milliseconds(1000);
constexpr auto patience_with_strangers = std::chrono::seconds(10);
constexpr auto patience_with_calls = milliseconds(1000);
/// Launchers kill what is left a second or so after the first process has ended.
constexpr auto longest_goodbye = milliseconds(500);
constexpr int by_sigterm = 128 + 15;

/// What the main thread has printed, unless it is just doing so.
void flush_stdout()
{
    if (ftrylockfile(stdout) == 0)
    {
        fflush_unlocked(stdout);
        funlockfile(stdout);
    }
}

void print_line(const std::string& text)
{
    const auto line = text + "\n";
    static_cast<void>(!write(STDERR_FILENO, line.data(), line.size()));
}

std::string encoded(const Report& report)
{
    return fmt::format("fail {} {} {}", static_cast<int>(report.cause), report.code, report.message);
}

/// What comes after the first `words` words.
std::string rest_of(const std::string& line, int words)
{
    std::size_t begin = 0;
    for (int word = 0; word < words && begin != line.npos; ++word)
    {
        begin = line.find(' ', begin);
        begin += begin == line.npos ? 0 : 1;
    }
    return begin == line.npos ? "" : line.substr(begin);
}

bool is_end(const std::string& line)
{
    return line.starts_with("end ");
}
}  // namespace

WatchLoop::WatchLoop(Muster muster, Socket listener, std::optional<Channel> leader, milliseconds timeout)
    : muster_(std::move(muster)),
      listener_(std::move(listener)),
      poller_(epoll_create1(EPOLL_CLOEXEC)),
      wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      verdict_(3 * slowest_beat),
      timeout_(timeout.count())
{
    for (const int number : {wake_.number(), termination_.number(), listener_.number()})
    {
        epoll_event event{};
        event.events = EPOLLIN;
        epoll_ctl(poller_.number(), EPOLL_CTL_ADD, number, &event);
    }
    if (leader)
    {
        add(std::move(*leader), 0);
    }
}

std::string WatchLoop::hello(const Muster& muster)
{
    return fmt::format("hello {} {}", muster.token, muster.rank);
}

milliseconds WatchLoop::beat_interval() const
{
    return std::max(std::min(slowest_beat, timeout() / 4), milliseconds(1));
}

void WatchLoop::run()
{
    // What came together with rank 0's welcome.
    std::vector<Peer*> ready;
    for (auto& peer : peers_)
    {
        ready.push_back(&peer);
    }
    auto last_beat = Clock::now();
    auto next_beat = last_beat;
    while (true)
    {
        accept_callers(ready);
        listen_to(ready);
        take_own_failures();
        if (stopping_)
        {
            tell_all("bye");
            return;
        }
        const auto now = Clock::now();
        if (now >= next_beat)
        {
            // A process that was stopped itself, by a job system for example, has not heard the others meanwhile.
            look_for_the_silent(std::min<nanoseconds>(now - last_beat, 2 * beat_interval()));
            tell_all("beat");
            last_beat = now;
            next_beat = now + beat_interval();
        }
        if (const auto report = verdict_.decided(now))
        {
            pronounce(explained(*report));
        }
        ready = wait(std::min(next_beat, verdict_.due().value_or(next_beat)));
    }
}

void WatchLoop::stop()
{
    stopping_ = true;
    eventfd_write(wake_.number(), 1);
}

void WatchLoop::fail(Cause cause, int code, const std::string& message)
{
    const std::lock_guard lock(mutex_);
    failures_.push_back({muster_.rank, cause, code, first_line(message)});
    eventfd_write(wake_.number(), 1);
}

void WatchLoop::set_timeout(milliseconds timeout)
{
    timeout_ = timeout.count();
    eventfd_write(wake_.number(), 1);
}

void WatchLoop::add(Channel channel, int rank)
{
    auto& peer = peers_.emplace_back(std::move(channel), rank);
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.ptr = &peer;
    epoll_ctl(poller_.number(), EPOLL_CTL_ADD, peer.channel.number(), &event);
}

/// The peers that have something to say, if there are any before `until`.
std::vector<WatchLoop::Peer*> WatchLoop::wait(Clock::time_point until)
{
    std::array<epoll_event, 256> events;
    const auto patience = std::chrono::ceil<milliseconds>(until - Clock::now()).count();
    const int count = epoll_wait(poller_.number(), events.data(), static_cast<int>(events.size()),
                                 static_cast<int>(std::max<std::int64_t>(0, patience)));
    std::vector<Peer*> ready;
    for (int i = 0; i < count; ++i)
    {
        if (auto* const peer = static_cast<Peer*>(events[static_cast<std::size_t>(i)].data.ptr))
        {
            ready.push_back(peer);
        }
    }
    eventfd_t woken = 0;
    eventfd_read(wake_.number(), &woken);
    return ready;
}

void WatchLoop::listen_to(const std::vector<Peer*>& ready)
{
    std::vector<std::pair<Peer*, std::vector<std::string>>> heard;
    for (auto* const peer : ready)
    {
        auto& lines = heard.emplace_back(peer, std::vector<std::string>()).second;
        peer->is_gone = !peer->channel.receive(lines);
        if (peer->rank < 0 && !lines.empty())
        {
            welcome(*peer, lines.front());
            lines.erase(lines.begin());
        }
        // Before all else: where others have ended, what happened has been said. A process that was stopped finds this
        // when it wakes up, among connections that are closed.
        if (const auto end = std::find_if(lines.begin(), lines.end(), is_end); end != lines.end() && peer->rank >= 0)
        {
            pass_on(*end);
        }
    }
    for (const auto& [peer, lines] : heard)
    {
        for (const auto& line : lines)
        {
            understand(*peer, line);
        }
    }
    for (const auto& [peer, lines] : heard)
    {
        const bool is_watched = leads() ? peer->rank > 0 : peer->rank == 0;
        if (peer->is_gone && is_watched && !peer->is_done && end_line_.empty())
        {
            deliver(of_lost(peer->rank));
        }
    }
    if (std::any_of(heard.begin(), heard.end(), [](const auto& one) { return one.first->is_gone; }))
    {
        remove_gone();
    }
}

/// Who is calling, as the first line says.
void WatchLoop::welcome(Peer& peer, const std::string& line)
{
    std::istringstream words(line);
    std::string kind;
    std::string token;
    int rank = -1;
    words >> kind >> token >> rank;
    const bool is_known = kind == "hello" && token == muster_.token && words && rank > 0 &&
                          static_cast<std::size_t>(rank) < muster_.ranks.size();
    if (!is_known)
    {
        peer.is_gone = true;
        return;
    }
    peer.rank = rank;
    peer.silence = nanoseconds(0);
    if (!end_line_.empty())
    {
        peer.channel.send(end_line_);
        ++told_;
    }
    else if (leads())
    {
        peer.channel.send("welcome");
    }
}

void WatchLoop::understand(Peer& peer, const std::string& line)
{
    std::istringstream words(line);
    std::string kind;
    words >> kind;
    if (peer.rank < 0)
    {
        return;
    }
    peer.silence = nanoseconds(0);
    int cause = 0;
    Report report;
    report.rank = peer.rank;
    if (kind == "bye")
    {
        peer.is_done = true;
    }
    else if (kind == "fail" && leads() && end_line_.empty() && words >> cause >> report.code)
    {
        report.cause = static_cast<Cause>(cause);
        report.message = rest_of(line, 3);
        deliver(report);
    }
}

void WatchLoop::accept_callers(std::vector<Peer*>& ready)
{
    while (auto caller = accept_one(listener_))
    {
        add(Channel(std::move(caller)), -1);
        ready.push_back(&peers_.back());
    }
}

void WatchLoop::take_own_failures()
{
    std::vector<Report> failures;
    {
        const std::lock_guard lock(mutex_);
        failures.swap(failures_);
    }
    char byte = 0;
    if (read(termination_.number(), &byte, 1) == 1)
    {
        auto& told = failures.emplace_back();
        told.rank = muster_.rank;
        told.cause = Cause::signalled;
        told.code = by_sigterm;
        told.message = "ended by SIGTERM; the job was cancelled, its time was over, or the launcher gave up";
    }
    for (const auto& failure : failures)
    {
        deliver(failure);
    }
}

/// To where it is judged.
void WatchLoop::deliver(const Report& report)
{
    if (leads())
    {
        verdict_.add(report, Clock::now());
    }
    else if (report.rank == muster_.rank)
    {
        own_ = own_.value_or(report);
        tell_all(encoded(report));
    }
    else
    {
        succeed_the_leader(report);
    }
}

void WatchLoop::look_for_the_silent(nanoseconds passed)
{
    for (auto& peer : peers_)
    {
        peer.silence += passed;
        if (peer.rank < 0)
        {
            peer.is_gone = peer.silence > patience_with_strangers;
        }
        else if (peer.silence > timeout() && !peer.is_done && (leads() || peer.rank == 0))
        {
            deliver(of_silent(peer.rank, peer.silence));
        }
    }
    remove_gone();
}

void WatchLoop::remove_gone()
{
    peers_.remove_if([](const Peer& peer) { return peer.is_gone; });
}

void WatchLoop::tell_all(const std::string& line)
{
    for (auto& peer : peers_)
    {
        if (peer.rank >= 0)
        {
            peer.channel.send(line);
        }
    }
    for (auto& channel : asked_)
    {
        channel.send(line);
    }
}

Report WatchLoop::of_lost(int rank) const
{
    return {rank, Cause::lost, failed, "ended without a word; it was killed (for want of memory?), or crashed"};
}

Report WatchLoop::of_silent(int rank, nanoseconds silence) const
{
    return {rank, Cause::silent, failed,
            fmt::format("gave no sign of life for {:.1f} s; it is stopped, or its node is down or out of reach",
                        std::chrono::duration<double>(silence).count())};
}

/// A rank that waited in vain for another one did so for a reason: one that has just fallen silent, if there is one.
Report WatchLoop::explained(const Report& report) const
{
    if (report.cause == Cause::waiting)
    {
        const auto most = std::max_element(peers_.begin(), peers_.end(),
                                           [](const Peer& a, const Peer& b) { return a.silence < b.silence; });
        if (most != peers_.end() && most->rank > 0 && !most->is_done && 2 * most->silence > 5 * beat_interval())
        {
            return of_silent(most->rank, most->silence);
        }
    }
    return report;
}

/// Rank 0 is gone. Every rank asks all that are lower, from the lowest; the lowest living one finds nobody to ask.
void WatchLoop::succeed_the_leader(Report loss)
{
    for (int rank = 1; rank < muster_.rank; ++rank)
    {
        if (const auto end_line = ask_for_the_end(rank))
        {
            pass_on(*end_line);
        }
    }
    pronounce(own_ && own_->cause == Cause::failed ? *own_ : loss);
}

std::optional<std::string> WatchLoop::ask_for_the_end(int rank)
{
    const auto& endpoint = muster_.ranks[static_cast<std::size_t>(rank)];
    const auto& mine = muster_.ranks[static_cast<std::size_t>(muster_.rank)];
    auto socket = call(endpoint, endpoint.on_machine_of(mine), patience_with_calls);
    if (!socket)
    {
        return std::nullopt;
    }
    // Kept: if it is stopped, it must find there, when it wakes up, that all has been said.
    auto& channel = asked_.emplace_back(std::move(socket));
    channel.send(hello(muster_));
    // It may not have noticed yet, or be silent itself.
    const auto end = Clock::now() + timeout() + 2 * beat_interval();
    while (const auto line = channel.wait_for_line(std::chrono::duration_cast<milliseconds>(end - Clock::now())))
    {
        if (is_end(*line))
        {
            return line;
        }
    }
    return std::nullopt;
}

void WatchLoop::pronounce(const Report& report)
{
    flush_stdout();
    const auto& of = muster_.ranks[static_cast<std::size_t>(report.rank)];
    print_line(fmt::format("paws_hpc: {}: {}", rank_on_host(report.rank, of.host), report.message));
    end_line_ = fmt::format("end {} {}", report.code, report.cause == Cause::silent ? report.rank : -1);
    told_ = static_cast<std::size_t>(
        std::count_if(peers_.begin(), peers_.end(), [](const Peer& peer) { return peer.rank > 0; }));
    tell_all(end_line_);
    // Now, as launchers may kill this process too, soon after the first has ended.
    io::remove_temporaries();
    // Others notice the same silence up to a beat later.
    linger(report.cause == Cause::silent && !leads() ? longest_goodbye + 2 * beat_interval() : longest_goodbye);
    if (report.cause == Cause::silent)
    {
        kill_if_here(of);
    }
    io::exit_without_temporaries(report.code);
}

/// Until all know. Whoever reads nothing any more, because he is stopped, finds it when he wakes up.
void WatchLoop::linger(milliseconds most)
{
    const auto end = Clock::now() + most;
    const auto others = muster_.ranks.size() - 1;
    while (Clock::now() < end && !(leads() ? peers_.empty() : told_ + 1 >= others))
    {
        auto ready = wait(end);
        accept_callers(ready);
        listen_to(ready);
    }
}

/// What another rank has pronounced.
void WatchLoop::pass_on(const std::string& end_line)
{
    std::istringstream words(rest_of(end_line, 1));
    int code = failed;
    int silent = -1;
    words >> code >> silent;
    flush_stdout();
    // To rank 0 too, if it was given up and is only stopped; and to those who asked this rank.
    tell_all(end_line);
    if (silent >= 0 && static_cast<std::size_t>(silent) < muster_.ranks.size() && silent != muster_.rank)
    {
        kill_if_here(muster_.ranks[static_cast<std::size_t>(silent)]);
    }
    io::exit_without_temporaries(code);
}
}  // namespace paws::comm

#pragma once

#include <atomic>
#include <chrono>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "src/comm/endpoint.hpp"
#include "src/comm/socket.hpp"
#include "src/comm/termination.hpp"
#include "src/comm/verdict.hpp"

namespace paws::comm
{
/// What all ranks know of each other when the watch begins.
struct Muster
{
    int rank = 0;
    std::vector<Endpoint> ranks;
    std::string token;  ///< who knows it is one of us
};

/// The work of the watch's thread: see Watch. What ranks send each other are lines:
///     hello TOKEN RANK        who is calling; rank 0 answers `welcome`
///     beat                    alive
///     fail CAUSE CODE TEXT    to rank 0: I cannot go on
///     end CODE SILENT         the line is printed; end with CODE, and so does rank SILENT (-1: none), which is stopped
///     bye                     I am done and may go
class WatchLoop
{
public:
    /// `leader`: the connection to rank 0, which has said welcome; none on rank 0.
    WatchLoop(Muster muster, Socket listener, std::optional<Channel> leader, std::chrono::milliseconds timeout);

    /// Until stop(). Ends the process if a rank fails.
    void run();

    void stop();
    void fail(Cause cause, int code, const std::string& message);
    void set_timeout(std::chrono::milliseconds timeout);

    static std::string hello(const Muster& muster);

private:
    using Clock = std::chrono::steady_clock;

    struct Peer
    {
        Peer(Channel connection, int number) : channel(std::move(connection)), rank(number) {}
        Channel channel;
        int rank;  ///< -1: has not said hello
        bool is_done = false;
        bool is_gone = false;
        std::chrono::nanoseconds silence{0};
    };

    bool leads() const { return muster_.rank == 0; }
    std::chrono::milliseconds timeout() const { return std::chrono::milliseconds(timeout_.load()); }
    std::chrono::milliseconds beat_interval() const;

    void add(Channel channel, int rank);
    std::vector<Peer*> wait(Clock::time_point until);
    void listen_to(const std::vector<Peer*>& ready);
    void understand(Peer& peer, const std::string& line);
    void accept_callers(std::vector<Peer*>& ready);
    void welcome(Peer& peer, const std::string& line);
    void take_own_failures();
    void deliver(const Report& report);
    void look_for_the_silent(std::chrono::nanoseconds passed);
    void remove_gone();
    void tell_all(const std::string& line);

    Report of_lost(int rank) const;
    Report of_silent(int rank, std::chrono::nanoseconds silence) const;
    Report explained(const Report& report) const;
    [[noreturn]] void succeed_the_leader(Report loss);
    std::optional<std::string> ask_for_the_end(int rank);
    [[noreturn]] void pronounce(const Report& report);
    [[noreturn]] void pass_on(const std::string& end_line);
    void linger(std::chrono::milliseconds most);

    Muster muster_;
    Socket listener_;
    Socket poller_;
    Socket wake_;
    Termination termination_;
    std::list<Peer> peers_;     ///< all ranks on rank 0; rank 0, and whoever seeks a new leader, on the others
    std::list<Channel> asked_;  ///< lower ranks that did not answer when rank 0 was gone
    Verdict verdict_;
    std::optional<Report> own_;  ///< what this rank has told rank 0
    std::string end_line_;       ///< once it is over, what callers are told
    std::size_t told_ = 0;       ///< how many were

    std::atomic<std::int64_t> timeout_;
    std::atomic<bool> stopping_{false};
    std::mutex mutex_;
    std::vector<Report> failures_;  ///< from other threads
};
}  // namespace paws::comm

#pragma once

#include <atomic>
#include <chrono>
#include <list>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "io/ranks/failure.hpp"
#include "src/comm/channel.hpp"
#include "src/comm/communicator.hpp"
#include "src/comm/verdict.hpp"

namespace paws::comm
{
/// What a rank knows of all when the watch begins.
struct RankTable
{
    int rank = 0;
    std::vector<std::string> endpoints;
    std::string token;  ///< who knows it is one of us
    Listener listener;
    std::optional<Channel> leader;  ///< the connection to rank 0, which has said welcome; none on rank 0
};

/// Sees to it that all ranks end, soon and with one line, when one of them cannot go on. A thread of each rank holds a
/// TCP connection to rank 0, without any MPI, so that it works while the main thread sits in a collective call that
/// will never end. A closed connection means that a process has died; one without a sign of life for the deadline, that
/// it is stopped or out of reach. Rank 0 then prints the line, "paws_hpc: rank 3 on node17: what happened", tells the
/// others, and every process ends with the same exit code, without its temporary files (see
/// io::exit_without_temporaries). If rank 0 itself is gone, the lowest living rank leads. SIGTERM is one of the
/// causes, unless the program has a handler of its own. What ranks send each other are lines:
///     hello TOKEN RANK        who is calling; is answered `welcome`
///     beat                    alive
///     fail CAUSE CODE TEXT    to the leader: I cannot go on
///     end CODE                the line is printed; end with CODE
///     bye                     I am done and may go
/// One per process at a time.
class Watch
{
public:
    /// Collective. `timeout`: the deadline. Rank 0 says so if ranks cannot reach it: these are not watched, and stay
    /// with the communicator's own deadline.
    Watch(Communicator& communicator, std::chrono::milliseconds timeout);
    /// Of a rank whose table is there; not collective.
    Watch(RankTable table, std::chrono::milliseconds timeout);
    /// This rank is done, and so are all others: comes after a barrier. It may die from now on.
    ~Watch();
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

    void set_timeout(std::chrono::milliseconds timeout) { timeout_ = timeout; }

    /// This rank cannot go on: all end. From any thread. Of a message of many thousands of bytes, the beginning is
    /// said.
    [[noreturn]] void fail(const ranks::Failure& failure);

private:
    using Clock = std::chrono::steady_clock;

    struct Peer
    {
        Channel channel;
        int rank = -1;  ///< -1: has not said hello, or has said bye
        bool is_gone = false;
        std::chrono::nanoseconds silence{0};
    };

    bool leads() const { return leader_ == table_.rank; }
    bool is_rank(const Peer& peer) const { return peer.rank >= 0 && peer.rank != table_.rank; }
    bool watches(const Peer& peer) const;
    std::chrono::milliseconds beat_interval() const;
    std::string name_of(int rank) const;

    void run();
    void listen(Clock::time_point until);
    void understand(Peer& peer, const std::string& line);
    void tell_all(const std::string& line);
    static Report of_loss(const Peer& peer);
    void judge(const Report& loss);
    void spread_end(const std::string& line);
    [[noreturn]] void pronounce(const Report& report);

    RankTable table_;
    std::atomic<std::chrono::milliseconds> timeout_;
    std::optional<Channel> to_watch_;  ///< `fail` and `stop` from threads and the handler of SIGTERM, like a peer's
    std::list<Peer> peers_;            ///< this process, leaders, and whoever has called
    int leader_ = 0;                   ///< its rank
    Clock::time_point last_look_ = Clock::now();
    std::optional<Report> first_loss_;
    std::optional<Report> own_failure_;
    Verdict verdict_;
    std::string end_line_;  ///< once it is over, what callers are told
    bool is_stopping_ = false;
    std::thread thread_;  ///< none on a rank that is not watched
};
}  // namespace paws::comm

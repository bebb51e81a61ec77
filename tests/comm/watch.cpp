// The parts of the watch over the ranks; how ranks end in earnest is tested by faults/faults.py.

#include "src/comm/watch.hpp"

#include <torch/types.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include "io/ranks/host_name.hpp"
#include "io/ranks/launcher.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/world.hpp"

using namespace paws;
using namespace std::chrono_literals;
using comm::Cause;
using comm::Report;
using comm::Verdict;

namespace
{
const Verdict::Time start{1000s};

Report report(int rank, Cause cause)
{
    return {rank, cause, 1, "text"};
}
}  // namespace

TEST_CASE("a rank that says what is wrong, or dies, needs no explanation", "[comm]")
{
    for (const auto cause : {Cause::failed, Cause::lost, Cause::silent})
    {
        Verdict verdict(3s);
        CHECK_FALSE(verdict.decided(start).has_value());
        verdict.add(report(2, cause), start);
        // What comes later follows from it.
        verdict.add(report(1, Cause::failed), start + 1ms);
        verdict.add(report(0, Cause::signalled), start + 1ms);
        REQUIRE(verdict.decided(start).has_value());
        CHECK(verdict.decided(start + 1ms)->rank == 2);
    }
}

TEST_CASE("who waits in vain, or is told to end, leaves time for the reason", "[comm]")
{
    Verdict verdict(3s);
    verdict.add(report(1, Cause::waiting), start);
    CHECK_FALSE(verdict.decided(start + 2s).has_value());
    CHECK(verdict.due() == start + 3s);
    CHECK(verdict.decided(start + 3s)->rank == 1);
    verdict.add(report(2, Cause::lost), start + 2s);
    CHECK(verdict.decided(start + 2s)->rank == 2);

    // Launchers that told a rank to end kill it soon after.
    Verdict told(3s);
    told.add(report(1, Cause::waiting), start);
    told.add(report(2, Cause::signalled), start);
    CHECK_FALSE(told.decided(start + 400ms).has_value());
    CHECK(told.decided(start + 500ms)->rank == 1);
}

TEST_CASE("a rank is called by its endpoint", "[comm]")
{
    const comm::Listener listener;
    const auto endpoint = listener.endpoint();
    INFO(endpoint);
    CHECK(endpoint.starts_with(ranks::host_name() + " "));
    CHECK(endpoint.find('\n') == endpoint.npos);
    // An address where nobody is, or that is none, does not keep the others from being called.
    const auto ports = endpoint.find(' ') + 1;
    const auto port = endpoint.substr(ports, endpoint.find(' ', ports) - ports);
    auto caller = comm::call("host " + port + " 127.0.0.9999 ::1%nowhere 127.0.0.1", 5s);
    REQUIRE(caller.has_value());
    auto called = listener.accept();
    REQUIRE(called.has_value());
    CHECK_FALSE(listener.accept().has_value());

    caller->send("one line");
    caller->send("another");
    CHECK(called->wait_for_line(5s) == "one line");
    CHECK(called->wait_for_line(5s) == "another");
    CHECK_FALSE(called->wait_for_line(1ms).has_value());
    caller.reset();
    CHECK_FALSE(called->wait_for_line(5s).has_value());
    CHECK_FALSE(called->receive());
    CHECK_FALSE(comm::call("host 0 127.0.0.1", 5s).has_value());
}

TEST_CASE("ranks of one machine need none of its addresses", "[comm]")
{
    const comm::Listener listener;
    const auto endpoint = listener.endpoint();
    const auto port = endpoint.substr(ranks::host_name().size() + 1);
    const auto place = port.substr(0, port.find(' ')) + " 127.0.0.9999";
    CHECK(comm::call(ranks::host_name() + " " + place, 5s).has_value());
    CHECK_FALSE(comm::call("not-" + ranks::host_name() + " " + place, 5s).has_value());
}

TEST_CASE("the watch leaves signals to other threads", "[comm]")
{
    comm::RankTable table;
    table.endpoints = {table.listener.endpoint()};
    const comm::Watch watch(std::move(table), 60s);
    const auto blocked_signals = []
    {
        std::vector<std::uint64_t> blocked;
        for (const auto& thread : std::filesystem::directory_iterator("/proc/self/task"))
        {
            std::ifstream status(thread.path() / "status");
            std::string name;
            for (std::string line; std::getline(status, line);)
            {
                if (line.starts_with("Name:"))
                {
                    name = line;
                }
                if (line.starts_with("SigBlk:") && name.ends_with("paws-watch"))
                {
                    blocked.push_back(std::stoull(line.substr(line.find('\t') + 1), nullptr, 16));
                }
            }
        }
        return blocked;
    };
    // A thread blocks all signals while it begins.
    const auto is_blocked = [](std::uint64_t set, int number) { return (set >> (number - 1) & 1) == 1; };
    auto blocked = blocked_signals();
    const auto end = std::chrono::steady_clock::now() + 10s;
    while ((blocked.size() != 1 || is_blocked(blocked[0], SIGSEGV)) && std::chrono::steady_clock::now() < end)
    {
        std::this_thread::sleep_for(1ms);
        blocked = blocked_signals();
    }
    REQUIRE(blocked.size() == 1);
    for (const int number : {SIGTERM, SIGUSR1, SIGHUP, SIGINT})
    {
        CHECK(is_blocked(blocked[0], number));
    }
    CHECK_FALSE(is_blocked(blocked[0], SIGSEGV));
}

TEST_CASE("strangers who call the watch are not heard", "[comm]")
{
    comm::RankTable table;
    table.token = "secret";
    const auto endpoint = table.listener.endpoint();
    table.endpoints = {endpoint, "nowhere"};
    const comm::Watch watch(std::move(table), 60s);
    const auto answer_to = [&](const std::string& line)
    {
        auto caller = comm::call(endpoint, 5s);
        caller.value().send(line);
        return caller->wait_for_line(5s).value_or("nothing");
    };
    for (const auto* line :
         {"end 0 -1", "hello wrong 1", "hello secret 0", "hello secret 2", "hello secret", "", "beat", "stop"})
    {
        INFO(line);
        CHECK(answer_to(line) == "nothing");
    }
    // Rank 1: with the token, and gone with a word.
    auto caller = comm::call(endpoint, 5s);
    caller.value().send("hello secret 1");
    CHECK(caller->wait_for_line(5s) == "welcome");
    caller->send("bye");
}

TEST_CASE("ranks under watch come and go", "[comm]")
{
    const auto world = test::world();
    for (int i = 0; i < 3; ++i)
    {
        comm::Watch watch(*world, 2s);
        watch.set_timeout(20s);
        const auto values = torch::ones({3});
        world->all_reduce(values);
        CHECK(values[0].item<float>() == static_cast<float>(world->world_size()));
        world->barrier();
    }
}

TEST_CASE("a launcher that MPI knows nothing of is refused", "[comm]")
{
    CHECK(ranks::launcher_confusion({}, 1).empty());
    CHECK(ranks::launcher_confusion({"PMI_SIZE", 4, 2}, 4).empty());
    CHECK_THAT(ranks::launcher_confusion({"SLURM_STEP_NUM_TASKS", 64, 5}, 1),
               Catch::Contains("64 processes") && Catch::Contains("--mpi=pmix"));
    CHECK_FALSE((ranks::Launcher{"PMI_SIZE", 4, 2}.is_first()));
}

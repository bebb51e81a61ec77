#include "src/comm/device_watch.hpp"

#include <atomic>
#include <optional>
#include <stdexcept>

#include "tests/support/catch.hpp"

using namespace paws;

namespace
{
/// A call on a device, which ends when it is told to.
struct Call
{
    std::atomic<bool> ended = false;
    bool broken = false;
    bool query() const
    {
        if (broken)
        {
            throw std::runtime_error("CUDA error: an illegal memory access");
        }
        return ended;
    }
};

/// A watch over calls, and what it has done.
struct Watched
{
    std::string error;
    std::atomic<bool> entered = false;
    std::atomic<bool> aborted = false;
    bool aborted_before_told = false;
    std::atomic<bool> told = false;
    std::string message;
    std::optional<comm::DeviceWatch<Call>> watch;

    explicit Watched(std::chrono::milliseconds deadline)
    {
        comm::DeviceWatchCalls calls;
        calls.enter_thread = [this] { entered = true; };
        calls.asynchronous_error = [this] { return error; };
        calls.on_failure = [this](const std::string& text)
        {
            message = text;
            aborted_before_told = aborted;
            told = true;
        };
        calls.abort = [this] { aborted = true; };
        watch.emplace(deadline, std::move(calls));
    }

    bool is_told_within(std::chrono::milliseconds time) const
    {
        const auto end = std::chrono::steady_clock::now() + time;
        while (!told && std::chrono::steady_clock::now() < end)
        {
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
        }
        return told;
    }
};
}  // namespace

TEST_CASE("calls on a device that end in time are none of the watch's business", "[comm]")
{
    Watched watched(std::chrono::milliseconds(300));
    watched.watch->start();
    for (int i = 0; i < 3; ++i)
    {
        const auto call = std::make_shared<Call>();
        watched.watch->expect("ncclAllReduce", call);
        call->ended = true;
    }
    CHECK_FALSE(watched.is_told_within(std::chrono::milliseconds(600)));
    watched.watch->stop();
    CHECK(watched.entered);
    CHECK_FALSE(watched.aborted);
}

TEST_CASE("a call on a device that never ends is aborted and told of by name", "[comm]")
{
    Watched watched(std::chrono::milliseconds(100));
    watched.watch->start();
    watched.watch->expect("ncclAllGather", std::make_shared<Call>());
    REQUIRE(watched.is_told_within(std::chrono::seconds(10)));
    watched.watch->stop();
    CHECK(watched.aborted);
    CHECK_FALSE(watched.aborted_before_told);
    CHECK_THAT(watched.message, Catch::Contains("ncclAllGather") && Catch::Contains("did not answer"));
}

TEST_CASE("a device that fails is told of", "[comm]")
{
    Watched watched(std::chrono::seconds(60));
    watched.watch->start();
    const auto call = std::make_shared<Call>();
    call->broken = true;
    watched.watch->expect("ncclAllReduce", call);
    REQUIRE(watched.is_told_within(std::chrono::seconds(10)));
    watched.watch->stop();
    CHECK(watched.aborted);
    CHECK_THAT(watched.message, Catch::Contains("illegal memory access"));
}

TEST_CASE("what the library meets by itself is told of", "[comm]")
{
    Watched watched(std::chrono::seconds(60));
    watched.error = "remote process exited";
    watched.watch->start();
    REQUIRE(watched.is_told_within(std::chrono::seconds(10)));
    watched.watch->stop();
    CHECK(watched.aborted);
    CHECK_THAT(watched.message, Catch::Contains("remote process exited"));
}

#include "src/session/stop_rule.hpp"

#include "src/config/config.hpp"
#include "tests/support/catch.hpp"

using namespace paws;
using namespace std::chrono_literals;
using session::TimeLimit;

TEST_CASE("--stop-after takes epochs and times, and nothing else", "[tasks][stop]")
{
    CHECK_FALSE(session::parse_stop_after("").epochs);
    CHECK_FALSE(session::parse_stop_after("").duration);
    CHECK(session::parse_stop_after("3ep").epochs == 3);
    CHECK(session::parse_stop_after("500steps").steps == 500);
    CHECK(session::parse_stop_after("90s").duration == 90s);
    CHECK(session::parse_stop_after("45m").duration == 45min);
    CHECK(session::parse_stop_after("2h").duration == 2h);
    CHECK(session::parse_stop_after("1d").duration == 24h);
    for (const char* wrong :
         {"3", "0ep", "-1h", "ep", "2 h", "2hours", "1.5h", "99999999999999999999h", "9223372036854775807d", "h2"})
    {
        INFO(wrong);
        CHECK_THROWS_WITH(session::parse_stop_after(wrong), Catch::Contains(wrong) && Catch::Contains("45m"));
    }
}

TEST_CASE("a run stops while a step and a checkpoint still fit in", "[tasks][stop]")
{
    const auto start = TimeLimit::Clock::now();
    const auto limit = TimeLimit::of({{}, {}, 100s}, start, std::nullopt);
    CHECK_FALSE(limit.reason(1, 1, start));
    // 2 · (10 + 20) + 10 seconds are left to be safe.
    CHECK_FALSE(limit.reason(10, 20, start + 29s));
    CHECK(limit.reason(10, 20, start + 31s) == "--stop-after");
    CHECK(limit.reason(0, 0, start + 200s) == "--stop-after");

    CHECK_FALSE(TimeLimit::of({}, start, std::nullopt).reason(1e9, 1e9));
    CHECK_FALSE(TimeLimit::of({5, {}, {}}, start, std::nullopt).reason(1e9, 1e9));
    // The earlier of two.
    CHECK(TimeLimit::of({{}, {}, 1h}, start, 5s).reason(0, 0, start) == "the job's time limit");
    CHECK(TimeLimit::of({{}, {}, 5s}, start, 3600s).reason(0, 0, start) == "--stop-after");
}

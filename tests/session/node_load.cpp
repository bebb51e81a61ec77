#include "src/session/node_load.hpp"

#include "tests/support/catch.hpp"

using namespace paws;
using Catch::Contains;
using session::describe_load;

TEST_CASE("other programs are told where they take cores that a run computes on", "[tasks]")
{
    // Two cores, one rank of two threads, which has one that runs while it asks.
    CHECK(describe_load({0.0, 1, 2}, 1, 2).empty());
    CHECK_THAT(describe_load({1.0, 2, 2}, 1, 2),
               Contains("keep 1 of this node's 2 cores busy") && Contains("2 threads") && Contains("meta.threads: 1"));
    CHECK_THAT(describe_load({7.6, 9, 2}, 1, 2), Contains("keep 2 of this node's 2 cores busy"));
    // With one thread there is a core for each.
    CHECK(describe_load({1.0, 2, 2}, 1, 1).empty());
    CHECK_THAT(describe_load({2.0, 3, 2}, 1, 1), Contains("; end them\n"));
    // Ranks of the run run themselves.
    CHECK(describe_load({2.0, 2, 2}, 2, 1).empty());
    CHECK_THAT(describe_load({20.0, 24, 64}, 4, 16),
               Contains("keep 20 of this node's 64 cores") && Contains("64 threads") && Contains("meta.threads: 11"));
    CHECK(describe_load({20.0, 24, 128}, 4, 16).empty());
}

TEST_CASE("what has just ended, or just begun, is no load", "[tasks]")
{
    CHECK(describe_load({2.3, 1, 2}, 1, 2).empty());
    CHECK(describe_load({0.2, 4, 2}, 1, 2).empty());
    CHECK(describe_load({2.3, 0, 2}, 4, 2).empty());
}

TEST_CASE("the system's load is read, and another text is none", "[tasks]")
{
    const auto load = session::parse_load("1.02 0.61 0.30 3/214 12345", 8);
    REQUIRE(load);
    CHECK(load->of_minute == 1.02);
    CHECK(load->runnable == 3);
    CHECK(load->cores == 8);
    CHECK_FALSE(session::parse_load("", 8));
    CHECK_FALSE(session::parse_load("1.02 0.61", 8));
    CHECK_FALSE(session::parse_load("high", 8));
    const auto here = session::node_load();
    CHECK((!here || (here->cores >= 1 && here->runnable >= 1 && here->of_minute >= 0)));
}

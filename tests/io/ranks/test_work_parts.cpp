#include <algorithm>
#include <atomic>
#include <numeric>
#include <stdexcept>

#include "io/ranks/work_parts.hpp"
#include "tests/support/catch.hpp"

using namespace paws::ranks;

namespace
{
using Weights = std::vector<std::uint64_t>;

/// The parts of all ranks, in the order of the rounds.
std::vector<Part> all_parts(const Weights& weights, std::uint64_t most, int ranks)
{
    std::vector<std::vector<Part>> of_ranks;
    for (int rank = 0; rank < ranks; ++rank)
    {
        of_ranks.push_back(parts_in_rounds(weights, most, rank, ranks));
        CHECK(of_ranks.back().size() == of_ranks.front().size());
    }
    std::vector<Part> parts;
    for (std::size_t round = 0; round < of_ranks.front().size(); ++round)
    {
        for (const auto& of_rank : of_ranks)
        {
            parts.push_back(of_rank[round]);
        }
    }
    return parts;
}
}  // namespace

TEST_CASE("parts follow each other and hold every item once", "[io]")
{
    Weights weights(1000);
    for (std::size_t i = 0; i < weights.size(); ++i)
    {
        weights[i] = i * 7919 % 500;
    }
    weights[400] = 20'000;
    weights.back() = 0;
    for (const int ranks : {1, 2, 3, 64})
    {
        for (const std::uint64_t most :
             {std::uint64_t{0}, std::uint64_t{700}, std::uint64_t{10'000}, std::uint64_t{1} << 40})
        {
            INFO(ranks << " ranks, " << most);
            std::size_t next = 0;
            for (const Part part : all_parts(weights, most, ranks))
            {
                REQUIRE(part.first == next);
                REQUIRE(part.last >= part.first);
                next = part.last;
                const auto begin = weights.begin() + static_cast<std::ptrdiff_t>(part.first);
                const auto end = weights.begin() + static_cast<std::ptrdiff_t>(part.last);
                const std::uint64_t weight = std::accumulate(begin, end, std::uint64_t{0});
                CHECK(weight <= most + 20'000);
            }
            CHECK(next == weights.size());
        }
    }
    CHECK(all_parts({}, 100, 2).size() == 2);
}

TEST_CASE("ranks have equal parts of little work", "[io]")
{
    for (const Part part : all_parts(Weights(90, 10), 1'000'000, 3))
    {
        CHECK(part.last - part.first == 30);
    }
}

TEST_CASE("threads do every item once, and hand on what they throw", "[io]")
{
    for (const std::size_t threads : {1U, 2U, 7U})
    {
        std::vector<std::atomic<int>> done(100);
        for_each_on_threads({10, 90}, threads, [&](std::size_t i) { ++done[i]; });
        for (std::size_t i = 0; i < done.size(); ++i)
        {
            CHECK(done[i] == (i >= 10 && i < 90 ? 1 : 0));
        }
        CHECK_THROWS_WITH(for_each_on_threads({0, 1000}, threads,
                                              [](std::size_t i)
                                              {
                                                  if (i == 17)
                                                  {
                                                      throw std::runtime_error("seventeen");
                                                  }
                                              }),
                          "seventeen");
    }
    for_each_on_threads({3, 3}, 4, [](std::size_t) { throw std::runtime_error("nothing to do"); });
}

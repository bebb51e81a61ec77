// Ranks that act together: what they say to each other, how they fail, what of a node each may use.

#include <sched.h>
#include <time.h>

#include <array>
#include <memory>
#include <thread>

#include "io/base/error.hpp"
#include "io/base/printable.hpp"
#include "io/ranks/agreed.hpp"
#include "io/ranks/host_name.hpp"
#include "io/ranks/mpi_call.hpp"
#include "io/ranks/node.hpp"
#include "io/ranks/process_limits.hpp"
#include "tests/support/catch.hpp"

using namespace paws;
using namespace paws::ranks;

namespace
{
Group all_ranks()
{
    return Group(MPI_COMM_WORLD);
}

bool is_last(const Group& group)
{
    return group.rank() == group.size() - 1;
}

std::string named(int rank)
{
    return rank_on_host(rank, host_name());
}

/// What all ranks throw alike; checked to be the same on all of them.
Failure common_failure(const Group& group, const std::function<void()>& work)
{
    Failure failure{"none", success};
    try
    {
        work();
    }
    catch (...)
    {
        failure = failure_of(std::current_exception());
        CHECK(group.knows(std::current_exception()) == !group.is_alone());
    }
    for (const auto& other : group.gather_texts(failure.message + std::to_string(failure.code)))
    {
        CHECK(other == failure.message + std::to_string(failure.code));
    }
    return failure;
}

double processor_seconds()
{
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

/// Lets this thread run on some cores alone.
class OnCores
{
public:
    explicit OnCores(const cpu_set_t& cores) : before_(usable_core_set())
    {
        REQUIRE(sched_setaffinity(0, sizeof(cores), &cores) == 0);
    }
    ~OnCores() { sched_setaffinity(0, sizeof(before_), &before_); }
    OnCores(const OnCores&) = delete;
    OnCores& operator=(const OnCores&) = delete;

private:
    cpu_set_t before_;
};
}  // namespace

TEST_CASE("ranks tell each other", "[io][group]")
{
    using Numbers = std::vector<std::uint64_t>;
    const auto group = all_ranks();
    const auto me = static_cast<std::uint64_t>(group.rank());
    const auto size = static_cast<std::uint64_t>(group.size());
    CHECK(group.sums<2>({me + 1, 1}) == std::array<std::uint64_t, 2>{size * (size + 1) / 2, size});
    CHECK(group.reduce(group.rank(), MPI_MAX) == group.size() - 1);
    Numbers shared = me == 0 ? Numbers{4, 5, 6} : Numbers{9};
    group.share(shared);
    CHECK(shared == Numbers{4, 5, 6});
    const auto gathered = group.gather(Numbers(me, me));
    REQUIRE(gathered.size() == (me == 0 ? size : 0));
    for (std::size_t from = 0; from < gathered.size(); ++from)
    {
        CHECK(gathered[from] == Numbers(from, from));
    }
    CHECK(group.first_text("").empty());
    CHECK(group.first_text(is_last(group) ? "the last one" : "") == "the last one");
}

TEST_CASE("texts of any length travel between ranks", "[io][group]")
{
    const auto group = all_ranks();
    const auto text_of = [](int rank) { return std::string(static_cast<std::size_t>(rank * 7), 'x') + "é"; };
    const auto mine = text_of(group.rank());
    const auto texts = group.gather_texts(mine);
    REQUIRE(texts.size() == static_cast<std::size_t>(group.size()));
    for (int rank = 0; rank < group.size(); ++rank)
    {
        CHECK(texts[static_cast<std::size_t>(rank)] == text_of(rank));
        CHECK(group.broadcast(mine, rank) == text_of(rank));
    }
    CHECK(group.broadcast(group.is_first() ? "" : "no").empty());
    CHECK(group.gather_texts("") == std::vector<std::string>(texts.size()));
}

TEST_CASE("all ranks throw what one does, as the same kind of error", "[io][group]")
{
    const auto group = all_ranks();
    CHECK(agreed(group, [&] { return group.rank(); }) == group.rank());
    CHECK(agreed(group, [&] { return std::make_unique<int>(group.rank()); }) != nullptr);
    CHECK_NOTHROW(agreed(group, [] {}));
    const auto fail_on_last = [&](auto error)
    {
        agreed(group,
               [&]
               {
                   if (is_last(group))
                   {
                       throw error;
                   }
                   return 0;
               });
    };
    CHECK_THROWS_AS(fail_on_last(io::Error("a")), BadInput);
    CHECK_THROWS_WITH(fail_on_last(std::runtime_error("d")), "d");
    const auto failure = [&](auto error) { return common_failure(group, [&] { fail_on_last(error); }); };
    CHECK(failure(io::Error("b")).message == "b");
    CHECK(failure(io::Error("b")).code == bad_input);
    CHECK(failure(std::invalid_argument("c")).code == bad_input);
    CHECK(failure(std::runtime_error("d\ne")).message == "d");
    CHECK(failure(std::runtime_error("d\ne")).code == failed);
    CHECK_THAT(failure(std::runtime_error("")).message, Catch::Contains("without a message"));
    CHECK_THAT(failure(5).message, Catch::Contains("unknown kind"));
    // Of several errors, all ranks have the one of the lowest rank.
    const auto each = [&]
    { agreed(group, [&]() -> int { throw io::Error("rank " + std::to_string(group.rank()) + " fails"); }); };
    CHECK_THROWS_WITH(each(), "rank 0 fails");
}

TEST_CASE("a failure is said with rank and host, unless all ranks have the same", "[io][group]")
{
    const auto group = all_ranks().naming_ranks(true);
    const int last = group.size() - 1;
    const auto same = common_failure(group, [&] { agreed(group, [] { throw io::Error("x: missing"); }); });
    CHECK(same.message == "x: missing");
    CHECK(same.code == bad_input);
    const auto of_last = common_failure(group,
                                        [&]
                                        {
                                            agreed(group,
                                                   [&]
                                                   {
                                                       if (is_last(group))
                                                       {
                                                           throw io::Error("x: missing\nmore of it");
                                                       }
                                                   });
                                        });
    // A line break can only be that of a name, which is said whole.
    const std::string in_one_line = "x: missing\\nmore of it";
    CHECK(io::printable(of_last.message) == (last == 0 ? in_one_line : named(last) + ": " + in_one_line));
    CHECK(of_last.code == bad_input);
    const auto each = common_failure(
        group,
        [&] { agreed(group, [&]() -> int { throw std::runtime_error("of " + std::to_string(group.rank())); }); });
    CHECK(each.message == (last == 0 ? "of 0" : named(0) + ": of 0"));
    CHECK(each.code == failed);
}

TEST_CASE("one rank alone throws its own error", "[io][group]")
{
    const Group alone;
    CHECK(alone.is_alone());
    CHECK(alone.is_first());
    CHECK(alone.gather_texts("a") == std::vector<std::string>{"a"});
    CHECK(alone.broadcast("b") == "b");
    CHECK(alone.gather(std::vector<int>{1, 2}) == std::vector<std::vector<int>>{{1, 2}});
    CHECK(alone.reduce(3, MPI_SUM) == 3);
    struct OwnError : io::Error
    {
        using io::Error::Error;
    };
    CHECK_THROWS_AS(agreed(alone, [] { throw OwnError("a\nb"); }), OwnError);
    CHECK_THROWS_WITH(agreed(alone, [] { throw OwnError("a\nb"); }), "a\nb");
}

TEST_CASE("ranks leave whatever they do together when one fails in between", "[io][group]")
{
    const auto group = all_ranks().naming_ranks(true);
    // What the others come to next, before the failure reaches the outer call.
    const std::vector<std::function<void()>> next{[&] { agreed(group, [] {}); },
                                                  [&]
                                                  { agreed(group.naming_ranks(false), [&] { group.broadcast("x"); }); },
                                                  [&] { group.gather_texts("x"); },
                                                  [&]
                                                  {
                                                      std::vector<int> numbers{1};
                                                      group.share(numbers);
                                                  },
                                                  [&] { group.gather(std::vector<int>{1}); },
                                                  [&] { group.sums<1>({1}); },
                                                  [&] { find_disagreement(group, "same"); },
                                                  [&] { const Node node(group); },
                                                  [] {}};
    for (const auto& work : next)
    {
        const auto failure = common_failure(group,
                                            [&]
                                            {
                                                agreed(group,
                                                       [&]
                                                       {
                                                           agreed(group, [] {});
                                                           if (is_last(group))
                                                           {
                                                               throw io::Error("in between");
                                                           }
                                                           work();
                                                           group.reduce(1, MPI_SUM);
                                                           return 1;
                                                       });
                                            });
        CHECK_THAT(failure.message, Catch::EndsWith("in between"));
        CHECK(failure.code == bad_input);
    }
}

TEST_CASE("a failure of some ranks' group is one of these ranks for all", "[io][group]")
{
    const auto group = all_ranks();
    // Each rank is a node of its own; on the last one, all fail.
    const Node node(group, group.rank());
    CHECK(node.ranks().is_alone());
    const Node pair(group, is_last(group) ? 1 : 0);
    const auto failure = common_failure(group,
                                        [&]
                                        {
                                            agreed(group,
                                                   [&]
                                                   {
                                                       agreed(pair.ranks(),
                                                              [&]
                                                              {
                                                                  if (group.is_first())
                                                                  {
                                                                      throw io::Error("of the first");
                                                                  }
                                                              });
                                                   });
                                        });
    CHECK(failure.message == "of the first");
}

TEST_CASE("the first rank that says something else is found", "[io][group]")
{
    const auto group = all_ranks();
    const int last = group.size() - 1;
    CHECK_FALSE(find_disagreement(group, "same").has_value());
    const auto found = find_disagreement(group, is_last(group) ? "x" : "y\nz");
    REQUIRE(found.has_value() == (last > 0));
    if (found)
    {
        CHECK(found->rank == named(last));
        CHECK(found->first == named(0));
        CHECK(found->text == "x");
        CHECK(found->text_of_first == "y\nz");
    }
    CHECK_THROWS_WITH(group.refuse("all say so"), "all say so");
    CHECK_THROWS_AS(group.refuse("all say so"), BadInput);
}

TEST_CASE("whoever waits for the others takes no core from them", "[io][group]")
{
    const auto group = all_ranks();
    group.meet();
    if (group.is_first())
    {
        std::this_thread::sleep_for(std::chrono::milliseconds(400));
    }
    const double before = processor_seconds();
    group.meet();
    CHECK(processor_seconds() - before < 0.1);
}

TEST_CASE("a rank that waits for longer than the deadline ends in an error that is not told", "[io][group]")
{
    const auto group = all_ranks();
    // With a communicator of its own: its calls come in another order.
    const Node same(group, 0);
    const auto impatient = same.ranks().with_deadline(std::chrono::milliseconds(100));
    if (!group.is_alone() && group.is_first())
    {
        // The second call is not made, as the first one's error passes.
        CHECK_THROWS_AS(agreed(impatient, [&] { agreed(impatient, [] {}); }), CallError);
    }
    group.meet();
    if (!group.is_first())
    {
        // Lets the call of rank 0 end, so that the communicator can go.
        same.ranks().meet();
    }
    group.meet();
}

TEST_CASE("a rank's own failure is not lost where the others do not come", "[io][group]")
{
    const auto group = all_ranks();
    const Node same(group, 0);
    const auto impatient = same.ranks().with_deadline(std::chrono::seconds(1));
    const auto failure_with = [&](const auto& error)
    {
        try
        {
            // The second call is not made.
            agreed(impatient, [&] { agreed(impatient, [&] { throw error; }); });
        }
        catch (...)
        {
            CHECK_FALSE(impatient.knows(std::current_exception()));
            return failure_of(std::current_exception());
        }
        return Failure{"none", success};
    };
    for (const bool is_input : {true, false})
    {
        if (group.is_alone())
        {
            break;
        }
        if (group.is_first())
        {
            const auto failure =
                is_input ? failure_with(io::Error("x: unreadable")) : failure_with(std::runtime_error("y"));
            CHECK(failure.message == (is_input ? "x: unreadable" : "y"));
            CHECK(failure.code == (is_input ? bad_input : failed));
            CHECK_FALSE(failure.may_follow);
        }
        group.meet();
        if (!group.is_first())
        {
            // Lets the call of rank 0 end, so that the communicator can go.
            const int mine = group.size();
            int lowest = 0;
            MPI_Request request = MPI_REQUEST_NULL;
            MPI_Iallreduce(&mine, &lowest, 1, MPI_INT, MPI_MIN, same.ranks().mpi(), &request);
            MPI_Wait(&request, MPI_STATUS_IGNORE);
            CHECK(lowest == 0);
        }
        group.meet();
    }
}

TEST_CASE("the ranks of a node share its memory, and its cores where they may run on the same ones", "[io][group]")
{
    const auto group = all_ranks();
    const auto alone = resources_of_rank({});
    CHECK(alone.cores == static_cast<std::int64_t>(usable_cores()));
    CHECK(alone.memory_bytes > 0);
    const auto mine = resources_of_rank(group);
    CHECK(mine.cores >= 1);
    CHECK(mine.cores <= alone.cores);
    // What is free changes from one look to the next.
    CHECK(static_cast<double>(mine.memory_bytes) ==
          Approx(static_cast<double>(alone.memory_bytes) / group.size()).epsilon(0.3));

    // Where launchers bind ranks, each has all of its own cores; those that may run on the same ones share them.
    cpu_set_t first;
    CPU_ZERO(&first);
    for (std::size_t core = 0; CPU_COUNT(&first) == 0; ++core)
    {
        const auto usable = usable_core_set();
        if (CPU_ISSET(core, &usable))
        {
            CPU_SET(core, &first);
        }
    }
    const OnCores bound(first);
    CHECK(resources_of_rank({}).cores == 1);
    CHECK(resources_of_rank(group).cores == 1);
}

TEST_CASE("ranks with shared memory are those of a node", "[io][group]")
{
    const auto group = all_ranks();
    const Node node(group);
    CHECK(node.ranks().size() == group.size());
    CHECK(node.ranks().rank() == group.rank());
    const Node own(group, group.rank());
    CHECK(own.ranks().is_alone());
}

TEST_CASE("exceptions mean exit codes", "[io][group]")
{
    const auto of = [](const auto& error) { return failure_of(std::make_exception_ptr(error)); };
    CHECK(of(io::Error("a")).code == bad_input);
    CHECK(of(std::invalid_argument("a")).code == bad_input);
    CHECK(of(std::runtime_error("a\nb")).code == failed);
    CHECK(of(std::runtime_error("a\nb")).message == "a");
    CHECK(of(AgreedBadInput("a", MPI_COMM_WORLD)).code == bad_input);
    CHECK(of(AgreedError("a", MPI_COMM_WORLD)).code == failed);
    CHECK(of(CallError("a")).may_follow);
    CHECK_FALSE(of(std::runtime_error("a")).may_follow);
    CHECK(of(5).code == failed);
}

TEST_CASE("a failed call of MPI is quoted", "[io][group]")
{
    CHECK_NOTHROW(check_mpi(MPI_SUCCESS, "MPI_Barrier"));
    CHECK_THROWS_WITH(check_mpi(MPI_ERR_COMM, "MPI_Barrier(comm)"),
                      Catch::Contains("MPI_Barrier(comm) failed: ") && Catch::Contains("COMM"));
}

// What ranks agree upon, and how one that disagrees is named.

#include "io/base/error.hpp"
#include "io/base/host_name.hpp"
#include "src/config/compare.hpp"
#include "src/session/agreed.hpp"
#include "src/session/same_input.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/small_run.hpp"
#include "tests/support/world.hpp"

using namespace paws;

namespace
{
std::string named(int rank)
{
    return comm::rank_on_host(rank, io::host_name());
}

/// What all ranks throw, and its code; a rank alone throws what it likes.
template <class Work>
comm::Failure agreed_failure(const Work& work)
{
    try
    {
        work();
    }
    catch (const comm::AgreedFailure& failure)
    {
        return {failure.what(), failure.code()};
    }
    catch (const std::exception&)
    {
        REQUIRE(test::world()->is_alone());
        const auto failure = session::failure_of(std::current_exception());
        return {comm::first_line(failure.message), failure.code};
    }
    return {"none", comm::success};
}
}  // namespace

TEST_CASE("a failure of some ranks is one of all", "[comm]")
{
    const auto world = test::world();
    const int last = world->world_size() - 1;
    CHECK_NOTHROW(comm::agree(*world, std::nullopt));

    const auto same = agreed_failure([&] { comm::agree(*world, comm::Failure{"x: missing", comm::bad_input}); });
    CHECK(same.message == "x: missing");
    CHECK(same.code == comm::bad_input);

    const auto of_last = agreed_failure(
        [&]
        {
            session::agreed(*world,
                            [&]
                            {
                                if (world->rank() == last)
                                {
                                    throw io::Error("x: missing\nmore of it");
                                }
                            });
        });
    // A line break can only be that of a name, which is said whole.
    const std::string in_one_line = "x: missing\\nmore of it";
    CHECK(of_last.message == (last == 0 ? in_one_line : named(last) + ": " + in_one_line));
    CHECK(of_last.code == comm::bad_input);

    const auto each = agreed_failure(
        [&] {
            session::agreed(*world, [&]() -> int { throw std::runtime_error("of " + std::to_string(world->rank())); });
        });
    CHECK(each.message == (last == 0 ? "of 0" : named(0) + ": of 0"));
    CHECK(each.code == comm::failed);
    CHECK(session::agreed(*world, [&] { return std::make_unique<int>(world->rank()); }) != nullptr);
}

TEST_CASE("the first rank that says something else is found", "[comm]")
{
    const auto world = test::world();
    const int last = world->world_size() - 1;
    CHECK_FALSE(comm::find_disagreement(*world, "same").has_value());
    const auto found = comm::find_disagreement(*world, world->rank() == last ? "x" : "y\nz");
    REQUIRE(found.has_value() == (last > 0));
    if (found)
    {
        CHECK(found->rank == named(last));
        CHECK(found->first == named(0));
        CHECK(found->text == "x");
        CHECK(found->text_of_first == "y\nz");
    }
}

TEST_CASE("ranks with other settings or data are refused", "[comm]")
{
    const auto world = test::world();
    const int last = world->world_size() - 1;
    const test::SmallRun small;
    auto config = small.config("run");
    // Each rank has made its own files, at a place of its own.
    const auto paths = agreed_failure([&] { session::require_same_config(*world, config); });
    if (last > 0)
    {
        CHECK_THAT(paths.message,
                   Catch::Contains(named(1)) && Catch::Contains("data.file, data.subset, logging.folder"));
        CHECK(paths.code == comm::bad_input);
    }
    auto first = config::parse(comm::broadcast_text(*world, config.to_yaml(), 0), "rank 0's");
    CHECK_NOTHROW(session::require_same_config(*world, first));
    CHECK_NOTHROW(session::require_same_data(*world, first));
    if (last > 0 && world->rank() == last)
    {
        first.data.subset.reset();
    }
    const auto data = agreed_failure([&] { session::require_same_data(*world, first); });
    CHECK_THAT(data.message, Catch::Contains(last > 0 ? "labelled.txt is nothing, but" : "none"));
    first.data.file = world->rank() == last ? "/nowhere.h5" : *first.data.file;
    const auto missing = agreed_failure([&] { session::require_same_data(*world, first); });
    CHECK_THAT(missing.message, Catch::Contains("/nowhere.h5: there is no such file"));
    world->barrier();
}

TEST_CASE("data are told apart by their seals and sizes", "[comm]")
{
    const test::SmallRun small;
    auto data = small.config("run").data;
    const auto before = session::identity_of_data(data);
    CHECK_THAT(before, Catch::Contains("data.h5: ") && Catch::Contains("checksum") && Catch::Contains("labelled.txt"));
    io::DatasetContent other;
    other.class_names = {"a", "b", "c"};
    other.splits["train"] = test::striped_images(26, 3, 16);
    other.splits["train"].pixels[5] ^= 1;
    other.splits["val"] = test::striped_images(12, 3, 16);
    io::write_dataset(small.data(), other);
    CHECK(session::identity_of_data(data) != before);

    data = config::Data();
    data.root_path = PAWS_TEST_DATA;
    data.image_folder = "cifar-10-batches-py";
    CHECK_THAT(session::identity_of_data(data), Catch::Contains("cifar-10-batches-py: ") && Catch::Contains("files"));
}

TEST_CASE("exceptions mean exit codes", "[comm]")
{
    const auto of = [](const auto& error) { return session::failure_of(std::make_exception_ptr(error)); };
    CHECK(of(config::Error("a")).code == comm::bad_input);
    CHECK(of(io::Error("a")).code == comm::bad_input);
    CHECK(of(std::invalid_argument("a")).code == comm::bad_input);
    CHECK(of(std::runtime_error("a\nb")).code == comm::failed);
    CHECK(of(std::runtime_error("a\nb")).message == "a");
    CHECK(of(comm::AgreedFailure("a", 2)).code == comm::bad_input);
    CHECK(of(comm::Error("a")).may_follow);
    CHECK_FALSE(of(std::runtime_error("a")).may_follow);
    CHECK(of(5).code == comm::failed);
}

TEST_CASE("all keys that differ are found, those that decide on nothing too", "[comm]")
{
    const test::SmallRun small;
    const auto one = small.config("run").to_yaml();
    const auto other = small.config("other", {"meta.threads=3", "meta.seed=1"}).to_yaml();
    CHECK(config::differing_settings(one, other) ==
          std::vector<std::string>{"logging.folder", "meta.seed", "meta.threads"});
    CHECK(config::differing_settings(one, one).empty());
}

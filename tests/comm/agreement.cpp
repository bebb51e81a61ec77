// Ranks that were given other settings or data are named.

#include <fstream>
#include <functional>

#include "io/base/error.hpp"
#include "io/ranks/agreed.hpp"
#include "io/ranks/host_name.hpp"
#include "src/config/compare.hpp"
#include "src/data/samplers.hpp"
#include "src/session/same_input.hpp"

#include "tests/support/catch.hpp"
#include "tests/support/small_run.hpp"
#include "tests/support/world.hpp"

using namespace paws;

namespace
{
std::string named(int rank)
{
    return ranks::rank_on_host(rank, ranks::host_name());
}

/// What all ranks throw alike, as it is printed, and its code.
ranks::Failure agreed_failure(const std::function<void()>& work)
{
    try
    {
        work();
    }
    catch (const std::exception&)
    {
        return ranks::failure_of(std::current_exception());
    }
    return {"none", ranks::success};
}
}  // namespace

TEST_CASE("ranks with other settings or data are refused", "[comm]")
{
    const auto& group = test::world()->group();
    const int last = group.size() - 1;
    const test::SmallRun small;
    auto config = small.config("run");
    // Each rank has made its own files, at a place of its own.
    const auto paths = agreed_failure([&] { session::require_same_config(group, config); });
    if (last > 0)
    {
        CHECK_THAT(paths.message,
                   Catch::Contains(named(1)) && Catch::Contains("data.file, data.subset, logging.folder"));
        CHECK(paths.code == ranks::bad_input);
    }
    auto first = config::parse(group.broadcast(config.to_yaml()), "rank 0's");
    CHECK_NOTHROW(session::require_same_config(group, first));
    CHECK_NOTHROW(session::require_same_inputs(group, first));
    if (last > 0 && group.rank() == last)
    {
        first.data.subset.reset();
    }
    const auto data = agreed_failure([&] { session::require_same_inputs(group, first); });
    CHECK_THAT(data.message, Catch::Contains(last > 0 ? "labelled.txt is nothing, but" : "none"));
    first.data.file = group.rank() == last ? "/nowhere.h5" : *first.data.file;
    const auto missing = agreed_failure([&] { session::require_same_inputs(group, first); });
    CHECK_THAT(missing.message, Catch::Contains("/nowhere.h5: there is no such file"));
    group.meet();
}

TEST_CASE("data are told apart by their seals and sizes", "[comm]")
{
    const test::SmallRun small;
    auto config = small.config("run");
    const auto before = session::identity_of_inputs(config);
    CHECK_THAT(before, Catch::Contains("data.h5: ") && Catch::Contains("checksum") && Catch::Contains("labelled.txt"));
    io::DatasetContent other;
    other.class_names = {"a", "b", "c"};
    other.splits["train"] = test::striped_images(26, 3, 16);
    other.splits["train"].pixels[5] ^= 1;
    other.splits["val"] = test::striped_images(12, 3, 16);
    io::write_dataset(small.data(), other);
    CHECK(session::identity_of_inputs(config) != before);

    config.data = config::Data();
    config.data.root_path = PAWS_TEST_DATA;
    config.data.image_folder = "cifar-10-batches-py";
    CHECK_THAT(session::identity_of_inputs(config),
               Catch::Contains("cifar-10-batches-py: ") && Catch::Contains("files"));
}

TEST_CASE("ranks that would start from other checkpoints are refused", "[comm]")
{
    const auto& group = test::world()->group();
    const int last = group.size() - 1;
    const test::SmallRun small;
    auto config = config::parse(group.broadcast(small.config("run").to_yaml()), "rank 0's");
    const auto file = *config.data.file;
    const auto refused = [&](const std::function<void()>& work)
    {
        const auto failure = agreed_failure(work);
        CHECK_THAT(failure.message, Catch::Contains(last > 0 ? "data.h5 is nothing, but" : "none"));
        CHECK(failure.code == (last > 0 ? ranks::bad_input : ranks::success));
    };
    const bool differs = last > 0 && group.rank() == last;
    config.data = config::Data();
    config.data.dataset = config::Dataset::synthetic;
    config.meta.init_backbone = differs ? std::nullopt : std::optional(file);
    refused([&] { session::require_same_inputs(group, config); });
    config.meta.init_backbone.reset();
    config.logging.pretrain_path = differs ? "/nowhere.h5" : file;
    refused([&] { session::require_same_inputs(group, config); });
    refused([&] { session::require_same_file(group, differs ? "/nowhere.h5" : file); });
    CHECK_NOTHROW(session::require_same_file(group, file));
    group.meet();
}

TEST_CASE("the list of held-out images is among a run's inputs", "[comm]")
{
    const test::SmallRun small;
    auto config = small.config("run");
    config.data.dataset = config::Dataset::imagenet_fine_tune;
    config.data.subset_path = (small.folder / "").string();
    std::ofstream(small.folder / "val.txt") << "a\n";
    const auto before = session::identity_of_inputs(config);
    CHECK_THAT(before, Catch::Contains("val.txt"));
    std::ofstream(small.folder / "val.txt") << "b\n";
    CHECK(session::identity_of_inputs(config) != before);
}

TEST_CASE("settings and data that do not fit are bad input", "[comm]")
{
    const auto of = [](const auto& error) { return ranks::failure_of(std::make_exception_ptr(error)).code; };
    CHECK(of(config::Error("a")) == ranks::bad_input);
    CHECK(of(io::Error("a")) == ranks::bad_input);
    CHECK(of(data::SamplerError("a")) == ranks::bad_input);
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

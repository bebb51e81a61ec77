#include "src/commands/demo.hpp"

#include "io/checkpoint/checkpoint_file.hpp"
#include "src/commands/demo_tier.hpp"
#include "src/commands/training_speed.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/run_program.hpp"
#include "tests/support/small_run.hpp"

namespace
{
using namespace paws;
namespace fs = std::filesystem;

/// A small data set in the place of Fashion-MNIST's.
struct SmallDemo
{
    test::SmallRun small;
    fs::path folder = small.folder / "demo";

    SmallDemo()
    {
        fs::create_directories(folder);
        fs::copy_file(small.data(), folder / "fashion_mnist.h5");
    }

    commands::Summary run(const std::string& tier, bool keeps_size = false) const
    {
        return commands::demo(small.config("run"), {small.folder / "", folder, tier, keeps_size, {20, 0.05, 5e-4}});
    }
    io::NamedArrays weights() const { return io::read_checkpoint(folder / "run/small-latest.h5").encoder; }
};
}  // namespace

TEST_CASE("the demo trains as its tier says, the same each time", "[tasks]")
{
    const SmallDemo demo;
    const auto first = demo.run("tiny");
    CHECK(first["task"] == "demo");
    CHECK(first["tier"] == "tiny");
    CHECK(first["epochs"] == 1);
    CHECK(first["steps"] == 3);  // 26 images, 8 a step
    CHECK_FALSE(first.contains("speed_measured"));
    CHECK(fs::exists(demo.folder / "test_embeddings.h5"));
    const auto weights = demo.weights();
    const auto second = demo.run("tiny");
    CHECK(second["loss"] == first["loss"]);
    CHECK(second["top1"] == first["top1"]);
    CHECK((demo.weights() == weights));
}

TEST_CASE("without a tier the demo takes that of the speed it has measured", "[tasks]")
{
    const SmallDemo demo;
    const auto measured = demo.run("");
    REQUIRE(measured.contains("speed_measured"));
    const auto& tier = commands::tier_for(measured["speed_measured"]);
    CHECK(measured["tier"] == tier.name);
    CHECK(measured["epochs"] == tier.epochs);
    // Having measured changes nothing of what is trained.
    const auto weights = demo.weights();
    demo.run(tier.name);
    CHECK((demo.weights() == weights));
}

TEST_CASE("a number of epochs that the user has set goes before the demo's tiers", "[tasks]")
{
    const SmallDemo demo;
    const auto summary = demo.run("huge", true);
    CHECK(summary["epochs"] == 3);
    CHECK_FALSE(summary.contains("tier"));
    CHECK_THROWS_WITH(demo.run("enormous"), Catch::Contains("--tier: there is no 'enormous'"));

    const auto yaml = demo.small.folder / "small.yaml";
    test::write(yaml, demo.small.yaml("run"));
    const auto command = "demo " + yaml.string() + " --folder " + demo.folder.string();
    test::check_bad_input(command + " --tier enormous", {"--tier", "choose one of tiny, small, medium, usual"});
}

TEST_CASE("the speed of a training is measured and leaves nothing", "[tasks]")
{
    const test::SmallRun small;
    const auto config = small.config("run");
    const auto dataset = data::load_dataset(config, data::Splits::train);
    CHECK(commands::training_speed(config, dataset, device::Precision::fp32) > 0);
    CHECK_FALSE(fs::exists(small.folder / "run"));
}

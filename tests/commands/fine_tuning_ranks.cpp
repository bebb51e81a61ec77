// Runs of the fine-tuning tasks by many ranks: files, evaluation on fewer images than there are ranks, going on.

#include "io/checkpoint/checkpoint_file.hpp"
#include "src/commands/training.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/world_folder.hpp"

namespace
{
using namespace paws;

using MakeConfig = std::function<config::Config(const std::vector<std::string>&)>;

/// Two of the images that the small run is evaluated on: with three ranks, one has none.
data::Dataset with_two_to_evaluate(const config::Config& config)
{
    auto dataset = data::load_dataset(config, data::Splits::train_and_validation);
    auto& validation = dataset.validation;
    validation.pixels = validation.pixels.slice(0, 0, 2).clone();
    validation.labels.resize(2);
    validation.names.resize(2);
    return dataset;
}

void check_run(const MakeConfig& make, const std::string& run, const test::WorldFolder& shared)
{
    INFO(run << ", " << shared.world().world_size() << " ranks");
    const auto dataset = with_two_to_evaluate(make({}));
    const auto config_in = [&](const std::string& name)
    {
        auto config =
            make({"logging.folder=" + (shared / name).string(), "meta.precision=fp64", "optimization.epochs=2"});
        // Each rank has read its own copy.
        config.data.file = "data.h5";
        config.data.subset = "labelled.txt";
        return config;
    };
    const auto train = [&](const config::Config& config, std::optional<std::int64_t> stop_after = {}) {
        return commands::run_training(config, dataset, {"auto", {stop_after, {}, {}}, {}, true}, shared.world());
    };

    const auto ours = train(config_in("whole"));
    train(config_in("parts"), 1);
    CHECK(train(config_in("parts"))["epochs"] == 2);
    const auto checkpoint = [&](const std::string& folder)
    { return io::read_checkpoint(shared / folder / ("small-fine-tune" + run + "-latest.h5")); };
    const auto uninterrupted = checkpoint("whole"), parts = checkpoint("parts");
    CHECK((uninterrupted.encoder == parts.encoder));
    CHECK((uninterrupted.momentum == parts.momentum));
    CHECK((uninterrupted.progress == parts.progress));

    // The same by this rank alone.
    const test::Folder own;
    auto alone = config_in("alone");
    alone.logging.folder = (own / "alone").string();
    alone.meta.emulate_world = shared.world().world_size();
    const auto whole = commands::run_training(alone, dataset, {"auto", {}, {}, true});
    CHECK(ours["loss"].get<double>() == Approx(whole["loss"].get<double>()).epsilon(1e-9));
    CHECK(ours["top1"] == whole["top1"]);
    CHECK(ours["best_top1"] == whole["best_top1"]);
    CHECK(ours["steps"] == whole["steps"]);
}
}  // namespace

TEST_CASE("ranks fine-tune and evaluate together, and resume bit for bit", "[ranks]")
{
    const test::WorldFolder shared([](const std::filesystem::path&) {});
    // Every rank makes the same data and the same checkpoint to start from.
    const test::SmallRun small;
    commands::run_training(small.config("first", {"meta.precision=fp64"}), {"never", {1, {}, {}}, {}, true});
    check_run(
        [&](std::vector<std::string> overrides)
        {
            overrides.emplace_back("criterion.supervised_batch_size=1");
            return small.snn_config("run", overrides);
        },
        "-SNN", shared);
    check_run(
        [&](std::vector<std::string> overrides)
        {
            overrides.emplace_back("optimization.batch_size=3");
            return small.fine_tune_config("run", overrides);
        },
        "", shared);
    CHECK_THROWS_WITH(commands::run_training(small.fine_tune_config("run", {"optimization.batch_size=13"}),
                                             {"auto", {}, {}, true}, shared.world()),
                      Catch::Contains("optimization.batch_size"));
}

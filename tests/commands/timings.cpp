// logging.timings by any number of ranks: what is written, and when nothing is.

#include <fstream>
#include <nlohmann/json.hpp>

#include "io/hdf5/format.hpp"
#include "io/results/inspect.hpp"
#include "src/commands/training.hpp"
#include "src/profile/step_timings.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/world_folder.hpp"

namespace
{
using namespace paws;

config::Config config_in(const std::filesystem::path& folder, std::vector<std::string> overrides = {})
{
    const auto yaml = fmt::format(R"(task: paws_train
meta: {{model_name: wide_resnet16w1, output_dim: 16, use_pred_head: true, device: cpu, precision: fp32}}
criterion: {{unsupervised_batch_size: 4, classes_per_batch: 2, supervised_imgs_per_class: 2}}
data:
  dataset: synthetic
  num_classes: 2
  synthetic_train: 36
  crop_size: 16
  multicrop: 0
  label_smoothing: 0.1
optimization: {{epochs: 2, lr: 0.1}}
logging: {{folder: {}, write_tag: t, timings: true}}
)",
                                  folder.string());
    return config::parse(yaml, "timings.yaml", overrides);
}

commands::Summary run_on(const config::Config& config, const comm::World& world, const std::string& resume = "auto",
                         std::optional<std::int64_t> stop_after_epochs = {})
{
    return commands::run_training(config, {resume, {stop_after_epochs, {}, {}}, {}, true}, world);
}

nlohmann::json read_json(const std::filesystem::path& path)
{
    std::ifstream file(path);
    return nlohmann::json::parse(file);
}

/// /seconds and /step_seconds of the file: what is not overlapped adds up to the step, rank by rank.
void check_sums(const io::h5::File& file, std::size_t ranks, std::size_t steps)
{
    const auto seconds = file.dataset("seconds");
    REQUIRE((seconds.shape() == io::h5::Shape{ranks, steps, profile::step_phases}));
    const auto parts = seconds.read<float>();
    const auto totals = file.dataset("step_seconds").read<float>();
    REQUIRE(totals.size() == ranks * steps);
    for (std::size_t i = 0; i < totals.size(); ++i)
    {
        double sum = 0;
        for (std::size_t phase = 0; phase < profile::step_phases; ++phase)
        {
            const auto part = parts[i * profile::step_phases + phase];
            CHECK(part > -1e-6F);
            sum += profile::is_overlapped(phase) ? 0 : part;
        }
        CHECK(sum == Approx(totals[i]).epsilon(1e-4));
    }
}
}  // namespace

TEST_CASE("timings of all ranks are in one JSON and one HDF5 file", "[ranks]")
{
    const test::WorldFolder shared([](const std::filesystem::path&) {});
    const auto& world = shared.world();
    const auto ranks = static_cast<std::size_t>(world.world_size());
    const std::size_t epoch_steps = 36 / (4 * ranks);
    const auto config = config_in(shared / "run");
    const auto summary = run_on(config, world);
    shared.on_first(
        [&]
        {
            const auto json = read_json(shared / "run/t-timings.json");
            CHECK(json["world_size"] == ranks);
            CHECK(json["hosts"].size() == ranks);
            CHECK(json["steps"] == 2 * epoch_steps);
            CHECK(json["epoch_steps"] == epoch_steps);
            CHECK(json["warm_up_steps"] == 2);
            CHECK(json["pictures_per_step"] == 4 * ranks);
            CHECK(json["checkpoint_bytes"].get<std::size_t>() ==
                  std::filesystem::file_size(shared / "run/t-latest.h5"));
            REQUIRE(json["phases"].size() == profile::step_phases);
            for (const auto& [name, phase] : json["phases"].items())
            {
                CAPTURE(name);
                REQUIRE(phase["per_rank"].size() == ranks);
                CHECK(phase["min"] <= phase["median"]);
                CHECK(phase["median"] <= phase["max"]);
                CHECK(phase["per_rank"][ranks - 1]["count"] == 2 * epoch_steps - 2);
            }
            for (const auto* computing : {"forward", "loss", "backward", "update", "augmentation"})
            {
                CHECK(json["phases"][computing]["min"] > 0);
            }
            // On one rank there are calls as well, of which nothing is left but their own few instructions.
            CHECK(json["phases"]["communication"]["min"] > (ranks > 1 ? 1e-5 : -1e-9));
            CHECK(json["phases"]["checkpoint"]["per_rank"][0]["max"] > 0);
            CHECK(json["gradients"].size() > 20);
            CHECK(json["batch_norms"].size() > 5);
            // 4 supports of 16 numbers, of anchors and targets.
            CHECK(json["gathers"]["forward_bytes"] == 4 * 16 * 4 * 2);
            CHECK(json["gathers"]["backward_bytes"] == 4 * 16 * 4);

            const auto path = shared / "run/t-timings.h5";
            check_sums(io::open_verified(path, io::timings_format), ranks, 2 * epoch_steps);
            CHECK_THAT(io::describe(path), Catch::Contains("paws_train, wide_resnet16w1, fp32"));
            CHECK_THAT(summary["files"].dump(), Catch::Contains("t-timings.json"));
        });

    // Nothing is left to do: the files of the run stay as they are.
    run_on(config, world);
    shared.on_first([&] { CHECK(read_json(shared / "run/t-timings.json")["steps"] == 2 * epoch_steps); });
}

TEST_CASE("timings of a resumed run are those of its last start, and without the key there are none", "[ranks]")
{
    const test::WorldFolder shared([](const std::filesystem::path&) {});
    const auto& world = shared.world();
    const auto epoch_steps = 36 / (4 * world.world_size());
    const auto config = config_in(shared / "run");
    run_on(config, world, "never", 1);
    run_on(config, world);
    run_on(config_in(shared / "without", {"logging.timings=false"}), world);
    shared.on_first(
        [&]
        {
            const auto file = io::open_verified(shared / "run/t-timings.h5", io::timings_format);
            const auto epochs = file.dataset("epoch").read<std::int64_t>();
            CHECK(epochs == std::vector<std::int64_t>(static_cast<std::size_t>(epoch_steps), 2));
            CHECK(std::filesystem::exists(shared / "without/t-latest.h5"));
            CHECK_FALSE(std::filesystem::exists(shared / "without/t-timings.json"));
            CHECK_FALSE(std::filesystem::exists(shared / "without/t-timings.h5"));
        });
}

TEST_CASE("timings that cannot be written do not end the run", "[ranks]")
{
    const test::WorldFolder shared([](const std::filesystem::path&) {});
    shared.on_first([&] { std::filesystem::create_directories(shared / "run/t-timings.json"); });
    CHECK(run_on(config_in(shared / "run"), shared.world())["epochs"] == 2);
}

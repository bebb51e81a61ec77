#include "src/commands/baselines.hpp"

#include "io/checkpoint/checkpoint_file.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/small_run.hpp"

using namespace paws;

TEST_CASE("the baselines learn stripes from few labels and leave a network to start from", "[tasks]")
{
    const test::SmallRun small;
    // A flip turns the stripes of one class into those of another.
    const auto config = small.config("run", {"data.flip_probability=0"});
    const auto dataset = data::load_dataset(config, data::Splits::train_and_validation);
    const auto pixels = commands::pixel_neighbours(dataset);
    CHECK(pixels.top1 > 0.5);
    CHECK(pixels.top5 == 1.0);

    const auto path = small.folder / "labels_only.h5";
    const auto trained = commands::labels_only(dataset, config, device::Precision::fp32, {60, 0.05, 5e-4}, path);
    CHECK(trained.top1 > 0.8);
    CHECK(io::read_checkpoint(path).progress.iteration == 60);
}

TEST_CASE("the pixel baseline is chance where pixels say nothing", "[tasks]")
{
    const test::SmallRun small;
    auto dataset = data::load_dataset(small.config("run"), data::Splits::train_and_validation);
    dataset.validation.pixels = torch::full_like(dataset.validation.pixels, 7);
    CHECK(commands::pixel_neighbours(dataset).top1 == Approx(1.0 / 3).margin(0.01));
}

// Views on a GPU: made there, and sent there.

#include "src/data/view_place.hpp"
#include "src/device/device.hpp"
#include "tests/data/view_batches.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/gpu.hpp"
#include "tests/support/small_run.hpp"

namespace
{
using namespace paws;
using config::AugmentOn;
using test::augmented;
using test::augmenting_on;
using test::count_different;
using test::epoch_of;

/// Batches on the GPU, from either source, are those of the CPU, bit for bit: the augmentation computes in integers,
/// its few divisions are rounded as IEEE says, and the normalisation subtracts before it multiplies, so that nothing
/// can be contracted. Random choices that go through exp and sqrt are rounded to whole pixels.
template <class Loader>
void compare_devices(const data::Dataset& dataset, const config::Config& config, const data::RankShare& share = {})
{
    Loader cpu(dataset, config, share);
    Loader staged(dataset, augmenting_on(AugmentOn::host, config), share, torch::kCUDA);
    Loader made(dataset, augmenting_on(AugmentOn::device, config), share, torch::kCUDA);
    for (const int epoch : {0, 1, 2})
    {
        const auto expected = epoch_of(cpu, epoch);
        const auto from_host = epoch_of(staged, epoch), from_device = epoch_of(made, epoch);
        REQUIRE_FALSE(from_device.empty());
        CHECK(from_host[0].is_cuda());
        CHECK(from_device[0].is_cuda());
        CHECK(count_different(expected, from_host) == 0);
        CHECK(count_different(expected, from_device) == 0);
    }
}
}  // namespace

TEST_CASE("training batches on a GPU are those of a CPU", "[gpu]")
{
    if (!test::has_gpu())
    {
        return;
    }
    const test::SmallRun small;
    const auto paws = small.config("run", augmented({"data.multicrop=3"}));
    const auto dataset = data::load_dataset(paws, data::Splits::train);
    compare_devices<data::PawsLoader>(dataset, paws);
    compare_devices<data::PawsLoader>(dataset, paws, {0, 2, 2});
    compare_devices<data::LabelledLoader>(dataset, small.snn_config("run", augmented()));
    compare_devices<data::LabelledLoader>(dataset, small.fine_tune_config("run"));
}

TEST_CASE("views too large for fast scratch memory are those of a CPU", "[gpu]")
{
    if (!test::has_gpu())
    {
        return;
    }
    const test::SmallRun small;
    const auto config = small.config(
        "run", augmented({"data.file=null", "data.subset=null", "data.dataset=synthetic", "data.num_classes=3",
                          "data.synthetic_train=26", "data.synthetic_height=375", "data.synthetic_width=500",
                          "data.crop_size=224", "data.small_crop_size=96", "data.multicrop=2",
                          "data.crop_scale=[0.05, 1]", "data.synthetic_validation=12"}));
    compare_devices<data::PawsLoader>(data::load_dataset(config, data::Splits::train), config);
    // Many taps: the tables do not fit either.
    const auto huge =
        small.config("run", augmented({"data.file=null", "data.subset=null", "data.dataset=synthetic",
                                       "data.num_classes=3", "data.synthetic_train=26", "data.synthetic_height=2000",
                                       "data.synthetic_width=3000", "data.crop_size=224", "data.small_crop_size=33",
                                       "data.multicrop=1", "data.synthetic_validation=12"}));
    compare_devices<data::PawsLoader>(data::load_dataset(huge, data::Splits::train), huge);
}

TEST_CASE("views of evaluation on a GPU are those of a CPU", "[gpu]")
{
    if (!test::has_gpu())
    {
        return;
    }
    const test::SmallRun small;
    const auto config =
        small.config("run", {"data.evaluation_batch_size=5", "data.eval_crop_size=12", "data.eval_resize=14"});
    const auto dataset = data::load_dataset(config, data::Splits::train);
    const auto rows = dataset.train.all_rows();
    const auto views = [&](AugmentOn where, torch::Device device)
    { return test::all_views(data::EvaluationLoader(dataset.train, augmenting_on(where, config), rows, device)); };
    const auto expected = views(AugmentOn::host, torch::kCPU);
    CHECK(count_different(expected, views(AugmentOn::host, torch::kCUDA)) == 0);
    CHECK(count_different(expected, views(AugmentOn::device, torch::kCUDA)) == 0);
}

TEST_CASE("on a GPU that has room for the images it makes their views", "[gpu]")
{
    if (!test::has_gpu())
    {
        return;
    }
    const test::SmallRun small;
    const auto config = small.config("run");
    auto dataset = data::load_dataset(config, data::Splits::train);
    const auto on_device = [&](AugmentOn where)
    { return data::augments_on_device(augmenting_on(where, config).data, dataset.train, torch::kCUDA); };
    CHECK(on_device(AugmentOn::automatic));
    CHECK_FALSE(on_device(AugmentOn::host));
    CHECK(on_device(AugmentOn::device));
    const auto* const copy = dataset.train.pixels_on(torch::kCUDA).data_ptr();
    CHECK(dataset.train.lie_on(torch::kCUDA));
    CHECK(dataset.train.pixels_on(torch::kCUDA).data_ptr() == copy);

    // More than there is, of one image that counts as many.
    data::Images large;
    const auto rows = device::free_gpu_bytes() / (16 * 16 * 3) + 2;
    large.pixels = torch::empty({1, 16, 16, 3}, torch::kUInt8).expand({rows, 16, 16, 3});
    const auto decide = [&](AugmentOn where)
    { return data::augments_on_device(augmenting_on(where, config).data, large, torch::kCUDA); };
    CHECK_FALSE(decide(AugmentOn::automatic));
    CHECK_THROWS_WITH(decide(AugmentOn::device),
                      Catch::Contains("data.augment_on: device") && Catch::Contains("of the GPU's memory"));
    large.pixels = large.pixels.slice(0, 0, rows / 2);
    CHECK_FALSE(decide(AugmentOn::automatic));
    CHECK(decide(AugmentOn::device));
}

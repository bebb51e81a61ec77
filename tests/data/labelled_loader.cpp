// Batches of labelled images: which images, in which order, and what the settings may not ask for.

#include "src/data/labelled_loader.hpp"

#include <map>

#include "src/data/augmentation.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/small_run.hpp"

namespace
{
using namespace paws;

std::vector<data::Batch> labelled_epoch(data::LabelledLoader& loader, std::int64_t epoch)
{
    std::vector<data::Batch> batches;
    loader.start_epoch(epoch);
    while (auto batch = loader.next())
    {
        batches.push_back(*batch);
    }
    return batches;
}

std::vector<std::int64_t> values_of(const torch::Tensor& classes)
{
    return {classes.data_ptr<std::int64_t>(), classes.data_ptr<std::int64_t>() + classes.numel()};
}
}  // namespace

TEST_CASE("snn_fine_tune takes class-stratified batches, as often as a class has images for them", "[data]")
{
    const test::SmallRun small;
    const auto config = small.snn_config("run");
    const auto dataset = data::load_dataset(config, data::Splits::train);
    data::LabelledLoader loader(dataset, config);
    // 12 labelled images of 3 classes in batches of 2 a class: two passes.
    CHECK(loader.steps_per_epoch() == 2);
    const auto batches = labelled_epoch(loader, 0);
    REQUIRE(batches.size() == 2);
    for (const auto& batch : batches)
    {
        CHECK(batch.supports.sizes() == torch::IntArrayRef({3 * 2 * 2, 3, 16, 16}));
        const auto classes = values_of(batch.classes);
        for (std::size_t i = 3; i < classes.size(); ++i)
        {
            CHECK(classes[i] == classes[i - 3]);
        }
        CHECK(std::set<std::int64_t>(classes.begin(), classes.end()).size() == 3);
        // The second view of an image is another one.
        CHECK_FALSE(batch.supports.slice(0, 0, 6).equal(batch.supports.slice(0, 6)));
    }
    auto two = config;
    two.criterion.classes_per_batch = 1;
    CHECK(data::LabelledLoader(dataset, two).steps_per_epoch() == 6);
    auto large = config;
    large.criterion.supervised_batch_size = 3;
    CHECK(data::LabelledLoader(dataset, large).steps_per_epoch() == 1);
}

TEST_CASE("a loader that resumes from a state gives what the first one would have given", "[data]")
{
    const test::SmallRun small;
    const auto config = small.snn_config("run");
    const auto dataset = data::load_dataset(config, data::Splits::train);
    data::LabelledLoader one(dataset, config);
    labelled_epoch(one, 0);
    data::LabelledLoader other(dataset, config);
    other.restore_samplers(one.sampler_state());
    const auto expected = labelled_epoch(one, 1), found = labelled_epoch(other, 1);
    REQUIRE(expected.size() == found.size());
    for (std::size_t i = 0; i < found.size(); ++i)
    {
        CHECK(found[i].supports.equal(expected[i].supports));
        CHECK(found[i].classes.equal(expected[i].classes));
    }
    auto state = one.sampler_state();
    state.erase("support_epoch");
    CHECK_THROWS_WITH(other.restore_samplers(state), Catch::Contains("support_epoch"));
    // Published checkpoints have none.
    CHECK_NOTHROW(other.restore_samplers({}));
}

TEST_CASE("fine_tune takes each labelled image once, another order in each epoch", "[data]")
{
    const test::SmallRun small;
    const auto config = small.fine_tune_config("run");
    const auto dataset = data::load_dataset(config, data::Splits::train);
    data::LabelledLoader loader(dataset, config);
    CHECK(loader.sampler_state().empty());
    CHECK(loader.steps_per_epoch() == 3);
    const auto batches = labelled_epoch(loader, 0);
    REQUIRE(batches.size() == 3);
    std::map<std::int64_t, int> counts;
    for (const auto& batch : batches)
    {
        CHECK(batch.supports.sizes() == torch::IntArrayRef({4, 3, 16, 16}));
        for (const auto k : values_of(batch.classes))
        {
            ++counts[k];
        }
    }
    CHECK(counts == std::map<std::int64_t, int>{{0, 4}, {1, 4}, {2, 4}});
    CHECK_FALSE(labelled_epoch(loader, 1)[0].supports.equal(batches[0].supports));
    CHECK(labelled_epoch(loader, 0)[0].supports.equal(batches[0].supports));
    // Two ranks have half of the images each, in batches of the same size.
    CHECK(data::LabelledLoader(dataset, config, {1, 1, 2}).steps_per_epoch() == 1);
}

TEST_CASE("without random crops a view is the image itself, or the square in its middle", "[data]")
{
    const test::SmallRun small;
    const auto config = small.fine_tune_config("run", {"data.flip_probability=0"});
    REQUIRE_FALSE(config.data.random_crop);
    const auto pixels = torch::randint(0, 256, {1, 16, 20, 3}, torch::kUInt8);
    auto data = config.data;
    data.normalize = false;
    const auto view = data::make_views(pixels, data::large_view_spec(data), {1, 2}, {0}, {3});
    const auto middle = pixels.slice(2, 2, 18).permute({0, 3, 1, 2}).to(torch::kFloat32) / 255;
    CHECK((view - middle).abs().max().item<double>() < 1e-6);
}

TEST_CASE("batches that cannot be filled with labelled images are refused", "[data]")
{
    const test::SmallRun small;
    const auto fine_tune = small.fine_tune_config("run", {"optimization.batch_size=7"});
    const auto dataset = data::load_dataset(fine_tune, data::Splits::train);
    CHECK_NOTHROW(data::LabelledLoader(dataset, fine_tune));
    CHECK_THROWS_WITH(data::LabelledLoader(dataset, fine_tune, {0, 1, 2}), Catch::Contains("optimization.batch_size") &&
                                                                               Catch::Contains("12 labelled") &&
                                                                               Catch::Contains("lower it to 6"));
    CHECK_THROWS_WITH(data::LabelledLoader(dataset, fine_tune, {0, 1, 20}), Catch::Contains("start fewer ranks"));

    const auto two = small.snn_config("run", {"criterion.classes_per_batch=2"});
    CHECK_THROWS_WITH(data::LabelledLoader(dataset, two),
                      Catch::Contains("criterion.classes_per_batch") && Catch::Contains("3 classes"));
    CHECK_THROWS_WITH(
        data::load_dataset(small.snn_config("run", {"criterion.supervised_batch_size=5"}), data::Splits::train),
        Catch::Contains("class 'a' has 4 labelled images") && Catch::Contains("criterion.supervised_batch_size"));
}

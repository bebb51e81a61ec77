#include "src/data/paws_loader.hpp"

#include "src/config/config.hpp"
#include "src/data/augmentation.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/small_run.hpp"

using namespace paws;

TEST_CASE("batches have the published order and depend on epoch and position alone", "[data]")
{
    const test::SmallRun small;
    const auto config = small.config("run");
    const auto dataset = data::load_dataset(config, data::Splits::train);
    data::PawsLoader loader(dataset, config);
    REQUIRE(loader.steps_per_epoch() == 3);

    std::vector<data::Batch> first;
    loader.start_epoch(0);
    while (auto batch = loader.next())
    {
        first.push_back(*batch);
    }
    REQUIRE(first.size() == 3);
    CHECK(first[0].supports.sizes() == torch::IntArrayRef({3 * 2 * 2, 3, 16, 16}));
    CHECK(first[0].large.sizes() == torch::IntArrayRef({2 * 8, 3, 16, 16}));
    CHECK(first[0].small.sizes() == torch::IntArrayRef({8, 3, 8, 8}));
    CHECK(first[0].large.is_contiguous(torch::MemoryFormat::ChannelsLast));
    CHECK_FALSE(first[0].large.slice(0, 0, 8).equal(first[0].large.slice(0, 8)));
    CHECK_FALSE(first[0].supports.slice(0, 0, 6).equal(first[0].supports.slice(0, 6)));

    data::PawsLoader again(dataset, config);
    again.start_epoch(0);
    for (const auto& batch : first)
    {
        const auto other = again.next();
        REQUIRE(other);
        CHECK(other->supports.equal(batch.supports));
        CHECK(other->large.equal(batch.large));
        CHECK(other->small.equal(batch.small));
    }
    again.start_epoch(1);
    CHECK_FALSE(again.next()->large.equal(first[0].large));
}

TEST_CASE("an epoch may be left early", "[data]")
{
    const test::SmallRun small;
    const auto config = small.config("run");
    const auto dataset = data::load_dataset(config, data::Splits::train);
    data::PawsLoader loader(dataset, config);
    loader.start_epoch(0);
    REQUIRE(loader.next());
    loader.start_epoch(1);
    REQUIRE(loader.next());
}

TEST_CASE("an image's view is the same in any batch", "[data]")
{
    const test::SmallRun small;
    const auto config = small.config("run");
    const auto dataset = data::load_dataset(config, data::Splits::train);
    const auto spec = data::large_view_spec(config.data);
    const auto many = data::make_views(dataset.train.pixels, spec, {0, 4}, {3, 9, 5}, {0, 1, 1});
    const auto alone = data::make_views(dataset.train.pixels, spec, {0, 4}, {9}, {1});
    CHECK(many[1].equal(alone[0]));
    CHECK_FALSE(data::make_views(dataset.train.pixels, spec, {1, 4}, {9}, {1}).equal(alone));
}

TEST_CASE("data sets that do not fit the configuration are refused in words", "[data]")
{
    const test::SmallRun small;
    const auto load = [&](const std::vector<std::string>& overrides)
    { return data::load_dataset(small.config("run", overrides), data::Splits::train_and_validation); };
    CHECK_THROWS_WITH(load({"data.file=/nowhere/data.h5"}), Catch::Contains("/nowhere/data.h5"));
    CHECK_THROWS_WITH(load({"data.subset=/nowhere/list.txt"}), Catch::Contains("/nowhere/list.txt"));
    CHECK_THROWS_WITH(load({"data.train_split=test"}), Catch::Contains("test") && Catch::Contains("val"));
    CHECK_THROWS_WITH(load({"data.num_classes=4"}), Catch::Contains("has 3 classes"));
    CHECK_THROWS_WITH(load({"data.unlabelled_count=27"}), Catch::Contains("of the 26 images"));
    CHECK(load({"data.unlabelled_count=5"}).unlabelled.size() == 5);

    const auto dataset = data::load_dataset(small.config("run"), data::Splits::train);
    const auto config = small.config("run", {"criterion.supervised_imgs_per_class=5"});
    CHECK_THROWS_AS(data::PawsLoader(dataset, config), data::SamplerError);
    const auto too_large = small.config("run", {"criterion.unsupervised_batch_size=27"});
    CHECK_THROWS_AS(data::PawsLoader(dataset, too_large), data::SamplerError);
}

// Views made where the images lie are those of the host's threads, bit for bit; and where views are made.

#include "src/data/resident_views.hpp"

#include <utility>

#include "src/data/augmentation.hpp"
#include "src/data/view_place.hpp"
#include "tests/data/view_batches.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/encoded_images.hpp"

namespace
{
using namespace paws;
using config::AugmentOn;
using test::augmented;
using test::augmenting_on;
using test::count_different;
using test::epoch_of;

/// What both sources make of two epochs, the second from its second step on.
template <class Loader>
void compare_sources(const data::Dataset& dataset, const config::Config& config, const data::RankShare& share = {})
{
    Loader host(dataset, augmenting_on(AugmentOn::host, config), share);
    Loader device(dataset, augmenting_on(AugmentOn::device, config), share);
    const auto first = epoch_of(host, 0);
    CHECK_FALSE(first.empty());
    CHECK(count_different(first, epoch_of(device, 0)) == 0);
    const auto second = epoch_of(host, 1, 1);
    CHECK(count_different(second, epoch_of(device, 1, 1)) == 0);
    CHECK((host.sampler_state() == device.sampler_state()));
    CHECK(device.seconds_waited() == 0);
    CHECK(device.seconds_making() == 0);
    CHECK(device.corrupt().empty());
    // The comparison notices other views.
    CHECK(count_different(first, epoch_of(device, 2)) > 0);
}

data::Dataset train_of(const config::Config& config)
{
    return data::load_dataset(config, data::Splits::train);
}
}  // namespace

TEST_CASE("both sources make the same views for PAWS", "[data]")
{
    const test::SmallRun small;
    const auto config = small.config("run", augmented({"data.multicrop=3", "criterion.unsupervised_batch_size=4"}));
    const auto dataset = train_of(config);
    compare_sources<data::PawsLoader>(dataset, config);
    compare_sources<data::PawsLoader>(dataset, small.config("run", augmented({"data.multicrop=0"})));
    // The batches of two of three ranks, which share out four labelled images of a class.
    const auto few =
        augmented({"data.multicrop=3", "criterion.unsupervised_batch_size=4", "criterion.supervised_imgs_per_class=1"});
    compare_sources<data::PawsLoader>(dataset, small.config("run", few), {1, 2, 3});
}

TEST_CASE("both sources make the same views for SuNCEt, with supports and without", "[data]")
{
    const test::SmallRun small;
    const auto config = small.suncet_config("run", augmented({"criterion.supervised_epochs=1"}));
    compare_sources<data::PawsLoader>(train_of(config), config);
}

TEST_CASE("both sources make the same views of labelled images", "[data]")
{
    const test::SmallRun small;
    const auto snn = small.snn_config("run", augmented());
    const auto dataset = train_of(snn);
    compare_sources<data::LabelledLoader>(dataset, snn);
    compare_sources<data::LabelledLoader>(dataset, snn, {0, 2, 2});
    compare_sources<data::LabelledLoader>(dataset, small.fine_tune_config("run"));
}

TEST_CASE("both sources make the same views of evaluation", "[data]")
{
    const test::SmallRun small;
    const auto config =
        small.config("run", {"data.evaluation_batch_size=5", "data.eval_crop_size=12", "data.eval_resize=14"});
    const auto dataset = train_of(config);
    const std::vector<std::int64_t> rows{25, 0, 7, 7, 3, 1, 24, 2};
    const auto views = [&](AugmentOn where)
    { return test::all_views(data::EvaluationLoader(dataset.train, augmenting_on(where, config), rows)); };
    const auto host = views(AugmentOn::host);
    REQUIRE(host.size() == 2);
    CHECK(host[1].size(0) == 3);
    CHECK(count_different(host, views(AugmentOn::device)) == 0);
}

TEST_CASE("images that come again have views of their own from both sources", "[data]")
{
    const test::SmallRun small;
    // Memory is for 64 MiB of them.
    const auto config =
        small.config("run", {"data.file=null", "data.subset=null", "data.dataset=synthetic", "data.num_classes=3",
                             "data.synthetic_train=500", "data.synthetic_height=340", "data.synthetic_width=320"});
    const auto dataset = train_of(config);
    REQUIRE(dataset.train.pixels.size(0) < 250);
    const auto row = dataset.train.pixels.size(0) - 1;
    const auto plan = [&, given = false]() mutable -> std::optional<data::BatchPlan>
    {
        data::BatchPlan one;
        one.kinds = {data::RandomView{data::large_view_spec(config.data), {1, 2}}};
        one.counts = {3};
        one.images = {{row, {{0, 5, 2}}}, {row + dataset.train.pixels.size(0), {{0, 5, 0}, {0, 6, 1}}}};
        one.classes = {4, 5};
        return std::exchange(given, true) ? std::nullopt : std::optional(one);
    };
    data::ViewPipeline host(dataset.train, {}, plan);
    data::ResidentViews device(dataset.train.pixels, false, plan);
    const auto from_host = host.next(), from_device = device.next();
    REQUIRE((from_host && from_device));
    CHECK(count_different(from_host->views, from_device->views) == 0);
    CHECK(from_device->classes.equal(torch::tensor({4, 5}, torch::kInt64)));
    CHECK(from_host->classes.equal(from_device->classes));
    CHECK_FALSE(from_device->views[0][0].equal(from_device->views[0][2]));
    CHECK_FALSE(device.next());
    CHECK_FALSE(device.next());
}

TEST_CASE("views that are reused are made once where the images lie, too", "[data]")
{
    const test::SmallRun small;
    const auto config = augmenting_on(
        AugmentOn::device,
        small.config("run", {"data.file=null", "data.subset=null", "data.dataset=synthetic", "data.num_classes=3",
                             "data.synthetic_train=26", "data.synthetic_validation=12", "data.reuse_views=true"}));
    const auto dataset = train_of(config);
    data::PawsLoader loader(dataset, config), other(dataset, augmenting_on(AugmentOn::host, config));
    const auto views = epoch_of(loader, 1);
    REQUIRE(views.size() == 9);
    CHECK(views[4].data_ptr() == views[1].data_ptr());
    CHECK(count_different(epoch_of(other, 1), views) == 0);
    CHECK((loader.sampler_state() == other.sampler_state()));
}

TEST_CASE("what goes wrong while a batch is planned is thrown where it is asked for", "[data]")
{
    data::ResidentViews views(torch::zeros({1, 4, 4, 3}, torch::kUInt8), false,
                              []() -> std::optional<data::BatchPlan> { throw std::runtime_error("no plan"); });
    CHECK_THROWS_WITH(views.next(), Catch::Contains("no plan"));
}

TEST_CASE("on a CPU the host's threads make views, unless the configuration says otherwise", "[data]")
{
    const test::SmallRun small;
    const auto config = small.config("run");
    const auto dataset = train_of(config);
    const auto on_device = [&](AugmentOn where)
    { return data::augments_on_device(augmenting_on(where, config).data, dataset.train, torch::kCPU); };
    CHECK_FALSE(on_device(AugmentOn::automatic));
    CHECK_FALSE(on_device(AugmentOn::host));
    CHECK(on_device(AugmentOn::device));
    CHECK(dataset.train.lie_on(torch::kCPU));
    CHECK_FALSE(dataset.train.lie_on(torch::kCUDA));
    CHECK(dataset.train.pixels_on(torch::kCPU).data_ptr() == dataset.train.pixels.data_ptr());
}

TEST_CASE("images that cannot lie on the device are refused where they shall", "[data]")
{
    const test::SmallRun small;
    const auto stored = small.config("run", {"data.augment_on=device", "data.cache_gb=0"});
    CHECK_THROWS_WITH(train_of(stored),
                      Catch::Contains("data.augment_on: device") && Catch::Contains("raise data.cache_gb"));

    const test::Folder folder;
    test::write_encoded(folder / "pets.h5", {"cat", "dog"}, {{"train", test::encoded_split({"cat", "dog"}, 8)}});
    const auto file = fmt::format("dataset: hdf5, file: {}, unlabeled_frac: 0", (folder / "pets.h5").string());
    CHECK_THROWS_WITH(train_of(test::photographs_config(file, {"data.augment_on=device"})),
                      Catch::Contains("data.augment_on: device") && Catch::Contains("images of one size") &&
                          Catch::Contains("leave it at auto"));
    const auto automatic = test::photographs_config(file);
    const auto dataset = train_of(automatic);
    CHECK_FALSE(data::augments_on_device(automatic.data, dataset.train, torch::kCPU));
    // Of files, not even on a GPU.
    CHECK_FALSE(data::augments_on_device(automatic.data, dataset.train, torch::kCUDA));
    CHECK_THROWS_AS(data::PawsLoader(dataset, test::photographs_config(file, {"data.augment_on=device"})),
                    config::Error);
}

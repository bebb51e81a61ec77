#include "src/data/synthetic.hpp"

#include "io/checkpoint/checkpoint_file.hpp"
#include "src/commands/describe_run.hpp"
#include "src/commands/training.hpp"
#include "src/data/paws_loader.hpp"
#include "tests/commands/train_alone.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/small_run.hpp"

namespace
{
using namespace paws;
using test::train_alone;

const std::vector<std::string> few{"data.file=null",     "data.subset=null",        "data.dataset=synthetic",
                                   "data.num_classes=3", "data.synthetic_train=26", "data.synthetic_validation=12"};

/// A small run on synthetic images in place of its files.
std::vector<std::string> synthetic(std::vector<std::string> more = {})
{
    more.insert(more.begin(), few.begin(), few.end());
    return more;
}

config::Config shipped(const std::string& name, std::vector<std::string> overrides = {})
{
    overrides.emplace_back("data.dataset=synthetic");
    return config::load(std::string(PAWS_SOURCE_DIR) + "/configs/" + name, overrides);
}

}  // namespace

TEST_CASE("synthetic images are of any shape, and the same for the same seed", "[data]")
{
    const test::SmallRun small;
    const auto load = [&](const std::string& seed, const std::string& train = "26")
    {
        return data::load_dataset(
            small.config("run", synthetic({"meta.seed=" + seed, "data.synthetic_train=" + train,
                                           "data.synthetic_height=21", "data.synthetic_width=33"})),
            data::Splits::train_and_validation);
    };
    const auto dataset = load("5");
    CHECK(dataset.classes() == 3);
    CHECK(dataset.train.pixels.sizes() == torch::IntArrayRef({26, 21, 33, 3}));
    CHECK(dataset.validation.pixels.size(0) == 12);
    CHECK(dataset.train.labels[0] == 0);
    CHECK(dataset.train.labels[25] == 1);
    CHECK(dataset.labelled.size() == 26);
    CHECK(dataset.unlabelled.size() == 26);
    CHECK(dataset.train.names[25] == "train/25");

    const auto same = load("5");
    CHECK(same.train.pixels.equal(dataset.train.pixels));
    CHECK(same.validation.pixels.equal(dataset.validation.pixels));
    CHECK_FALSE(load("6").train.pixels.equal(dataset.train.pixels));
    CHECK_FALSE(dataset.train.pixels.slice(0, 0, 12).equal(dataset.validation.pixels));
    // What a longer one has before its end is the same.
    CHECK(load("5", "40").train.pixels.slice(0, 0, 26).equal(dataset.train.pixels));

    // By their class they are alike, and still not the same.
    const auto pixels = dataset.train.pixels.to(torch::kFloat64);
    const auto distance = [&](int a, int b) { return (pixels[a] - pixels[b]).abs().mean().item<double>(); };
    CHECK(distance(0, 3) > 1);
    CHECK(distance(0, 3) < distance(0, 1));
}

TEST_CASE("more synthetic images than memory holds come again, with their class", "[data]")
{
    const test::SmallRun small;
    const auto config = small.config(
        "run", synthetic({"data.synthetic_train=1000000", "data.synthetic_height=300", "data.synthetic_width=300"}));
    const auto dataset = data::load_dataset(config, data::Splits::train);
    CHECK(dataset.train.count() == 1'000'000);
    CHECK(dataset.train.bytes() <= std::int64_t{64} << 20);
    CHECK(dataset.train.pixels.size(0) % 3 == 0);
    data::PawsLoader loader(dataset, config);
    CHECK(loader.steps_per_epoch() == 125'000);
    loader.start_epoch(0);
    CHECK(loader.next()->large.isfinite().all().item<bool>());
}

TEST_CASE("published configurations with synthetic images have the published shapes and steps", "[data]")
{
    const auto cifar = shipped("paws/cifar10_train.yaml");
    CHECK(cifar.data.crop_size == 32);
    CHECK(cifar.data.small_crop_size == 18);
    CHECK(cifar.data.synthetic_height == 32);
    CHECK(cifar.data.num_classes == 10);
    CHECK(cifar.data.synthetic_train == 50'000);
    const auto imagenet = shipped("paws/imgnt_train.yaml");
    CHECK(imagenet.data.crop_size == 224);
    CHECK(imagenet.data.synthetic_height == 256);
    CHECK(imagenet.data.synthetic_width == 256);
    CHECK(imagenet.data.num_classes == 1000);
    CHECK(imagenet.data.synthetic_train == 1'281'167);
    CHECK(shipped("paws/imgnt_train.yaml", {"data.crop_size=32", "data.num_classes=1000"}).data.synthetic_height == 32);
    for (const auto* name : {"paws/cifar10_snn.yaml", "paws/imgnt_fine_tune.yaml", "suncet/imgnt_train.yaml"})
    {
        CHECK(shipped(name).data.synthetic_train > 0);
    }
    CHECK(config::parse(cifar.to_yaml(), "again.yaml") == cifar);

    const auto dataset = data::load_dataset(cifar, data::Splits::train);
    CHECK(dataset.labelled.size() == 50'000);
    CHECK(data::PawsLoader(dataset, cifar).steps_per_epoch() == 195);
    const auto text = commands::describe_run(shipped("paws/cifar10_train.yaml", {"meta.device=cpu"}), 1, {});
    CHECK_THAT(text, Catch::Contains("synthetic: 50000 training images"));
}

TEST_CASE("every training task runs on synthetic images", "[train]")
{
    const test::SmallRun small;
    const auto one_epoch = synthetic({"optimization.epochs=1"});
    const auto first = train_alone(small.config("first", one_epoch));
    CHECK(first["steps"] == 3);
    CHECK(first.contains("top1"));
    CHECK(train_alone(small.suncet_config("suncet", one_epoch))["steps"] == 3);
    CHECK(train_alone(small.snn_config("snn", one_epoch))["steps"] > 0);
    CHECK(train_alone(small.fine_tune_config("tuned", one_epoch))["steps"] > 0);
}

TEST_CASE("views that are reused are those of the first step", "[data]")
{
    const test::SmallRun small;
    const auto config = small.config("run", synthetic({"data.reuse_views=true"}));
    const auto fresh_config = small.config("run", synthetic());
    const auto dataset = data::load_dataset(config, data::Splits::train);
    data::PawsLoader loader(dataset, config), fresh(dataset, fresh_config);
    for (const int epoch : {0, 1})
    {
        loader.start_epoch(epoch);
        fresh.start_epoch(epoch);
        const auto first = fresh.next();
        std::int64_t steps = 0;
        while (const auto batch = loader.next())
        {
            CHECK(batch->supports.equal(first->supports));
            CHECK(batch->large.equal(first->large));
            CHECK(batch->small.equal(first->small));
            CHECK((loader.seconds_making() > 0) == (steps == 0));
            ++steps;
        }
        CHECK(steps == loader.steps_per_epoch());
        while (fresh.next())
        {
            CHECK(fresh.seconds_making() > 0);
        }
        CHECK((loader.sampler_state() == fresh.sampler_state()));
    }
}

TEST_CASE("what does not fit synthetic images is refused", "[config]")
{
    const test::SmallRun small;
    const auto refuses = [&](std::vector<std::string> overrides, const std::string& key, const std::string& remedy)
    {
        CAPTURE(key);
        CHECK_THROWS_WITH(small.config("run", overrides), Catch::Contains(key + ": ") && Catch::Contains(remedy));
    };
    refuses(synthetic({"data.file=x.h5"}), "data.file", "leave it out");
    refuses(synthetic({"data.subset=x.txt"}), "data.subset", "all are labelled");
    refuses(synthetic({"data.num_classes=1"}), "data.num_classes", "must be at least 2");
    refuses(synthetic({"data.synthetic_train=2"}), "data.synthetic_train", "an image of each class");
    refuses(synthetic({"data.synthetic_validation=0"}), "data.synthetic_validation", "must be at least 1");
    refuses(synthetic({"data.synthetic_height=0"}), "data.synthetic_height", "must be at least 1");
    refuses(synthetic({"data.synthetic_width=-1"}), "data.synthetic_width", "must be at least 1");
    for (const std::string key : {"synthetic_train", "synthetic_validation", "synthetic_height", "synthetic_width"})
    {
        refuses({"data." + key + "=9"}, "data." + key, "that is hdf5");
    }
    refuses({"data.reuse_views=true"}, "data.reuse_views", "is for data.dataset: synthetic");
}

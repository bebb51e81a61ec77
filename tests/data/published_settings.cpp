// The published keys and lists choose the published images; a user's own data need no more than a folder.
#include "io/dataset/label_draw.hpp"
#include "io/dataset/subset_file.hpp"
#include "src/data/dataset.hpp"
#include "src/data/paws_loader.hpp"
#include "tests/config/config_samples.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/encoded_images.hpp"

using namespace paws;
using Rows = std::vector<std::int64_t>;
using data::Splits;

namespace
{
void write_lines(const std::filesystem::path& path, const std::vector<std::string>& lines)
{
    std::filesystem::create_directories(path.parent_path());
    std::ofstream file(path);
    for (const auto& line : lines)
    {
        file << line << "\n";
    }
}

/// root/imagenet.h5 beside where the folder would be, with two of ImageNet's classes, and root/lists.
struct PublishedImageNet
{
    test::Folder root;

    PublishedImageNet()
    {
        const std::vector<std::string> classes{"n01440764", "n01443537"};
        test::write_encoded(root / "imagenet.h5", classes,
                            {{"train", test::encoded_split(classes, 10)}, {"val", test::encoded_split(classes, 2)}});
    }

    std::vector<std::string> settings(std::vector<std::string> more = {}) const
    {
        more.push_back("data.root_path=" + (root / "").string());
        more.push_back("data.image_folder=imagenet/");
        more.push_back("data.subset_path=" + (root / "lists").string());
        more.push_back("data.num_classes=2");
        return more;
    }

    config::Config training(const std::vector<std::string>& overrides = {}) const
    {
        return test::photographs_config("dataset: imagenet, unlabeled_frac: 0.9", settings(overrides));
    }

    config::Config fine_tuning(const std::vector<std::string>& overrides = {}) const
    {
        return config::parse(test::fine_tune_yaml, "fine_tune.yaml", settings(overrides));
    }
};

config::Config cifar10(const test::Folder& lists, std::vector<std::string> overrides)
{
    overrides.push_back("data.subset_path=" + (lists / "").string());
    return test::photographs_config(fmt::format("dataset: cifar10, root_path: {}, image_folder: \"\"", PAWS_TEST_DATA),
                                    overrides);
}
}  // namespace

TEST_CASE("ImageNet: the list that unlabeled_frac names, by names of files", "[data]")
{
    const PublishedImageNet imagenet;
    write_lines(imagenet.root / "lists/90percent.txt",
                {"n01440764_3.JPEG", "n01443537_0.JPEG", "n01440764_9.JPEG", "n01443537_7.JPEG"});
    const auto dataset = data::load_dataset(imagenet.training(), Splits::train_and_validation);
    CHECK(dataset.labelled == Rows{3, 10, 9, 17});
    CHECK(dataset.labelled_targets() == Rows{0, 1, 0, 1});
    CHECK(dataset.unlabelled.size() == 20);
    CHECK(dataset.validation.count() == 4);
    CHECK(dataset.held_out.empty());
    CHECK(dataset.notes.empty());
    CHECK(dataset.source == (imagenet.root / "imagenet.h5").string());
    CHECK(dataset.read_from == dataset.source);
    // And it trains.
    const auto config = imagenet.training();
    data::PawsLoader loader(dataset, config);
    loader.start_epoch(0);
    CHECK(loader.next());
}

TEST_CASE("ImageNet: without that list, labels are kept by the published coin", "[data]")
{
    const PublishedImageNet imagenet;
    const auto config = imagenet.training({"data.unlabeled_frac=0.5", "criterion.supervised_imgs_per_class=1"});
    const auto dataset = data::load_dataset(config, Splits::train);
    const auto kept = io::toss_for_labels(20, 0.5, io::published_coin_seed);
    CHECK(dataset.labelled == Rows(kept.begin(), kept.end()));
    REQUIRE(dataset.notes.size() == 1);
    CHECK_THAT(dataset.notes[0], Catch::Contains("50percent.txt") && Catch::Contains("coin") &&
                                     Catch::Contains(fmt::format("{} of 20", kept.size())));
    // data.data_seed is another key's business, as published.
    const auto seeded =
        imagenet.training({"data.unlabeled_frac=0.5", "data.data_seed=152", "criterion.supervised_imgs_per_class=1"});
    CHECK(data::load_dataset(seeded, Splits::train).labelled == dataset.labelled);
    // Without any unlabelled share, all are labelled, list or not.
    CHECK(data::load_dataset(imagenet.training({"data.unlabeled_frac=0"}), Splits::train).labelled.size() == 20);
    // A coin that leaves a class without labels says so.
    CHECK_THROWS_WITH(data::load_dataset(imagenet.training({"data.unlabeled_frac=0.99"}), Splits::train),
                      Catch::Contains("data.unlabeled_frac: 0.99") && Catch::Contains("'n0144"));
}

TEST_CASE("ImageNet: fine-tuning has the labelled list, the held-out list and the validation split", "[data]")
{
    const PublishedImageNet imagenet;
    write_lines(imagenet.root / "lists/90percent.txt", {"n01440764_3.JPEG", "n01443537_0.JPEG"});
    CHECK(data::load_dataset(imagenet.fine_tuning(), Splits::train).held_out.empty());

    write_lines(imagenet.root / "lists/val.txt", {"n01443537_5.JPEG", "n01440764_1.JPEG"});
    const auto dataset = data::load_dataset(imagenet.fine_tuning(), Splits::train_and_validation);
    CHECK(dataset.labelled == Rows{3, 10});
    CHECK(dataset.held_out == Rows{15, 1});
    CHECK(dataset.validation.count() == 4);
    CHECK(dataset.notes.empty());
    // The held-out images can be what is trained on, for a last run.
    const auto all = data::load_dataset(imagenet.fine_tuning({"data.unlabeled_frac=-1"}), Splits::train);
    CHECK(all.labelled == Rows{15, 1});

    write_lines(imagenet.root / "lists/val.txt", {"n01443537_5.JPEG", "n01440764_3.JPEG"});
    const auto mixed = data::load_dataset(imagenet.fine_tuning(), Splits::train);
    REQUIRE(mixed.notes.size() == 1);
    CHECK_THAT(mixed.notes[0], Catch::Contains("1 of the 2 held-out images"));

    write_lines(imagenet.root / "lists/val.txt", {"n09999999_1.JPEG"});
    CHECK_THROWS_WITH(data::load_dataset(imagenet.fine_tuning(), Splits::train),
                      Catch::Contains("val.txt, line 1") && Catch::Contains("n09999999_1.JPEG"));
    std::filesystem::remove(imagenet.root / "lists/val.txt");
    CHECK_THROWS_WITH(data::load_dataset(imagenet.fine_tuning({"data.unlabeled_frac=-1"}), Splits::train),
                      Catch::Contains("val.txt"));
}

TEST_CASE("CIFAR-10: the list that data_seed names, by positions", "[data]")
{
    const test::Folder lists;
    // Two of each class of the 300 images.
    const auto all = data::load_dataset(cifar10(lists, {"data.unlabeled_frac=0"}), Splits::train_and_validation);
    CHECK(all.labelled.size() == static_cast<std::size_t>(all.train.count()));
    CHECK(all.classes() == 10);
    CHECK(all.validation.count() > 0);
    CHECK(all.train.in_memory());
    const auto drawn = io::draw_subset_per_class(all.train.labels, 10, 2, 0);
    io::write_subset(lists / "spc.4000_split.152.txt", drawn);
    const std::vector<std::string> published{"data.unlabeled_frac=0.92", "data.data_seed=152"};
    const auto dataset = data::load_dataset(cifar10(lists, published), Splits::train);
    CHECK(dataset.labelled == Rows(drawn.begin(), drawn.end()));
    // copy_data, which the published file has, means nothing for images that are read into memory once.
    auto copies = published;
    copies.emplace_back("data.copy_data=true");
    CHECK(data::load_dataset(cifar10(lists, copies), Splits::train).labelled == dataset.labelled);
    // As published, a list that is missing is an error and no coin is tossed.
    CHECK_THROWS_WITH(
        data::load_dataset(cifar10(lists, {"data.unlabeled_frac=0.92", "data.data_seed=7"}), Splits::train),
        Catch::Contains("spc.4000_split.7.txt"));
}

TEST_CASE("data of two classes and any size, from a packed file alone", "[data]")
{
    const test::Folder folder;
    test::write_encoded(folder / "mine.h5", {"good", "bad"}, {{"train", test::encoded_split({"good", "bad"}, 5)}});
    const auto config = test::photographs_config(
        fmt::format("dataset: folder, file: {}, unlabeled_frac: 0", (folder / "mine.h5").string()),
        {"data.mean=[0.1, 0.2, 0.3]", "data.std=[0.5, 0.5, 0.5]", "data.crop_size=20", "data.small_crop_size=12",
         "data.crop_scale=[0.3, 1.0]", "data.small_crop_scale=[0.1, 0.3]"});
    const auto dataset = data::load_dataset(config, Splits::train);
    CHECK(dataset.classes() == 2);
    CHECK(dataset.labelled.size() == 10);
    CHECK_FALSE(dataset.train.in_memory());
    data::PawsLoader loader(dataset, config);
    REQUIRE(loader.steps_per_epoch() == 2);
    loader.start_epoch(0);
    const auto batch = loader.next();
    REQUIRE(batch);
    CHECK(batch->large.sizes() == torch::IntArrayRef({8, 3, 20, 20}));
    CHECK(batch->small.sizes() == torch::IntArrayRef({4, 3, 12, 12}));
    // Black is -mean / std, white (1 - mean) / std.
    CHECK(batch->large.select(1, 0).min().item<float>() >= -0.2F - 1e-5F);
    CHECK(batch->large.select(1, 2).max().item<float>() <= 1.4F + 1e-5F);
}

TEST_CASE("labels that an own data set keeps by the coin are those of its order", "[data]")
{
    const test::Folder folder;
    test::write_encoded(folder / "mine.h5", {"a", "b"}, {{"train", test::encoded_split({"a", "b"}, 20)}});
    const auto config = test::photographs_config(
        fmt::format("dataset: hdf5, file: {}, unlabeled_frac: 0.5", (folder / "mine.h5").string()));
    const auto kept = io::toss_for_labels(40, 0.5, io::published_coin_seed);
    CHECK(data::load_dataset(config, Splits::train).labelled == Rows(kept.begin(), kept.end()));
}

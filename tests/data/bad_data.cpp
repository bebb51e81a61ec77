// Data that are wrong in some way: refused by name, with the remedy, before or while they are used.
#include "io/dataset/subset_file.hpp"
#include "src/data/dataset.hpp"
#include "src/data/paws_loader.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/encoded_images.hpp"

using namespace paws;
using data::Splits;

namespace
{
const std::vector<std::string> cat_and_dog{"cat", "dog"};

/// A packed file of six photographs of cats and six of dogs.
struct Photographs
{
    test::Folder folder;
    test::EncodedSplit train = test::encoded_split(cat_and_dog, 6);

    std::filesystem::path file() const { return folder / "pets.h5"; }

    config::Config config(const std::vector<std::string>& overrides = {}) const
    {
        return test::photographs_config(fmt::format("dataset: folder, file: {}, unlabeled_frac: 0", file().string()),
                                        overrides);
    }

    data::Dataset load(const std::vector<std::string>& overrides = {}) const
    {
        return data::load_dataset(config(overrides), Splits::train);
    }

    void pack() const { test::write_encoded(file(), cat_and_dog, {{"train", train}}); }

    std::filesystem::path list(const std::string& text) const
    {
        std::ofstream(folder / "list.txt") << text;
        return folder / "list.txt";
    }
};

void run_epoch(data::PawsLoader& loader)
{
    loader.start_epoch(0);
    while (loader.next())
    {
    }
}

/// Puts other bytes where `old` stands, in the same file.
void overwrite(const std::filesystem::path& path, const std::string& old, const std::string& bytes)
{
    const auto at = test::bytes_of(path).find(old);
    REQUIRE(at != std::string::npos);
    std::fstream stream(path, std::ios::binary | std::ios::in | std::ios::out);
    stream.seekp(static_cast<std::streamoff>(at));
    stream << bytes;
}
}  // namespace

TEST_CASE("a class without a labelled image is named", "[data]")
{
    Photographs photographs;
    photographs.train = test::encoded_split({"cat"}, 6);
    photographs.pack();
    CHECK_THROWS_WITH(photographs.load(), Catch::Contains("'dog' has 0 labelled images"));
    // Without supports to draw, it does no harm.
    CHECK(data::load_dataset(config::parse(fmt::format("task: embed\nmeta: {{model_name: resnet18}}\ndata: {{dataset: "
                                                       "folder, file: {}}}\nlogging: {{folder: runs}}\n",
                                                       photographs.file().string()),
                                           "embed.yaml"),
                             Splits::train)
              .train.count() == 6);
}

TEST_CASE("a class with fewer labelled images than a batch takes is named, with the setting", "[data]")
{
    const Photographs photographs;
    photographs.pack();
    const auto list = "data.subset=" + photographs.list("0\n1\n2\n6\n").string();
    CHECK_THROWS_WITH(photographs.load({list}), Catch::Contains("'dog' has 1 labelled image,") &&
                                                    Catch::Contains("fewer than the 2") &&
                                                    Catch::Contains("criterion.supervised_imgs_per_class"));
    CHECK(photographs.load({list, "criterion.supervised_imgs_per_class=1"}).labelled.size() == 4);
}

TEST_CASE("an image whose file has no extension, or a wrong one, is what its bytes are", "[data]")
{
    Photographs photographs;
    photographs.train.names[0] = "cat/portrait";
    photographs.train.names[1] = "cat/picture.txt";
    photographs.train.images[2] = test::image_bytes(3);  // a PNG named .JPEG
    photographs.pack();
    const auto config = photographs.config();
    const auto dataset = photographs.load();
    data::PawsLoader loader(dataset, config);
    CHECK_NOTHROW(run_epoch(loader));
}

TEST_CASE("a cut-off JPEG ends the epoch by name, or is replaced and named when that is allowed", "[data]")
{
    Photographs photographs;
    photographs.train.images[7] = test::truncated_image();
    photographs.pack();
    const auto config = photographs.config();
    const auto dataset = photographs.load();
    data::PawsLoader strict(dataset, config);
    CHECK_THROWS_WITH(run_epoch(strict),
                      Catch::Contains("dog/dog_1.JPEG") && Catch::Contains("data.skip_broken: true"));

    const auto lenient = photographs.config({"data.skip_broken=true"});
    data::PawsLoader loader(dataset, lenient);
    CHECK_NOTHROW(run_epoch(loader));
    const auto corrupt = loader.corrupt();
    REQUIRE(corrupt.size() == 1);
    CHECK_THAT(*corrupt.begin(), Catch::Contains("dog/dog_1.JPEG"));
}

TEST_CASE("a label without a class is refused", "[data]")
{
    Photographs photographs;
    photographs.train.labels[3] = 2;
    photographs.pack();
    CHECK_THROWS_WITH(photographs.load(), Catch::Contains("pets.h5") && Catch::Contains("image 3 has label 2") &&
                                              Catch::Contains("2 classes"));
}

TEST_CASE("a file whose images were changed since they were packed is refused by the image", "[data]")
{
    const Photographs photographs;
    photographs.pack();
    auto bytes = photographs.train.images[0];
    bytes[bytes.size() / 2] ^= 1;
    overwrite(photographs.file(), photographs.train.images[0], bytes);
    const auto dataset = photographs.load();
    const auto config = photographs.config();
    data::PawsLoader loader(dataset, config);
    CHECK_THROWS_WITH(run_epoch(loader), Catch::Contains("pets.h5") && Catch::Contains("checksum"));
}

TEST_CASE("a file that is overwritten while it is being read is refused by the image", "[data]")
{
    const Photographs photographs;
    photographs.pack();
    const auto config = photographs.config({"data.cache_gb=0"});
    const auto dataset = data::load_dataset(config, Splits::train);
    data::PawsLoader loader(dataset, config);
    CHECK_NOTHROW(run_epoch(loader));
    const auto& first = photographs.train.images[0];
    overwrite(photographs.file(), first, std::string(first.size(), '\0'));
    CHECK_THROWS_WITH(run_epoch(loader), Catch::Contains("checksum"));
}

TEST_CASE("a file that is cut off while it is being read is refused", "[data]")
{
    const Photographs photographs;
    photographs.pack();
    const auto config = photographs.config({"data.cache_gb=0"});
    const auto dataset = data::load_dataset(config, Splits::train);
    data::PawsLoader loader(dataset, config);
    std::filesystem::resize_file(photographs.file(), std::filesystem::file_size(photographs.file()) / 4);
    CHECK_THROWS_WITH(run_epoch(loader), Catch::Contains("pets.h5"));
}

TEST_CASE("a run resumes with the file that it opened when another takes its place", "[data]")
{
    Photographs photographs;
    photographs.pack();
    const auto config = photographs.config({"data.cache_gb=0"});
    const auto dataset = data::load_dataset(config, Splits::train);
    data::PawsLoader loader(dataset, config);
    loader.start_epoch(0);
    const auto before = loader.next();
    for (auto& image : photographs.train.images)
    {
        image = test::image_bytes(2);
    }
    test::write_encoded(photographs.folder / "other.h5", cat_and_dog, {{"train", photographs.train}});
    std::filesystem::rename(photographs.folder / "other.h5", photographs.file());
    loader.start_epoch(0);
    const auto after = loader.next();
    REQUIRE((before && after));
    CHECK(before->large.equal(after->large));
}

TEST_CASE("lists that do not belong to the data are refused by their line", "[data]")
{
    const Photographs photographs;
    photographs.pack();
    const auto load = [&](const std::string& text)
    { return photographs.load({"data.subset=" + photographs.list(text).string()}); };
    CHECK_THROWS_WITH(load("cat_0.JPEG\ncat_77.JPEG\n"), Catch::Contains("list.txt, line 2") &&
                                                             Catch::Contains("'cat_77.JPEG'") &&
                                                             Catch::Contains("list of this data set"));
    CHECK_THROWS_WITH(load("n01440764_10026.JPEG\n"), Catch::Contains("line 1"));
    CHECK_THROWS_WITH(load("0\n49999\n"), Catch::Contains("line 2") && Catch::Contains("49999"));
    CHECK_THROWS_WITH(load("cat_0.JPEG\ncat_0.JPEG\n"), Catch::Contains("twice"));
    CHECK_THROWS_WITH(load("\n"), Catch::Contains("names no image"));
}

TEST_CASE("a split that is missing is named with those that are there", "[data]")
{
    const Photographs photographs;
    photographs.pack();
    CHECK_THROWS_WITH(data::load_dataset(photographs.config(), Splits::train_and_validation),
                      Catch::Contains("no split 'val'") && Catch::Contains("train"));
    CHECK_THROWS_WITH(photographs.load({"data.train_split=test"}), Catch::Contains("no split 'test'"));
}

TEST_CASE("without a folder and without a packed file, both are named", "[data]")
{
    const test::Folder folder;
    const auto config =
        test::photographs_config("dataset: imagenet, unlabeled_frac: 0",
                                 {"data.root_path=" + (folder / "").string(), "data.image_folder=none/"});
    CHECK_THROWS_WITH(data::load_dataset(config, Splits::train),
                      Catch::Contains("data.dataset: imagenet") && Catch::Contains((folder / "none").string()) &&
                          Catch::Contains("none.h5") && Catch::Contains("data.image_folder"));
}

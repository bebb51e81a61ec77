#include <functional>
#include <numeric>

#include "io/dataset/dataset_file.hpp"
#include "tests/io/files.hpp"

using namespace paws::test;
using namespace paws::io;
using Labels = std::vector<std::int64_t>;

namespace
{
ImageSet made_up(std::size_t count, std::size_t height, std::size_t width)
{
    ImageSet set;
    set.height = height;
    set.width = width;
    set.pixels.resize(count * height * width * 3);
    for (std::size_t i = 0; i < set.pixels.size(); ++i)
    {
        set.pixels[i] = static_cast<std::uint8_t>(i * 7 + i / 251);
    }
    for (std::size_t i = 0; i < count; ++i)
    {
        set.labels.push_back(static_cast<std::int64_t>(i % 3));
        set.names.push_back("picture-" + std::to_string(i));
    }
    return set;
}

DatasetContent made_up_content()
{
    return {{"cat", "dog", "grün"}, {{"train", made_up(300, 5, 7)}, {"val", made_up(4, 5, 7)}}};
}

void check_equal(const ImageSet& a, const ImageSet& b)
{
    CHECK(a.height == b.height);
    CHECK(a.width == b.width);
    CHECK(a.pixels == b.pixels);
    CHECK(a.labels == b.labels);
    CHECK(a.names == b.names);
}

/// A data set as another program may make it, without checksums, to be changed for the worse.
h5::File foreign(const std::filesystem::path& path, const Labels& labels = {0, 1})
{
    h5::File file = h5::File::create(path);
    file.set_attribute<std::string>("format", "paws-dataset");
    file.set_attribute<std::int64_t>("version", 1);
    file.write_strings("class_names", {"a", "b"});
    file.write<std::int64_t>("train/labels", labels, {labels.size()});
    file.write_strings("train/names", std::vector<std::string>(labels.size(), "x"));
    return file;
}

template <typename Change>
void check_refused_with(Change change, std::initializer_list<std::string> parts)
{
    const TemporaryFolder folder;
    h5::File file = foreign(folder / "file.h5");
    change(file);
    file.save();
    check_refused([&] { DatasetFile(folder / "file.h5"); }, parts);
}
}  // namespace

TEST_CASE("a data set is read as it was written", "[io]")
{
    const TemporaryFolder folder;
    const DatasetContent content = made_up_content();
    write_dataset(folder / "data.h5", content);
    const DatasetFile file(folder / "data.h5");
    CHECK(file.class_names() == content.class_names);
    CHECK(file.split_names() == std::vector<std::string>{"train", "val"});
    CHECK(file.has_split("val"));
    CHECK_FALSE(file.has_split("test"));
    CHECK(file.count("train") == 300);
    CHECK(file.height("train") == 5);
    CHECK(file.width("train") == 7);
    CHECK_FALSE(file.is_encoded("train"));
    CHECK(file.labels("val") == Labels{0, 1, 2, 0});
    CHECK(file.names("val").back() == "picture-3");
    check_equal(file.read("train"), content.splits.at("train"));
    check_equal(file.read("val"), content.splits.at("val"));
}

TEST_CASE("a range of images is read across chunks", "[io]")
{
    const TemporaryFolder folder;
    const DatasetContent content = made_up_content();
    write_dataset(folder / "data.h5", content);
    const DatasetFile file(folder / "data.h5");
    constexpr std::size_t image = 5 * 7 * 3;
    std::vector<std::uint8_t> out(60 * image);
    file.read_images("train", 230, 60, out);
    const auto begin = content.splits.at("train").pixels.begin() + 230 * image;
    CHECK(std::equal(out.begin(), out.end(), begin));
    check_refused([&] { file.read_images("train", 250, 60, out); }, {"data.h5:/train/images", "250 to 310", "300"});
    check_refused([&] { file.read_images("train", 0, 1, out); }, {"data.h5:/train/images", "elements given"});
}

TEST_CASE("equal data sets give equal files", "[io]")
{
    const TemporaryFolder folder;
    write_dataset(folder / "a.h5", made_up_content());
    write_dataset(folder / "b.h5", made_up_content());
    CHECK(contents(folder / "a.h5") == contents(folder / "b.h5"));
}

TEST_CASE("a split that is not there is refused with those that are", "[io]")
{
    const TemporaryFolder folder;
    write_dataset(folder / "data.h5", made_up_content());
    const DatasetFile file(folder / "data.h5");
    check_refused([&] { file.read("test"); }, {"data.h5", "no split 'test'", "train, val"});
    check_refused([&] { (void)file.count("test"); }, {"no split 'test'"});
    check_refused([&] { file.names("test"); }, {"no split 'test'"});
}

TEST_CASE("content that does not hold together is not written", "[io]")
{
    const TemporaryFolder folder;
    const auto check = [&](auto change, std::initializer_list<std::string> parts)
    {
        DatasetContent content = made_up_content();
        change(content);
        check_refused([&] { write_dataset(folder / "data.h5", content); }, parts);
        CHECK(folder.entries() == 0);
    };
    check([](DatasetContent& c) { c.class_names.clear(); }, {"data.h5", "class names"});
    check([](DatasetContent& c) { c.splits.clear(); }, {"data.h5", "split"});
    check([](DatasetContent& c) { c.splits["test"]; }, {"'test'", "no images"});
    check([](DatasetContent& c) { c.splits["val"].pixels.pop_back(); }, {"'val'", "4 labels", "do not match"});
    check([](DatasetContent& c) { c.splits["val"].names.pop_back(); }, {"'val'", "3 names", "do not match"});
    check([](DatasetContent& c) { c.splits["val"].labels[2] = 3; }, {"'val'", "image 2 has label 3", "3 classes"});
    check([](DatasetContent& c) { c.splits["val"].labels[1] = -1; }, {"'val'", "image 1 has label -1"});
}

TEST_CASE("a data set made by another program is read without checksums", "[io]")
{
    const TemporaryFolder folder;
    h5::File file = foreign(folder / "file.h5");
    const std::vector<std::uint8_t> pixels(2 * 4 * 5 * 3, 9);
    file.write<std::uint8_t>("train/images", pixels, {2, 4, 5, 3});
    file.save();
    CHECK(DatasetFile(folder / "file.h5").read("train").pixels == pixels);
}

TEST_CASE("encoded images are recognised but not read as images", "[io]")
{
    const TemporaryFolder folder;
    h5::File file = foreign(folder / "file.h5");
    file.write<std::uint8_t>("train/encoded", std::vector<std::uint8_t>(10), {10});
    file.write<std::uint64_t>("train/offsets", std::vector<std::uint64_t>{0, 4, 10}, {3});
    file.save();
    const DatasetFile dataset(folder / "file.h5");
    CHECK(dataset.is_encoded("train"));
    CHECK(dataset.count("train") == 2);
    check_refused([&] { dataset.read("train"); }, {"file.h5", "'train'", "encoded images"});
    check_refused([&] { (void)dataset.height("train"); }, {"encoded images"});
}

TEST_CASE("the bytes of encoded images are read", "[io]")
{
    const TemporaryFolder folder;
    h5::File file = foreign(folder / "file.h5");
    const std::vector<std::uint8_t> bytes = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
    file.write<std::uint8_t>("train/encoded", bytes, {10});
    file.write<std::uint64_t>("train/offsets", std::vector<std::uint64_t>{0, 4, 10}, {3});
    file.write<std::int64_t>("val/labels", Labels{1}, {1});
    file.write_strings("val/names", {"y"});
    file.write<std::uint8_t>("val/encoded", bytes, {10});
    file.write<std::uint64_t>("val/offsets", std::vector<std::uint64_t>{0, 10}, {2});
    file.write<std::uint32_t>("val/checksums", std::vector<std::uint32_t>{0xfedcba98}, {1});
    file.write<std::uint32_t>("val/sizes", std::vector<std::uint32_t>{375, 500}, {1, 2});
    file.write_strings("val/skipped", {"z: is empty"});
    file.save();
    const DatasetFile dataset(folder / "file.h5");
    CHECK(dataset.offsets("train") == std::vector<std::uint64_t>{0, 4, 10});
    CHECK(dataset.checksums("train").empty());
    CHECK(dataset.sizes("train").empty());
    CHECK(dataset.skipped("train").empty());
    CHECK(dataset.checksums("val") == std::vector<std::uint32_t>{0xfedcba98});
    CHECK(dataset.sizes("val") == std::vector<std::uint32_t>{375, 500});
    CHECK(dataset.skipped("val") == std::vector<std::string>{"z: is empty"});
    std::vector<std::uint8_t> out(6);
    dataset.read_encoded("train", 4, 6, out);
    CHECK(out == std::vector<std::uint8_t>{4, 5, 6, 7, 8, 9});
    check_refused([&] { dataset.read_encoded("train", 5, 6, out); }, {"file.h5:/train/encoded", "5 to 11", "10"});
    check_refused([&] { dataset.read_encoded("train", 0, 5, out); }, {"file.h5:/train/encoded", "elements given"});
    check_refused([&] { dataset.offsets("test"); }, {"no split 'test'"});

    write_dataset(folder / "images.h5", made_up_content());
    const DatasetFile images(folder / "images.h5");
    for (const auto& read :
         std::initializer_list<std::function<void()>>{
             [&] { images.offsets("train"); }, [&] { images.checksums("train"); }, [&] { images.sizes("train"); },
             [&] { images.skipped("train"); }, [&] { images.read_encoded("train", 0, 6, out); }})
    {
        check_refused(read, {"images.h5", "'train'", "not encoded", "pack --format imagefolder"});
    }
}

TEST_CASE("encoded images that do not hold together are refused by name", "[io]")
{
    const TemporaryFolder folder;
    const auto open = [&](const std::vector<std::uint64_t>& offsets, auto change)
    {
        h5::File file = foreign(folder / "file.h5");
        file.write<std::uint8_t>("train/encoded", std::vector<std::uint8_t>(10), {10});
        file.write<std::uint64_t>("train/offsets", offsets, {offsets.size()});
        change(file);
        file.save();
        return DatasetFile(folder / "file.h5");
    };
    const auto nothing = [](h5::File&) {};
    for (const std::vector<std::uint64_t>& wrong :
         {std::vector<std::uint64_t>{1, 4, 10}, {0, 4, 9}, {0, 4, 11}, {0, 11, 10}})
    {
        check_refused([&] { open(wrong, nothing).offsets("train"); },
                      {"file.h5:/train/offsets", "ascend from 0 to 10", "make the file again"});
    }
    check_refused([&] { open({0, 10}, nothing); }, {"/train/offsets", "[N + 1]"});
    check_refused(
        [&]
        {
            open({0, 4, 10},
                 [](h5::File& file) { file.dataset("train/offsets").set_attribute<std::int64_t>("crc32", 7); })
                .offsets("train");
        },
        {"file.h5:/train/offsets", "checksum"});
    check_refused(
        [&]
        {
            open({0, 4, 10}, [](h5::File& file)
                 { file.write<std::uint32_t>("train/checksums", std::vector<std::uint32_t>{1}, {1}); })
                .checksums("train");
        },
        {"/train/checksums", "whole numbers [2]"});
    check_refused(
        [&]
        {
            open({0, 4, 10},
                 [](h5::File& file) {
                     file.write<std::uint32_t>("train/sizes", std::vector<std::uint32_t>{1, 2}, {2});
                 })
                .sizes("train");
        },
        {"/train/sizes", "whole numbers [2, 2]"});
    check_refused_with(
        [](h5::File& f)
        {
            f.write<std::int64_t>("train/encoded", Labels(10), {10});
            f.write<std::uint64_t>("train/offsets", std::vector<std::uint64_t>{0, 4, 10}, {3});
        },
        {"/train/encoded", "uint8 [bytes]"});
}

TEST_CASE("files of other formats and newer versions are refused by name", "[io]")
{
    check_refused_with([](h5::File& f) { f.set_attribute<std::string>("format", "paws-checkpoint"); },
                       {"file.h5", "is a paws-checkpoint file", "give a paws-dataset"});
    check_refused_with([](h5::File& f) { f.set_attribute<std::int64_t>("version", 2); },
                       {"file.h5", "version 2", "up to 1", "newer paws_hpc"});
    const TemporaryFolder folder;
    h5::File::create(folder / "bare.h5").save();
    check_refused([&] { DatasetFile(folder / "bare.h5"); }, {"bare.h5", "no attribute 'format'"});
}

TEST_CASE("files that do not hold together are refused by name", "[io]")
{
    const std::vector<std::uint8_t> bytes(1000);
    const std::span pixels(bytes);
    check_refused_with([](h5::File&) {}, {"file.h5:/train", "no data set 'images'"});
    check_refused_with(
        [&](h5::File& f) {
            f.write("train/images", pixels.first(3 * 12), {3, 2, 2, 3});
        },
        {"/train/images", "uint8 [N, H, W, 3]", "2 images"});
    check_refused_with(
        [&](h5::File& f) {
            f.write("train/images", pixels.first(2 * 16), {2, 2, 2, 4});
        },
        {"/train/images", "uint8 [N, H, W, 3]"});
    check_refused_with(
        [&](h5::File& f) {
            f.write<float>("train/images", std::vector<float>(24), {2, 2, 2, 3});
        },
        {"/train/images", "uint8 [N, H, W, 3]"});
    check_refused_with(
        [](h5::File& f)
        {
            f.write<std::uint8_t>("train/encoded", std::vector<std::uint8_t>(10), {10});
            f.write<std::uint64_t>("train/offsets", std::vector<std::uint64_t>{0, 4}, {2});
        },
        {"/train/offsets", "[N + 1]"});
    check_refused_with([](h5::File& f) { f.write<double>("a/labels", std::vector<double>{0.5}, {1}); },
                       {"/a/labels", "whole numbers [N]"});
    check_refused_with(
        [](h5::File& f)
        {
            f.write<std::int64_t>("test/labels", Labels{0}, {1});
            f.write_strings("test/names", {"x", "y"});
        },
        {"/test/names", "text [N] for 1 image"});

    const TemporaryFolder folder;
    foreign(folder / "labels.h5", {0, 2}).save();
    check_refused([&] { DatasetFile(folder / "labels.h5"); }, {"/train/labels", "image 1 has label 2", "2 classes"});
    h5::File unnamed = h5::File::create(folder / "unnamed.h5");
    unnamed.set_attribute<std::string>("format", "paws-dataset");
    unnamed.set_attribute<std::int64_t>("version", 1);
    unnamed.write_strings("class_names", {});
    unnamed.save();
    check_refused([&] { DatasetFile(folder / "unnamed.h5"); }, {"unnamed.h5", "no class names"});
}

TEST_CASE("damaged images, labels and names are found", "[io]")
{
    const TemporaryFolder folder;
    write_dataset(folder / "data.h5", made_up_content());
    const std::string whole = contents(folder / "data.h5");
    const auto damage = [&](const std::string& what)
    {
        std::string bytes = whole;
        const auto place = bytes.find(what);
        REQUIRE(place != std::string::npos);
        bytes[place] = static_cast<char>(bytes[place] ^ 1);
        return write_file(folder / "damaged.h5", bytes);
    };
    const auto pixels = made_up(300, 5, 7).pixels;
    damage(std::string(pixels.begin() + 1000, pixels.begin() + 1040));
    check_refused([&] { DatasetFile(folder / "damaged.h5").read("train"); }, {"damaged.h5:/train/images", "checksum"});
    damage("picture-77");
    check_refused([&] { DatasetFile(folder / "damaged.h5").names("train"); }, {"damaged.h5:/train/names", "checksum"});
    damage("grün");
    check_refused([&] { DatasetFile(folder / "damaged.h5"); }, {"damaged.h5:/class_names", "checksum"});
    const Labels labels = made_up(4, 1, 1).labels;
    damage(std::string(reinterpret_cast<const char*>(labels.data()), 4 * sizeof(std::int64_t)));
    check_refused([&] { DatasetFile(folder / "damaged.h5"); }, {"damaged.h5:/", "/labels", "checksum"});
}

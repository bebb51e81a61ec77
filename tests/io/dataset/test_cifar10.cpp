#include <algorithm>
#include <cstring>

#include "io/dataset/cifar10.hpp"
#include "io/dataset/pack.hpp"
#include "tests/io/files.hpp"
#include "tests/support/goldens.hpp"

using namespace paws::test;
using namespace paws::io;

namespace
{
constexpr std::size_t cifar_image_bytes = 3072;

/// Where channel c of pixel i of an image is in [32, 32, 3].
constexpr std::size_t interleaved(std::size_t channel, std::size_t pixel)
{
    return pixel * 3 + channel;
}

/// A record of the binary version: all planes of image `i` hold ramps.
std::string record(std::uint8_t label, std::uint8_t start)
{
    std::string bytes(1, static_cast<char>(label));
    for (std::size_t i = 0; i < cifar_image_bytes; ++i)
    {
        bytes += static_cast<char>(start + i);
    }
    return bytes;
}

/// The binary version in a folder, with one image a file.
void write_binary_version(const std::filesystem::path& folder)
{
    for (int i = 1; i <= 5; ++i)
    {
        write_file(folder / ("data_batch_" + std::to_string(i) + ".bin"), record(static_cast<std::uint8_t>(i % 2), 0));
    }
    write_file(folder / "test_batch.bin", record(1, 100) + record(0, 200));
    write_file(folder / "batches.meta.txt", "cat\r\ndog\n\n");
}
}  // namespace

TEST_CASE("the made-up CIFAR-10 is read, version for Python", "[io][golden]")
{
    const std::filesystem::path folder = golden_path("cifar-10-batches-py");
    const DatasetContent content = read_cifar10_folder(folder);
    REQUIRE(content.class_names.size() == 10);
    REQUIRE(content.splits.size() == 2);
    std::size_t train = 0;
    for (int i = 1; i <= 5; ++i)
    {
        train += read_cifar10_pickle(folder / ("data_batch_" + std::to_string(i))).labels.size();
    }
    CHECK(content.splits.at("train").count() == train);
    for (const auto& [name, split] : content.splits)
    {
        CHECK(split.height == 32);
        CHECK(split.width == 32);
        CHECK(split.pixels.size() == split.count() * cifar_image_bytes);
        REQUIRE(split.names.size() == split.count());
        for (std::size_t i = 0; i < split.count(); ++i)
        {
            // The file names begin with the names of the classes.
            CHECK(split.names[i].starts_with(content.class_names[static_cast<std::size_t>(split.labels[i])] + "_"));
        }
    }
    CHECK(read_cifar10_folder(folder.parent_path()).splits.at("val").pixels == content.splits.at("val").pixels);
}

TEST_CASE("the pixels of a batch are the planes in its pickle", "[io][golden]")
{
    const std::filesystem::path path = golden_path("cifar-10-batches-py/test_batch");
    const Cifar10Batch batch = read_cifar10_pickle(path);
    const std::size_t size = batch.labels.size() * cifar_image_bytes;
    REQUIRE(batch.pixels.size() == size);
    // The data are the one string of that length: 'T' and the length, little-endian.
    const auto length = static_cast<std::uint32_t>(size);
    std::string header = "T1234";
    std::memcpy(header.data() + 1, &length, 4);
    const std::string bytes = contents(path);
    const auto begin = bytes.find(header);
    REQUIRE(begin != std::string::npos);
    const std::string planes = bytes.substr(begin + header.size(), size);
    bool equal = true;
    for (std::size_t i = 0; i < size; ++i)
    {
        const std::size_t first = i / cifar_image_bytes * cifar_image_bytes;
        const std::size_t in_image = i % cifar_image_bytes;
        equal = equal && batch.pixels[first + interleaved(in_image / 1024, in_image % 1024)] ==
                             static_cast<std::uint8_t>(planes[i]);
    }
    CHECK(equal);
}

TEST_CASE("batches that Python 3 wrote are read, of every protocol", "[io]")
{
    for (const char* file : {"protocol2", "protocol3", "protocol4", "protocol5", "columns"})
    {
        INFO(file);
        const Cifar10Batch batch = read_cifar10_pickle(data_path("cifar10-repickled") / file);
        REQUIRE(batch.pixels.size() == 2 * cifar_image_bytes);
        CHECK(batch.labels == std::vector<std::int64_t>{3, 7});
        bool equal = true;
        for (std::size_t i = 0; i < cifar_image_bytes; ++i)
        {
            const std::size_t place = interleaved(i / 1024, i % 1024);
            equal = equal && batch.pixels[place] == i % 256 && batch.pixels[cifar_image_bytes + place] == 255 - i % 256;
        }
        CHECK(equal);
        CHECK(batch.names == (file == std::string("columns") ? std::vector<std::string>{}
                                                             : std::vector<std::string>{"a.png", "ü.png"}));
    }
}

TEST_CASE("the binary version of CIFAR-10 is read", "[io]")
{
    const TemporaryFolder folder;
    write_binary_version(folder.path());
    const DatasetContent content = read_cifar10_folder(folder.path());
    CHECK(content.class_names == std::vector<std::string>{"cat", "dog"});
    const ImageSet& train = content.splits.at("train");
    CHECK(train.labels == std::vector<std::int64_t>{1, 0, 1, 0, 1});
    CHECK(train.names[4] == "train/000004");
    const ImageSet& val = content.splits.at("val");
    CHECK(val.labels == std::vector<std::int64_t>{1, 0});
    CHECK(val.names == std::vector<std::string>{"val/000000", "val/000001"});
    for (const std::size_t pixel : {0, 5, 1023})
    {
        for (const std::size_t channel : {0, 1, 2})
        {
            CHECK(val.pixels[cifar_image_bytes + interleaved(channel, pixel)] == (200 + channel * 1024 + pixel) % 256);
        }
    }
}

TEST_CASE("what is missing from CIFAR-10, or wrong, is named", "[io]")
{
    const TemporaryFolder folder;
    const auto read = [&] { read_cifar10_folder(folder.path()); };
    check_refused([] { read_cifar10_folder("/nowhere"); }, {"/nowhere", "no such folder"});
    check_refused(read, {folder.path().string(), "data_batch_1", "data_batch_1.bin"});
    write_binary_version(folder.path());
    std::filesystem::remove(folder / "data_batch_3.bin");
    check_refused(read, {"data_batch_3.bin", "no such file"});
    write_file(folder / "data_batch_3.bin", record(0, 0).substr(1));
    check_refused(read, {"data_batch_3.bin", "3072 bytes", "3073"});
    write_file(folder / "data_batch_3.bin", "");
    check_refused(read, {"data_batch_3.bin", "0 bytes"});
    write_file(folder / "data_batch_3.bin", record(2, 0));
    check_refused(read, {folder.path().string(), "'train'", "label 2", "2 class names"});
    write_file(folder / "batches.meta.txt", "\n");
    check_refused(read, {"batches.meta.txt", "no class names"});
    std::filesystem::remove(folder / "batches.meta.txt");
    check_refused(read, {"batches.meta.txt", "no such file"});
}

TEST_CASE("pickles that are no batches are refused by name", "[io]")
{
    const TemporaryFolder folder;
    const std::string whole = contents(data_path("cifar10-repickled/columns"));
    const auto refuse = [&](const std::string& bytes, std::initializer_list<std::string> parts)
    {
        write_file(folder / "file", bytes);
        check_refused([&] { read_cifar10_pickle(folder / "file"); }, parts);
    };
    const auto changed = [&](const std::string& from, const std::string& to)
    {
        std::string bytes = whole;
        return bytes.replace(bytes.find(from), from.size(), to);
    };
    refuse("\x80\x02}.", {"file", "no entry 'data'"});
    refuse(whole.substr(0, 5000), {"file", "cut off"});
    refuse(changed("labels", "lovely"), {"file", "no entry 'labels'"});
    refuse(changed("K\x03K\x07", "NK\x07"), {"file", "label that is not a whole number"});
    refuse(changed("K\x03K\x07", "K\x07"), {"file", "3072 bytes", "1 labels"});
    refuse(changed("u1", "i1"), {"file", "3072 bytes"});
    const std::string end = "u.";
    REQUIRE(whole.ends_with(end));
    const std::string open = whole.substr(0, whole.size() - end.size());
    refuse(open +
               "U\x09"
               "filenames](U\x01"
               "aeu.",
           {"file", "1 file names for 2 labels"});
    refuse(open +
               "U\x09"
               "filenames](K\x01"
               "eu.",
           {"file", "name that is not text"});
    write_file(folder / "meta", "\x80\x02}U\x0blabel_names]s.");
    check_refused([&] { read_cifar10_pickled_classes(folder / "meta"); }, {"meta", "no class names"});
}

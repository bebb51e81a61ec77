#include <array>
#include <functional>

#include "io/checkpoint/checkpoint_file.hpp"
#include "io/dataset/dataset_file.hpp"
#include "io/files/checksum.hpp"
#include "io/hdf5/h5.hpp"
#include "io/results/embeddings_writer.hpp"
#include "io/results/inspect.hpp"
#include "tests/io/files.hpp"

using namespace paws::test;
using namespace paws::io;

namespace
{
void check_described(const std::filesystem::path& path, std::initializer_list<std::string> parts)
{
    const std::string text = describe(path);
    INFO(text);
    CHECK(text.starts_with(path.string() + ": paws-"));
    CHECK(text.ends_with("\n"));
    for (const std::string& part : parts)
    {
        INFO("expected part: " << part);
        CHECK(text.find(part) != std::string::npos);
    }
}
}  // namespace

TEST_CASE("a data set is described", "[io]")
{
    const TemporaryFolder folder;
    const ImageSet train{std::vector<std::uint8_t>(5 * 4 * 6 * 3), 4, 6, {0, 0, 1, 1, 1}, {"a", "b", "c", "d", "e"}};
    const ImageSet val{std::vector<std::uint8_t>(2 * 4 * 6 * 3), 4, 6, {0, 1}, {"f", "g"}};
    write_dataset(folder / "data.h5", {{"cat", "dog"}, {{"train", train}, {"val", val}}});
    check_described(folder / "data.h5", {"paws-dataset, version 1, made by paws_hpc", "2 classes: cat, dog\n",
                                         "train: 5 images, 4x6, 2 to 3 per class\n",
                                         "val: 2 images, 4x6, 1 per class\n", "whole: all checksums match\n"});
}

TEST_CASE("a data set of encoded images, from another program, is described", "[io]")
{
    const TemporaryFolder folder;
    h5::File file = h5::File::create(folder / "data.h5");
    file.set_attribute<std::string>("format", "paws-dataset");
    file.set_attribute<std::int64_t>("version", 1);
    file.write_strings("class_names", {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k"});
    file.write<std::int64_t>("train/labels", std::vector<std::int64_t>{10}, {1});
    file.write_strings("train/names", {"x"});
    file.write<std::uint8_t>("train/encoded", std::vector<std::uint8_t>(9), {9});
    file.write<std::uint64_t>("train/offsets", std::vector<std::uint64_t>{0, 9}, {2});
    file.save();
    const auto sealed = describe(folder / "data.h5");
    CHECK_THAT(sealed, Catch::Contains("whole: all checksums match"));
    // Another program knows no seals.
    std::filesystem::resize_file(folder / "data.h5", std::filesystem::file_size(folder / "data.h5") - 24);
    check_described(folder / "data.h5",
                    {"made by another program", "11 classes: a, b, c, d, e, f, g, h, i, j, ...\n",
                     "train: 1 image, encoded (JPEG, PNG), 9 B, 0 to 1 per class\n", "no checksums"});
}

TEST_CASE("what inspect says of a data set is what its readers find", "[io]")
{
    const TemporaryFolder folder;
    const auto with = [&](const std::function<void(h5::File&)>& fill)
    {
        h5::File file = h5::File::create(folder / "data.h5");
        file.set_attribute<std::string>("format", "paws-dataset");
        file.set_attribute<std::int64_t>("version", 1);
        file.write_strings("class_names", {"a"});
        fill(file);
        file.save();
        return folder / "data.h5";
    };
    const auto with_images = [&](const std::vector<std::uint32_t>& checksums, const std::vector<std::uint64_t>& offsets)
    {
        return with(
            [&](h5::File& file)
            {
                file.write<std::int64_t>("train/labels", std::vector<std::int64_t>{0, 0}, {2});
                file.write_strings("train/names", {"x", "y"});
                file.write<std::uint8_t>("train/encoded", std::vector<std::uint8_t>{1, 2, 3}, {3});
                file.write<std::uint64_t>("train/offsets", offsets, {3});
                if (!checksums.empty())
                {
                    file.write<std::uint32_t>("train/checksums", checksums, {checksums.size()});
                }
            });
    };
    const auto refused = [](const std::filesystem::path& path, std::initializer_list<std::string> parts)
    {
        check_refused([&] { describe(path); }, parts);
        // As another program leaves it.
        std::filesystem::resize_file(path, std::filesystem::file_size(path) - 24);
        check_refused([&] { describe(path); }, parts);
    };
    refused(with([](h5::File&) {}), {"data.h5", "has no split", "make the file again"});
    refused(with(
                [](h5::File& file)
                {
                    file.write<std::int64_t>("train/labels", std::vector<std::int64_t>{}, {0});
                    file.write_strings("train/names", {});
                    file.write<std::uint8_t>("train/images", std::vector<std::uint8_t>{}, {0, 2, 2, 3});
                }),
            {"data.h5:/train", "no images"});
    constexpr std::array<std::uint8_t, 1> x = {1};
    refused(with_images({crc32(std::as_bytes(std::span(x))), 7}, {0, 1, 3}),
            {"data.h5", "'train'", "image y does not match its checksum"});
    refused(with_images({}, {0, 4, 3}), {"data.h5:/train/offsets", "ascend"});
    refused(with_images({1}, {0, 1, 3}), {"data.h5:/train/checksums", "[2]"});
    const auto path = with_images({}, {0, 1, 3});
    CHECK_THAT(describe(path), Catch::Contains("  2 images cannot be decoded; the first: x: ") &&
                                   Catch::Contains("neither JPEG nor PNG"));
    std::filesystem::resize_file(path, std::filesystem::file_size(path) - 24);
    CHECK_THAT(describe(path),
               Catch::Contains("  2 images cannot be decoded") &&
                   Catch::EndsWith("not all of its images are readable; it has no checksums for them\n"));
}

TEST_CASE("embeddings are described", "[io]")
{
    const TemporaryFolder folder;
    const std::vector<float> values{1, 2, 3, 4};
    const std::vector<std::int64_t> predicted{1, 0};
    EmbeddingsSource source{{0, 1}, {0, 1}, {"a", "b"}, "best.h5", 7, "b: 2\n", "val", "a: 1\n", 0.1};
    EmbeddingsWriter writer(folder / "emb.h5", source, {{{"backbone", 2}}, 2, false, 4, 1},
                            paws::ranks::Group(MPI_COMM_SELF));
    writer.write({2, {std::as_bytes(std::span(values)), std::as_bytes(std::span(values))}, predicted});
    writer.finish();
    check_described(folder / "emb.h5",
                    {"paws-embeddings", "2 images of split val\n",
                     "backbone: 2 dimensions, float32, in chunks of 1 row, deflate 4\n", "probabilities: 2 classes, ",
                     "checkpoint: best.h5, epoch 7\n", "temperature: 0.1\n", "whole"});
}

TEST_CASE("a checkpoint is described", "[io]")
{
    const TemporaryFolder folder;
    Checkpoint checkpoint;
    checkpoint.encoder = {{"a.weight", {ElementType::float32, {2, 3}, std::vector<std::byte>(24)}},
                          {"a.count", {ElementType::int64, {}, std::vector<std::byte>(8)}}};
    checkpoint.progress.epoch = 17;
    checkpoint.progress.iteration = 100;
    checkpoint.progress.integers = {{"seed", 3}};
    checkpoint.progress.reals = {{"scale", 0.5}};
    checkpoint.progress.texts = {{"note", "four"}};
    checkpoint.config = "a: 1\nb: 2\n";
    write_checkpoint(folder / "file.h5", checkpoint);
    check_described(folder / "file.h5", {"paws-checkpoint", "encoder: 2 arrays, 7 numbers, 32 bytes\n",
                                         "momentum: 0 arrays", "epoch 17, iteration 100\n", "seed: 3\n", "scale: 0.5\n",
                                         "note: 4 bytes of text\n", "config: 2 lines\n", "whole"});
}

TEST_CASE("files that are foreign or damaged are not described", "[io]")
{
    const TemporaryFolder folder;
    check_refused([&] { describe(folder / "none.h5"); }, {"none.h5", "no such file"});
    h5::File::create(folder / "bare.h5").save();
    check_refused([&] { describe(folder / "bare.h5"); }, {"bare.h5", "not a file of paws_hpc"});
    h5::File newer = h5::File::create(folder / "newer.h5");
    newer.set_attribute<std::string>("format", "paws-dataset");
    newer.set_attribute<std::int64_t>("version", 9);
    newer.save();
    check_refused([&] { describe(folder / "newer.h5"); }, {"newer.h5", "version 9"});

    std::vector<std::uint8_t> pixels(48, 1);
    pixels.back() = 77;
    write_dataset(folder / "data.h5", {{"cat"}, {{"train", {pixels, 4, 4, {0}, {"a"}}}}});
    std::string bytes = contents(folder / "data.h5");
    bytes[bytes.find(std::string(47, '\1') + "M")] = '\2';
    write_file(folder / "damaged.h5", bytes);
    check_refused([&] { describe(folder / "damaged.h5"); }, {"damaged.h5", "checksum at its end"});
    write_file(folder / "damaged.h5", bytes.substr(0, bytes.size() - 24));
    check_refused([&] { describe(folder / "damaged.h5"); }, {"damaged.h5:/train/images", "checksum"});
}

#include "io/dataset/pack.hpp"
#include "tests/io/files.hpp"

using namespace paws::test;
using namespace paws::io;

namespace
{
std::string small_idx(const std::vector<std::size_t>& shape, const std::string& values)
{
    std::string bytes = {0, 0, 8, static_cast<char>(shape.size())};
    for (const std::size_t length : shape)
    {
        bytes += {0, 0, 0, static_cast<char>(length)};
    }
    return bytes + values;
}

void write_mnist(const TemporaryFolder& folder, std::size_t height, std::size_t width)
{
    std::string pixels(2 * height * width, '\0');
    for (std::size_t i = 0; i < pixels.size(); ++i)
    {
        pixels[i] = static_cast<char>(i + 1);
    }
    write_file(folder / "train-images-idx3-ubyte", small_idx({2, height, width}, pixels));
    write_file(folder / "train-labels-idx1-ubyte", small_idx({2}, "\x09\x01"));
    write_file(folder / "t10k-images-idx3-ubyte", small_idx({1, height, width}, pixels.substr(0, height * width)));
    // zlib reads a file that is not compressed as it is, whatever its name.
    write_file(folder / "t10k-labels-idx1-ubyte.gz", small_idx({1}, "\x02"));
}
}  // namespace

TEST_CASE("grey images of 28x28 become RGB of 32x32", "[io]")
{
    const TemporaryFolder folder;
    write_mnist(folder, 28, 28);
    const DatasetContent content = read_idx_folder(folder.path());
    CHECK(content.class_names == digit_class_names());
    const ImageSet& train = content.splits.at("train");
    CHECK(train.height == 32);
    CHECK(train.width == 32);
    CHECK(train.labels == std::vector<std::int64_t>{9, 1});
    CHECK(train.names == std::vector<std::string>{"train/000000", "train/000001"});
    CHECK(content.splits.at("val").labels == std::vector<std::int64_t>{2});
    CHECK(content.splits.at("val").names == std::vector<std::string>{"val/000000"});
    bool equal = true;
    for (std::size_t i = 0; i < train.pixels.size(); ++i)
    {
        const std::size_t n = i / 3 / 1024;
        const std::size_t row = i / 3 / 32 % 32;
        const std::size_t column = i / 3 % 32;
        const bool inside = row >= 2 && row < 30 && column >= 2 && column < 30;
        const std::size_t value = inside ? (n * 784 + (row - 2) * 28 + column - 2 + 1) % 256 : 0;
        equal = equal && train.pixels[i] == value;
    }
    CHECK(equal);
}

TEST_CASE("grey images of other sizes keep theirs", "[io]")
{
    const TemporaryFolder folder;
    write_mnist(folder, 2, 3);
    const DatasetContent content = read_idx_folder(folder.path(), fashion_mnist_class_names());
    CHECK(content.class_names.at(9) == "Ankle boot");
    CHECK(content.splits.at("train").height == 2);
    CHECK(content.splits.at("train").width == 3);
    CHECK(content.splits.at("val").pixels ==
          std::vector<std::uint8_t>{1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4, 5, 5, 5, 6, 6, 6});
}

TEST_CASE("what is missing from a folder of IDX files, or wrong, is named", "[io]")
{
    const TemporaryFolder folder;
    const auto read = [&] { read_idx_folder(folder.path()); };
    check_refused([] { read_idx_folder("/nowhere"); }, {"/nowhere", "no such folder"});
    check_refused(read, {folder.path().string(), "train-images-idx3-ubyte.gz", "download"});
    write_mnist(folder, 2, 3);
    check_refused([&] { read_idx_folder(folder.path(), {"a", "b"}); }, {"'train'", "label 9", "2 class names"});
    write_file(folder / "train-labels-idx1-ubyte", small_idx({1}, "\x09"));
    check_refused(read, {"train-labels-idx1-ubyte", "one label for each of the 2 images"});
    write_file(folder / "train-images-idx3-ubyte", small_idx({2}, "ab"));
    check_refused(read, {"train-images-idx3-ubyte", "no images [N, H, W]"});
    std::filesystem::remove(folder / "train-labels-idx1-ubyte");
    check_refused(read, {"train-labels-idx1-ubyte"});
}

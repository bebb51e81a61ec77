#include "src/data/stored_split.hpp"

#include <memory>

#include "io/dataset/dataset_file.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/encoded_images.hpp"

using namespace paws;
using Rows = std::vector<std::int64_t>;

namespace
{
/// Ten images of ten different bytes each, in their file.
class TenImages
{
public:
    static constexpr std::int64_t image_bytes = 10;

    explicit TenImages(bool with_checksums = true)
    {
        test::EncodedSplit split;
        for (int n = 0; n < 10; ++n)
        {
            split.add("a", 0, std::to_string(n), bytes(n));
        }
        test::write_encoded(path(), {"a"}, {{"train", split}}, with_checksums);
    }

    static std::string bytes(std::int64_t n) { return std::string(image_bytes, static_cast<char>('0' + n)); }
    std::filesystem::path path() const { return folder_ / "ten.h5"; }

    std::unique_ptr<data::StoredSplit> open(std::int64_t cache_bytes) const
    {
        return std::make_unique<data::StoredSplit>(std::make_shared<io::DatasetFile>(path()), "train", cache_bytes);
    }

private:
    test::Folder folder_;
};

std::string text_of(const data::StoredSplit::Bytes& bytes)
{
    return {bytes->begin(), bytes->end()};
}

void check_read(const data::StoredSplit& split, const Rows& rows)
{
    const auto found = split.read(rows);
    REQUIRE(found.size() == rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i)
    {
        CHECK(text_of(found[i]) == TenImages::bytes(rows[i]));
    }
}
}  // namespace

TEST_CASE("images come in the order that was asked for, whatever the order of reading", "[data]")
{
    const TenImages images;
    const auto split = images.open(0);
    CHECK(split->count() == 10);
    CHECK(split->is_encoded());
    CHECK(split->bytes() == 100);
    check_read(*split, {7, 0, 9, 3, 3, 8});
    check_read(*split, {});
    CHECK(split->bytes_cached() == 0);
}

TEST_CASE("images that lie close together are read in one piece, and far ones are not", "[data]")
{
    // Gaps of 200 kB lie between the images: reading through them would cost more than asking twice.
    test::EncodedSplit split;
    const std::string far(200'000, 'x');
    for (const auto* name : {"0", "1", "2", "3", "4"})
    {
        split.add("a", 0, name, std::string(name));
        split.add("a", 0, std::string("far") + name, far);
    }
    const test::Folder folder;
    test::write_encoded(folder / "far.h5", {"a"}, {{"train", split}});
    const data::StoredSplit far_apart(std::make_shared<io::DatasetFile>(folder / "far.h5"), "train", 0);
    far_apart.read(Rows{8, 0, 4});
    CHECK(far_apart.reads() == 3);
    CHECK(far_apart.bytes_read() == 3);

    const TenImages ten;
    const auto close = ten.open(0);
    close->read(Rows{9, 2, 5, 2});
    CHECK(close->reads() == 1);
    // From the first of image 2 to the last of image 9.
    CHECK(close->bytes_read() == 8 * TenImages::image_bytes);
}

TEST_CASE("a piece is not larger than memory allows", "[data]")
{
    test::EncodedSplit split;
    for (int n = 0; n < 5; ++n)
    {
        split.add("a", 0, std::to_string(n), std::string(10'000'000, static_cast<char>('0' + n)));
    }
    const test::Folder folder;
    test::write_encoded(folder / "large.h5", {"a"}, {{"train", split}});
    const data::StoredSplit large(std::make_shared<io::DatasetFile>(folder / "large.h5"), "train", 0);
    const auto found = large.read(Rows{0, 1, 2, 3, 4});
    // Three images of 10 MB fit into 32 MiB.
    CHECK(large.reads() == 2);
    CHECK(large.bytes_read() == 50'000'000);
    CHECK(found[4]->front() == '4');
    CHECK(found[4]->back() == '4');
}

TEST_CASE("the cache keeps what was read first, up to its limit, and then reads no more of it", "[data]")
{
    const TenImages images;
    const auto split = images.open(35);
    CHECK(split->cache_limit() == 35);
    check_read(*split, {4, 1, 6, 8, 9});
    // In the order of the file: 1, 4, 6; a fourth would be 40 bytes.
    CHECK(split->bytes_cached() == 30);
    const auto reads = split->reads();
    check_read(*split, {6, 4, 1});
    CHECK(split->reads() == reads);
    check_read(*split, {8, 1});
    CHECK(split->reads() == reads + 1);
    CHECK(split->bytes_cached() == 30);
    CHECK(images.open(1000)->cache_limit() == 100);
}

TEST_CASE("room is kept for preferred images", "[data]")
{
    const TenImages images;
    const auto split = images.open(40);
    check_read(*split, {0});
    split->prefer_in_cache(Rows{0, 7, 8});
    // One is there already, two are waited for, one more place is free.
    check_read(*split, {1, 2, 3});
    CHECK(split->bytes_cached() == 20);
    check_read(*split, {7, 8});
    CHECK(split->bytes_cached() == 40);
    const auto reads = split->reads();
    check_read(*split, {0, 1, 7, 8});
    CHECK(split->reads() == reads);

    // More preferred ones than there is room for: nothing else is kept.
    const auto small = images.open(25);
    small->prefer_in_cache(Rows{5, 6, 7, 8});
    check_read(*small, {0, 1, 2});
    CHECK(small->bytes_cached() == 0);
    check_read(*small, {5, 6, 7, 8});
    CHECK(small->bytes_cached() == 20);
}

TEST_CASE("bytes that are not those that were packed are refused by the image's name", "[data]")
{
    const TenImages images;
    const auto split = images.open(0);
    auto bytes = *split->read(Rows{3}).front();
    CHECK_NOTHROW(split->require_whole(3, bytes, "a/3"));
    bytes[5] ^= 1;
    CHECK_THROWS_WITH(split->require_whole(3, bytes, "a/3"),
                      Catch::Contains("ten.h5") && Catch::Contains("image a/3") && Catch::Contains("checksum"));
    // Files of other programs may have none.
    const TenImages bare(false);
    CHECK_NOTHROW(bare.open(0)->require_whole(3, bytes, "a/3"));
}

TEST_CASE("pixels too many for memory are read from their file", "[data]")
{
    const test::SmallRun small;
    const auto file = std::make_shared<io::DatasetFile>(small.data());
    const auto all = file->read("train");
    const std::int64_t image = 16 * 16 * 3;
    const data::StoredSplit split(file, "train", 3 * image);
    CHECK_FALSE(split.is_encoded());
    CHECK(split.height() == 16);
    CHECK(split.width() == 16);
    CHECK(split.bytes() == 26 * image);
    const Rows rows{25, 0, 13, 14};
    const auto found = split.read(rows);
    for (std::size_t i = 0; i < rows.size(); ++i)
    {
        const auto first = all.pixels.begin() + rows[i] * image;
        CHECK(*found[i] == std::vector<std::uint8_t>(first, first + image));
    }
    CHECK(split.bytes_cached() == 3 * image);
}

TEST_CASE("pixels have no checksum each, so that a file that is written to is refused, and one in its place is not",
          "[data]")
{
    const test::SmallRun small;
    const data::StoredSplit split(std::make_shared<io::DatasetFile>(small.data()), "train", 0);
    const Rows row{3};
    const auto before = *split.read(row).front();
    std::filesystem::copy_file(small.data(), small.folder / "other.h5");
    std::filesystem::rename(small.folder / "other.h5", small.data());
    CHECK(*split.read(row).front() == before);
    std::filesystem::remove(small.data());
    CHECK(*split.read(row).front() == before);

    const test::SmallRun changed;
    const data::StoredSplit overwritten(std::make_shared<io::DatasetFile>(changed.data()), "train", 0);
    std::ofstream(changed.data(), std::ios::app) << "more";
    CHECK_THROWS_WITH(overwritten.read(row), Catch::Contains("data.h5") && Catch::Contains("written to"));
}

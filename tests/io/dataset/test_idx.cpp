#include <zlib.h>

#include "io/dataset/idx.hpp"
#include "tests/io/files.hpp"

using namespace paws::test;
using paws::io::read_idx;

namespace
{
using Bytes = std::vector<std::uint8_t>;

/// An IDX file of unsigned bytes.
std::string idx(std::initializer_list<std::uint32_t> shape, const std::string& values)
{
    std::string bytes = {0, 0, 8, static_cast<char>(shape.size())};
    for (const std::uint32_t length : shape)
    {
        for (const int shift : {24, 16, 8, 0})
        {
            bytes += static_cast<char>(length >> shift);
        }
    }
    return bytes + values;
}

std::filesystem::path write_gzip(const std::filesystem::path& path, const std::string& bytes)
{
    gzFile file = gzopen(path.c_str(), "wb");
    REQUIRE(gzwrite(file, bytes.data(), static_cast<unsigned>(bytes.size())) == static_cast<int>(bytes.size()));
    REQUIRE(gzclose(file) == Z_OK);
    return path;
}
}  // namespace

TEST_CASE("IDX files are read plain and compressed", "[io]")
{
    const TemporaryFolder folder;
    const std::string bytes = idx({2, 3}, "abcdef");
    for (const auto& path : {write_file(folder / "plain", bytes), write_gzip(folder / "zipped.gz", bytes)})
    {
        const auto array = read_idx(path);
        CHECK(array.shape == std::vector<std::size_t>{2, 3});
        CHECK(array.values == Bytes{'a', 'b', 'c', 'd', 'e', 'f'});
    }
    CHECK(read_idx(write_file(folder / "none", idx({0, 5}, ""))).values.empty());
    // More than is read at a time.
    const std::string many(40'000'000, 'x');
    CHECK(read_idx(write_gzip(folder / "many.gz", idx({40'000, 1'000}, many))).values ==
          Bytes(many.begin(), many.end()));
}

TEST_CASE("files that are not IDX, or not whole, are refused by name", "[io]")
{
    const TemporaryFolder folder;
    const auto refuse = [&](const std::string& bytes, std::initializer_list<std::string> parts)
    {
        write_file(folder / "file", bytes);
        check_refused([&] { read_idx(folder / "file"); }, parts);
    };
    check_refused([&] { read_idx(folder / "none"); }, {"none", "no such file"});
    check_refused([&] { read_idx(folder.path()); }, {folder.path().string(), "is a folder"});
    refuse("", {"file", "not an IDX file"});
    refuse("a text", {"file", "not an IDX file"});
    refuse(std::string("\0\0\x0d\1\0\0\0\1....", 12), {"type 13"});
    refuse(std::string("\0\0\x08\0", 4), {"0 dimensions"});
    refuse(std::string("\0\0\x08\5", 4), {"5 dimensions"});
    refuse(std::string("\0\0\x08\2\0\0\0\1", 8), {"cut off in its header"});
    refuse(idx({2, 3}, "abcde"), {"cut off", "5 bytes of the 6"});
    refuse(idx({2, 3}, "abcdefg"), {"more bytes than the 6"});
    // Headers that ask for more than there can be must not be believed.
    refuse(idx({0xffffffff, 0xffffffff, 0xffffffff}, "abc"), {"impossible size"});
    refuse(idx({0xffffffff, 0x7fffffff}, "abc"), {"cut off", "3 bytes of the"});
}

TEST_CASE("compressed IDX files that are damaged are refused by name", "[io]")
{
    const TemporaryFolder folder;
    std::string values;
    for (int i = 0; i < 10'000; ++i)
    {
        values += static_cast<char>(i * i >> 3);
    }
    const std::string zipped = contents(write_gzip(folder / "whole.gz", idx({10'000}, values)));
    write_file(folder / "half.gz", zipped.substr(0, zipped.size() / 2));
    check_refused([&] { read_idx(folder / "half.gz"); }, {"half.gz", "cannot be decompressed"});
    // The last eight bytes are zlib's checksum and length.
    write_file(folder / "tail.gz", zipped.substr(0, zipped.size() - 8));
    check_refused([&] { read_idx(folder / "tail.gz"); }, {"tail.gz", "cannot be decompressed"});
    std::string flipped = zipped;
    flipped[flipped.size() - 6] = static_cast<char>(flipped[flipped.size() - 6] ^ 1);
    write_file(folder / "flipped.gz", flipped);
    check_refused([&] { read_idx(folder / "flipped.gz"); }, {"flipped.gz", "cannot be decompressed"});
}

TEST_CASE("compressed IDX files whose headers claim more than they can hold take no memory", "[io]")
{
    const TemporaryFolder folder;
    const auto bomb = write_gzip(folder / "bomb.gz", idx({3'000, 1'000'000}, std::string(20'000'000, '\0')));
    REQUIRE(std::filesystem::file_size(bomb) < 100'000);
    check_refused([&] { read_idx(bomb); }, {"bomb.gz", "says to hold 3000000000 bytes", "cannot make"});
}

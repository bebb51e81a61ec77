#include <algorithm>
#include <functional>
#include <optional>

#include "io/image/image.hpp"
#include "tests/io/files.hpp"
#include "tests/support/goldens.hpp"

using namespace paws::test;
using namespace paws::io;

namespace
{
using Bytes = std::vector<std::uint8_t>;

constexpr std::uint8_t start_of_frame = 0xc0;
constexpr std::uint8_t huffman_tables = 0xc4;
constexpr std::uint8_t start_of_scan = 0xda;
constexpr std::uint8_t quantization_tables = 0xdb;
constexpr std::uint8_t jfif = 0xe0;

Bytes image(const std::string& name)
{
    const std::string text = contents(golden_path("pictures/" + name));
    return {text.begin(), text.end()};
}

void insert(Bytes& bytes, std::size_t place, const Bytes& what)
{
    bytes.insert(bytes.begin() + static_cast<std::ptrdiff_t>(place), what.begin(), what.end());
}

/// A segment between the file's first marker and its first scan.
struct Segment
{
    std::uint8_t marker;
    std::size_t begin;
    std::size_t end;
};

std::vector<Segment> segments(const Bytes& bytes)
{
    std::vector<Segment> found;
    for (std::size_t at = 2; bytes.at(at + 1) != start_of_scan; at = found.back().end)
    {
        found.push_back({bytes.at(at + 1), at, at + 2 + (std::size_t{bytes.at(at + 2)} << 8 | bytes.at(at + 3))});
    }
    return found;
}

/// Where the first segment of this kind begins.
std::size_t place_of(const Bytes& bytes, std::uint8_t marker)
{
    const auto all = segments(bytes);
    const auto found = std::find_if(all.begin(), all.end(), [&](const Segment& one) { return one.marker == marker; });
    REQUIRE(found != all.end());
    return found->begin;
}

/// The file without its segments of some kinds.
Bytes without(const Bytes& bytes, std::initializer_list<std::uint8_t> markers)
{
    const auto at = [&](std::size_t place) { return bytes.begin() + static_cast<std::ptrdiff_t>(place); };
    Bytes rest(at(0), at(2));
    const auto all = segments(bytes);
    for (const Segment& one : all)
    {
        if (std::find(markers.begin(), markers.end(), one.marker) == markers.end())
        {
            rest.insert(rest.end(), at(one.begin), at(one.end));
        }
    }
    rest.insert(rest.end(), at(all.back().end), bytes.end());
    return rest;
}

/// Where the scans begin.
std::vector<std::size_t> scans(const Bytes& bytes)
{
    std::vector<std::size_t> found;
    for (std::size_t i = 0; i + 1 < bytes.size(); ++i)
    {
        if (bytes[i] == 0xff && bytes[i + 1] == start_of_scan)
        {
            found.push_back(i);
        }
    }
    return found;
}

/// A file that claims another size.
Bytes claiming(Bytes bytes, std::uint8_t frame, std::uint16_t height, std::uint16_t width)
{
    const std::size_t place = place_of(bytes, frame) + 5;
    for (const std::uint16_t side : {height, width})
    {
        bytes[place + (side == height ? 0 : 2)] = static_cast<std::uint8_t>(side >> 8);
        bytes[place + (side == height ? 1 : 3)] = static_cast<std::uint8_t>(side & 0xff);
    }
    return bytes;
}

/// Passes if the file is refused: whole and reduced, by a decoder that has decoded another image before.
void refuse_jpeg(const Bytes& bytes, std::initializer_list<std::string> parts)
{
    for (const int reduction : {1, 8})
    {
        ImageDecoder decoder;
        decoder.decode(image("baseline_420.jpg"), "before.jpg");
        check_refused([&] { decoder.decode(bytes, "some.jpg", [&](std::size_t, std::size_t) { return reduction; }); },
                      parts);
    }
}

/// Passes if both files give the same pixels.
void check_same(const Bytes& bytes, const Bytes& whole)
{
    const Image expected = decode_image(whole, "whole.jpg");
    const Image image = decode_image(bytes, "some.jpg");
    CHECK(image.height == expected.height);
    CHECK(image.width == expected.width);
    CHECK(image.pixels == expected.pixels);
}
}  // namespace

TEST_CASE("a JPEG whose decoding ends in an error is refused, whatever was warned of before", "[io][golden]")
{
    const Bytes whole = image("progressive.jpg");
    const auto begins = scans(whole);
    REQUIRE(begins.size() > 4);
    for (std::size_t scan = 0; scan + 1 < begins.size(); ++scan)
    {
        INFO("scan " << scan);
        Bytes bytes = whole;
        const std::size_t place = (begins[scan] + begins[scan + 1]) / 2;
        bytes[place] = 0xff;
        bytes[place + 1] = 0xf7;  // a marker that no file has
        refuse_jpeg(bytes, {"some.jpg: cannot be decoded (Unsupported marker type 0xf7)", "replace the image"});
    }
}

TEST_CASE("a JPEG is good when all its rows are, whatever follows them", "[io][golden]")
{
    for (const char* name : {"baseline_420.jpg", "baseline_422.JPEG", "baseline_444.jpg", "grey.jpg", "cmyk.jpg",
                             "exif_rotated.jpg", "thin_3x200.jpg", "odd_1x1.jpg"})
    {
        INFO(name);
        const Bytes whole = image(name);
        const Bytes rows(whole.begin(), whole.end() - 2);  // without the marker that ends the file
        for (const std::string& end : {std::string(100, '\0'), std::string("<html>404</html>\n")})
        {
            Bytes bytes = rows;
            bytes.insert(bytes.end(), end.begin(), end.end());
            check_same(bytes, whole);
        }
        Bytes followed = whole;
        insert(followed, whole.size(), image("grey.png"));
        check_same(followed, whole);
        // The decoder reads ahead: with not a byte behind the rows, the last ones cannot be told from cut off ones.
        refuse_jpeg(rows, {"some.jpg", "it is cut off"});
    }
}

TEST_CASE("a progressive JPEG without its end is refused, since another scan could follow", "[io][golden]")
{
    Bytes bytes = image("progressive.jpg");
    bytes.resize(bytes.size() - 2);
    refuse_jpeg(bytes, {"it is cut off"});
    bytes.resize(bytes.size() + 100);
    refuse_jpeg(bytes, {"it is cut off"});
}

TEST_CASE("what JPEGs of real collections have in excess does no harm", "[io][golden]")
{
    const Bytes whole = image("baseline_420.jpg");
    const std::size_t second = segments(whole).at(1).begin;
    Bytes bytes = whole;
    bytes.at(place_of(whole, jfif) + 9) = 9;  // a revision of JFIF that nobody knows
    check_same(bytes, whole);
    for (const Bytes& between : {Bytes{0xff}, Bytes{0xff, 0xff, 0xff}, Bytes{0}, Bytes{'a', 'b', 'c'}})
    {
        bytes = whole;
        insert(bytes, second, between);
        check_same(bytes, whole);
    }
    // The tables in a stream of their own, before the image's.
    const Bytes tables = without(whole, {jfif, start_of_frame});
    bytes.assign(tables.begin(), tables.begin() + static_cast<std::ptrdiff_t>(scans(tables).at(0)));
    bytes.insert(bytes.end(), {0xff, 0xd9});
    insert(bytes, bytes.size(), without(whole, {quantization_tables, huffman_tables}));
    check_same(bytes, whole);
}

// The library is given 64 KiB at a time.
TEST_CASE("a JPEG comes out the same wherever a block of bytes ends in it", "[io][golden]")
{
    constexpr std::size_t block = 65536;
    constexpr std::uint8_t comment = 0xfe;
    const std::string arithmetic = contents(data_path("more_jpegs/arithmetic.jpg"));
    for (const Bytes& whole : {image("baseline_420.jpg"), image("progressive.jpg"), image("cmyk.jpg"),
                               Bytes(arithmetic.begin(), arithmetic.end())})
    {
        for (std::size_t place = 21; place < whole.size(); place += 1 + whole.size() / 13)
        {
            INFO("a block ends " << place << " bytes behind the beginning");
            Bytes bytes = whole;
            for (std::size_t size : {block / 2 - place, block / 2})
            {
                size -= 2;  // of the marker
                Bytes segment = {0xff, comment, static_cast<std::uint8_t>(size >> 8), static_cast<std::uint8_t>(size)};
                segment.resize(size + 2, 'a');
                insert(bytes, 2, segment);
            }
            check_same(bytes, whole);
            bytes.erase(bytes.end() - static_cast<std::ptrdiff_t>(whole.size() / 5), bytes.end());
            refuse_jpeg(bytes, {"it is cut off"});
        }
    }
}

TEST_CASE("an image does not depend on those that a decoder saw before", "[io][golden]")
{
    const Bytes whole = image("baseline_420.jpg");
    refuse_jpeg(without(whole, {quantization_tables}), {"Quantization table 0x00 was not defined"});
    // The standard's tables are taken for missing ones, as for films.
    check_same(without(whole, {huffman_tables}), whole);

    const Image expected = decode_image(whole, "whole.jpg");
    ImageDecoder decoder;
    const auto check_good = [&]
    {
        const auto pixels = decoder.decode(whole, "whole.jpg").pixels;
        CHECK(std::equal(pixels.begin(), pixels.end(), expected.pixels.begin(), expected.pixels.end()));
    };
    Bytes bad_precision = whole;
    bad_precision.at(place_of(whole, start_of_frame) + 4) = 12;
    check_refused([&] { decoder.decode(bad_precision, "some.jpg"); }, {"precision 12"});
    check_good();
    Bytes bad_table = whole;
    bad_table.at(place_of(whole, huffman_tables) + 5) = 200;
    check_refused([&] { decoder.decode(bad_table, "some.jpg"); }, {"Huffman table"});
    check_good();
    const auto other_tables = decoder.decode(image("baseline_444.jpg"), "other.jpg").pixels;
    CHECK(!other_tables.empty());
    const Image standard = decode_image(without(whole, {huffman_tables}), "some.jpg");
    CHECK(standard.pixels == expected.pixels);
}

TEST_CASE("a JPEG that claims more pixels than its bytes can hold is refused before it takes memory", "[io][golden]")
{
    constexpr std::uint8_t progressive_frame = 0xc2;
    refuse_jpeg(claiming(image("baseline_420.jpg"), start_of_frame, 12000, 13000),
                {"some.jpg", "it claims to have 13000x12000 pixels, more than its bytes can hold"});
    refuse_jpeg(claiming(image("progressive.jpg"), progressive_frame, 12000, 13000), {"13000x12000 pixels, more than"});
    refuse_jpeg(claiming(image("grey.jpg"), start_of_frame, 65000, 65001), {"65001x65000 pixels"});
    refuse_jpeg(claiming(image("grey.jpg"), start_of_frame, 0, 100), {"Empty JPEG image"});
    // Pillow fills up with grey what a marker ends early; while that takes little memory, so do we.
    const Image decoded = decode_image(claiming(image("baseline_420.jpg"), start_of_frame, 300, 301), "some.jpg");
    CHECK(decoded.height == 300);
    CHECK(decoded.width == 301);
}

TEST_CASE("a JPEG of many scans, which would keep the decoder busy, is refused", "[io][golden]")
{
    const Bytes whole = image("progressive.jpg");
    const std::size_t last = scans(whole).back();
    const Bytes scan(whole.begin() + static_cast<std::ptrdiff_t>(last), whole.end() - 2);
    Bytes bytes = whole;
    bytes.reserve(bytes.size() + 600 * scan.size());
    for (int i = 0; i < 600; ++i)
    {
        insert(bytes, last, scan);
    }
    refuse_jpeg(bytes, {"some.jpg", "more than 500 scans"});
}

TEST_CASE("a JPEG of two components is refused", "[io]")
{
    // A scan of 8 x 8 pixels.
    const Bytes bytes = {0xff, 0xd8, 0xff, 0xc0, 0, 14, 8, 0, 8, 0, 8, 2, 1,  0x11, 0,    2,
                         0x11, 0,    0xff, 0xda, 0, 10, 2, 1, 0, 2, 0, 0, 63, 0,    0xff, 0xd9};
    refuse_jpeg(bytes, {"some.jpg", "it has 2 components"});
}

#include <zlib.h>

#include <cstring>

#include "io/image/image.hpp"
#include "tests/io/files.hpp"

using namespace paws::test;
using namespace paws::io;

namespace
{
using Bytes = std::vector<std::uint8_t>;

void append_number(Bytes& bytes, std::size_t number)
{
    for (const int shift : {24, 16, 8, 0})
    {
        bytes.push_back(static_cast<std::uint8_t>(number >> shift & 0xff));
    }
}

Bytes chunk(const std::string& kind, const Bytes& data)
{
    Bytes bytes;
    append_number(bytes, data.size());
    bytes.insert(bytes.end(), kind.begin(), kind.end());
    bytes.insert(bytes.end(), data.begin(), data.end());
    append_number(bytes, crc32(0, bytes.data() + 4, static_cast<uInt>(bytes.size() - 4)));
    return bytes;
}

Bytes deflated(const Bytes& data)
{
    uLongf size = compressBound(data.size());
    Bytes bytes(size);
    REQUIRE(compress(bytes.data(), &size, data.data(), data.size()) == Z_OK);
    bytes.resize(size);
    return bytes;
}

struct Png
{
    std::size_t width = 4;
    std::size_t height = 3;
    std::uint8_t depth = 8;
    std::uint8_t color_type = 0;  // grey
    Bytes rows = {0, 10, 20, 30, 40, 0, 50, 60, 70, 80, 0, 90, 100, 110, 120};
    Bytes before;  // chunks between the header and the pixels
    Bytes after = chunk("IEND", {});

    Bytes bytes() const { return with_pixels(chunk("IDAT", deflated(rows))); }
    Bytes with_pixels(const Bytes& png_pixels) const
    {
        Bytes header;
        append_number(header, width);
        append_number(header, height);
        header.insert(header.end(), {depth, color_type, 0, 0, 0});
        Bytes all = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
        for (const Bytes& part : {chunk("IHDR", header), before, png_pixels, after})
        {
            all.insert(all.end(), part.begin(), part.end());
        }
        return all;
    }
};

/// The values of a grey image.
Bytes values(const Bytes& bytes)
{
    const Image image = decode_image(bytes, "some.png");
    Bytes grey;
    bool is_grey = true;
    for (std::size_t i = 0; i < image.pixels.size(); i += 3)
    {
        is_grey = is_grey && image.pixels[i] == image.pixels[i + 1] && image.pixels[i] == image.pixels[i + 2];
        grey.push_back(image.pixels[i]);
    }
    CHECK(is_grey);
    return grey;
}

void refuse_png(const Bytes& bytes, std::initializer_list<std::string> parts)
{
    check_refused([&] { decode_image(bytes, "some.png"); }, parts);
}

const Bytes png_pixels = {10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110, 120};
}  // namespace

TEST_CASE("a PNG whose checksums are wrong is refused, as is one without all its pixels", "[io]")
{
    Png png;
    REQUIRE(values(png.bytes()) == png_pixels);
    const Bytes stream = deflated(png.rows);

    Bytes damaged = chunk("IDAT", stream);
    damaged.back() ^= 1;
    refuse_png(png.with_pixels(damaged), {"some.png: cannot be decoded (IDAT: CRC error)"});
    refuse_png(png.with_pixels(chunk("IDAT", deflated({png.rows.begin(), png.rows.end() - 5}))),
               {"Not enough image data"});
    refuse_png(png.with_pixels({}), {"some.png"});
    // In two chunks; with another one between them they are two images' data.
    Bytes halves = chunk("IDAT", {stream.begin(), stream.begin() + 7});
    const Bytes second = chunk("IDAT", {stream.begin() + 7, stream.end()});
    Bytes apart = halves;
    const Bytes text = chunk("tEXt", {'a', 0, 'b'});
    apart.insert(apart.end(), text.begin(), text.end());
    apart.insert(apart.end(), second.begin(), second.end());
    refuse_png(png.with_pixels(apart), {"some.png"});
    halves.insert(halves.end(), second.begin(), second.end());
    CHECK(values(png.with_pixels(halves)) == png_pixels);

    png.before = text;
    CHECK(values(png.bytes()) == png_pixels);
    png.before.back() ^= 1;
    refuse_png(png.bytes(), {"tEXt: CRC error"});
}

TEST_CASE("a PNG that ends within a chunk behind its pixels is cut off, one without its last is not", "[io]")
{
    Png png;
    png.after = {};
    CHECK(values(png.bytes()) == png_pixels);
    const Bytes text = chunk("tEXt", {'a', 0, 'b', 'c', 'd', 'e'});
    for (std::size_t size = 1; size < text.size(); ++size)
    {
        INFO(size << " bytes of the last chunk");
        png.after.assign(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(size));
        if (size < 8 || size >= text.size() - 4)
        {
            CHECK(values(png.bytes()) == png_pixels);
        }
        else
        {
            refuse_png(png.bytes(), {"some.png", "it is cut off"});
        }
    }
    // What nobody could take for a chunk, and further images of an animation.
    png.after = Bytes(20, 0xff);
    CHECK(values(png.bytes()) == png_pixels);
    png.after = chunk("fcTL", Bytes(26));
    png.after.resize(20);
    CHECK(values(png.bytes()) == png_pixels);
}

TEST_CASE("indices that a PNG's palette does not have are grey, as for Pillow", "[io]")
{
    Png png;
    png.color_type = 3;
    png.before = chunk("PLTE", {5, 5, 5, 6, 6, 6, 7, 7, 7});
    png.rows = {0, 0, 1, 2, 3, 0, 4, 0, 200, 255, 0, 2, 1, 0, 77};
    CHECK(values(png.bytes()) == Bytes{5, 6, 7, 3, 4, 5, 200, 255, 7, 6, 5, 77});
    png.before.insert(png.before.end(), {0, 0, 0, 1, 't', 'R', 'N', 'S', 9, 0, 0, 0, 0});
    const Bytes transparency = chunk("tRNS", {9});
    std::copy(transparency.begin(), transparency.end(), png.before.end() - 13);
    CHECK(values(png.bytes()) == Bytes{5, 6, 7, 3, 4, 5, 200, 255, 7, 6, 5, 77});

    png.depth = 2;
    png.rows = {0, 0b00011011, 0, 0b11100100, 0, 0b11111111};
    CHECK(values(png.bytes()) == Bytes{5, 6, 7, 3, 3, 7, 6, 5, 3, 3, 3, 3});
}

TEST_CASE("a PNG that claims more pixels than its bytes can hold is refused before it takes memory", "[io]")
{
    Png png;
    png.width = 13000;
    png.height = 12000;
    refuse_png(png.bytes(), {"some.png", "it claims to have 13000x12000 pixels, more than its bytes can hold"});
    png.width = 2'000'000'000;
    png.height = 1;
    refuse_png(png.bytes(), {"some.png", "2000000000x1 pixels"});
    // As many as deflate can pack into this many bytes, and more on a side than libpng takes by itself.
    png.width = 1'200'000;
    png.depth = 1;
    png.rows = Bytes(1 + png.width / 8);
    CHECK(values(png.bytes()) == Bytes(png.width));
}

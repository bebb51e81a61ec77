#include <png.h>

#include "io/image/png.hpp"
#include "tests/io/files.hpp"

using namespace paws::test;
using paws::io::write_png;

TEST_CASE("an image is written as PNG and nothing is lost", "[io]")
{
    const TemporaryFolder folder;
    std::vector<std::uint8_t> pixels(5 * 7 * 3);
    for (std::size_t i = 0; i < pixels.size(); ++i)
    {
        pixels[i] = static_cast<std::uint8_t>(i * 37);
    }
    write_png(folder / "picture.png", pixels, 5, 7);
    png_image image{};
    image.version = PNG_IMAGE_VERSION;
    REQUIRE(png_image_begin_read_from_file(&image, (folder / "picture.png").c_str()) != 0);
    CHECK(image.height == 5);
    CHECK(image.width == 7);
    image.format = PNG_FORMAT_RGB;
    std::vector<std::uint8_t> read(pixels.size());
    REQUIRE(png_image_finish_read(&image, nullptr, read.data(), 0, nullptr) != 0);
    CHECK(read == pixels);
    CHECK(paws::io::is_own_png(contents(folder / "picture.png")));
    CHECK_FALSE(paws::io::is_own_png(contents(data_path("pictures/rgb.png"))));
    CHECK_FALSE(paws::io::is_own_png(contents(folder / "picture.png").substr(0, 40)));
}

TEST_CASE("images whose size does not match are not written", "[io]")
{
    const TemporaryFolder folder;
    const std::vector<std::uint8_t> pixels(12);
    check_refused([&] { write_png(folder / "picture.png", pixels, 2, 3); }, {"picture.png", "2x3", "12 bytes"});
    check_refused([&] { write_png(folder / "picture.png", {}, 0, 3); }, {"picture.png", "0x3"});
    check_refused([&] { write_png(folder / "picture.png", pixels, 1, 4'000'000'000); }, {"picture.png"});
    check_refused([&] { write_png("/nowhere/picture.png", pixels, 2, 2); }, {"/nowhere/picture.png", "no folder"});
    CHECK(folder.entries() == 0);
}

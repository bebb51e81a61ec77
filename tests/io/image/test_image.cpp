#include <algorithm>
#include <cstdlib>

#include "io/hdf5/h5.hpp"
#include "io/image/image.hpp"
#include "tests/io/files.hpp"
#include "tests/support/goldens.hpp"

using namespace paws::test;
using namespace paws::io;

namespace
{
using Bytes = std::vector<std::uint8_t>;

Bytes bytes_of(const std::filesystem::path& path)
{
    const std::string text = contents(path);
    return {text.begin(), text.end()};
}

void check_equal(const Image& image, const h5::Dataset& expected, int tolerance)
{
    REQUIRE(h5::Shape{image.height, image.width, 3} == expected.shape());
    const Bytes pixels = expected.read<std::uint8_t>();
    REQUIRE(image.pixels.size() == pixels.size());
    int worst = 0;
    for (std::size_t i = 0; i < pixels.size(); ++i)
    {
        worst = std::max(worst, std::abs(int{pixels[i]} - int{image.pixels[i]}));
    }
    CHECK(worst <= tolerance);
}

void refuse_image(const Bytes& bytes, std::initializer_list<std::string> parts)
{
    check_refused([&] { decode_image(bytes, "some.png"); }, parts);
}
}  // namespace

TEST_CASE("images of every kind are decoded as Pillow does", "[io][golden]")
{
    const h5::File file = h5::File::open(golden_path("pictures.h5"));
    for (const std::string& name : file.group("rgb").dataset_names())
    {
        INFO(name);
        const Image image = decode_image(bytes_of(golden_path("pictures/" + name)), name);
        check_equal(image, file.dataset("rgb/" + name), name.find("cmyk") != std::string::npos ? 1 : 0);
    }
}

TEST_CASE("corrupt images are refused by name", "[io][golden]")
{
    const h5::File file = h5::File::open(golden_path("pictures.h5"));
    for (const std::string& name : file.dataset("broken").read<std::string>())
    {
        INFO(name);
        check_refused([&] { decode_image(bytes_of(golden_path("pictures/" + name)), name); },
                      {name + ": cannot be decoded", "replace the image"});
    }
}

TEST_CASE("rare kinds of images are decoded as Pillow does, and 16 bits are scaled", "[io]")
{
    const h5::File file = h5::File::open(data_path("more_pictures.h5"));
    for (const std::string& name : file.group("encoded").dataset_names())
    {
        INFO(name);
        const Bytes bytes = file.dataset("encoded/" + name).read<std::uint8_t>();
        check_equal(decode_image(bytes, name), file.dataset("rgb/" + name), 0);
    }
}

TEST_CASE("a decoder that is kept gives what a fresh one gives", "[io][golden]")
{
    const h5::File file = h5::File::open(golden_path("pictures.h5"));
    ImageDecoder decoder;
    const auto check = [&](const std::string& name, const ImageDecoder::ChooseReduction& choose)
    {
        INFO(name);
        const Bytes bytes = bytes_of(golden_path("pictures/" + name));
        const auto kept = decoder.decode(bytes, name, choose);
        const Image fresh = decode_image(bytes, name);
        CHECK(kept.height == fresh.height);
        CHECK(kept.width == fresh.width);
        CHECK(kept.reduction == 1);
        CHECK(std::equal(kept.pixels.begin(), kept.pixels.end(), fresh.pixels.begin(), fresh.pixels.end()));
    };
    for (const std::string& name : file.group("rgb").dataset_names())
    {
        check(name, nullptr);
        check(name, [](std::size_t, std::size_t) { return 1; });
    }
    for (const std::string& name : file.dataset("broken").read<std::string>())
    {
        check_refused([&] { decoder.decode(bytes_of(golden_path("pictures/" + name)), name); }, {name});
        check("baseline_420.jpg", nullptr);
    }
    // PNGs are never reduced, and neither are colours that have half as many columns as rows.
    check("rgb.png", [](std::size_t, std::size_t) { return 8; });
    check("baseline_422.JPEG", [](std::size_t, std::size_t) { return 8; });
}

// A block of the reduced image is made of the lower frequencies of the block of 8 × 8. The mean of a block is one of
// them, so that means over whole blocks stay: to the rounding and clipping of both, and what chroma's interpolation
// carries over from the neighbours.
TEST_CASE("reduced JPEGs keep their size and the means of their blocks", "[io][golden]")
{
    ImageDecoder decoder;
    for (const char* name : {"baseline_420.jpg", "baseline_444.jpg", "grey.jpg", "cmyk.jpg", "progressive.jpg",
                             "odd_1x1.jpg", "thin_3x200.jpg"})
    {
        const Bytes bytes = bytes_of(golden_path(std::string("pictures/") + name));
        const Image whole = decode_image(bytes, name);
        for (const std::size_t by : {2U, 4U, 8U})
        {
            INFO(name << " at 1/" << by);
            const auto reduced = decoder.decode(bytes, name,
                                                [&](std::size_t height, std::size_t width)
                                                {
                                                    CHECK(height == whole.height);
                                                    CHECK(width == whole.width);
                                                    return static_cast<int>(by);
                                                });
            REQUIRE(reduced.reduction == static_cast<int>(by));
            CHECK(reduced.height == whole.height);
            CHECK(reduced.width == whole.width);
            const auto columns = (whole.width + by - 1) / by;
            REQUIRE(reduced.pixels.size() == (whole.height + by - 1) / by * columns * 3);
            const auto mean_of = [&](std::size_t y, std::size_t x, std::size_t c, std::size_t side, std::size_t width,
                                     const std::uint8_t* pixels)
            {
                double sum = 0;
                for (std::size_t i = 0; i < side * side; ++i)
                {
                    sum += pixels[((y * side + i / side) * width + x * side + i % side) * 3 + c];
                }
                return sum / static_cast<double>(side * side);
            };
            double total = 0;
            double blocks = 0;
            for (std::size_t y = 0; y < whole.height / 8; ++y)
            {
                for (std::size_t x = 0; x < whole.width / 8; ++x)
                {
                    for (std::size_t c = 0; c < 3; ++c)
                    {
                        total += std::abs(mean_of(y, x, c, 8, whole.width, whole.pixels.data()) -
                                          mean_of(y, x, c, 8 / by, columns, reduced.pixels.data()));
                        ++blocks;
                    }
                }
            }
            CHECK(total <= 2 * blocks);
        }
    }
    const Bytes bytes = bytes_of(golden_path("pictures/grey.jpg"));
    CHECK_THROWS_AS(decoder.decode(bytes, "grey.jpg", [](std::size_t, std::size_t) { return 3; }),
                    std::invalid_argument);
}

TEST_CASE("images that are cut off anywhere are refused", "[io][golden]")
{
    for (const char* name : {"grey.png", "odd_1x1.jpg", "progressive.jpg", "baseline_420.jpg"})
    {
        const Bytes whole = bytes_of(golden_path(std::string("pictures/") + name));
        for (std::size_t size = 0; size < whole.size() - 20; size += 1 + whole.size() / 100)
        {
            INFO(name << " cut off at " << size);
            const Bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
            check_refused([&] { decode_image(cut, name); }, {name});
        }
    }
}

TEST_CASE("what is no image is refused with the reason", "[io]")
{
    refuse_image({}, {"some.png", "it is empty"});
    refuse_image({'G', 'I', 'F', '8', '9', 'a', 0, 0, 0}, {"some.png", "neither JPEG nor PNG"});
    refuse_image({0xff, 0xd8, 0xff, 0xd9}, {"some.png", "cannot be decoded"});
    refuse_image({0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n', 0, 0}, {"some.png", "it is cut off"});
    // A start of frame that claims 65500x65500 pixels.
    refuse_image({0xff, 0xd8, 0xff, 0xc0, 0, 11, 8, 0xff, 0xdc, 0xff, 0xdc, 1,    1,   0x11,
                  0,    0xff, 0xda, 0,    8, 1,  1, 0,    0,    63,   0,    0xff, 0xd9},
                 {"some.png", "65500x65500 pixels"});
}

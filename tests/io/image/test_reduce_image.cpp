#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <numbers>

#include "io/hdf5/h5.hpp"
#include "io/image/reduce_image.hpp"
#include "tests/io/files.hpp"

using namespace paws::test;
using namespace paws::io;

namespace
{
using Bytes = std::vector<std::uint8_t>;

Image image_of(const h5::Dataset& dataset)
{
    return {dataset.shape().at(0), dataset.shape().at(1), dataset.read<std::uint8_t>()};
}

int worst_difference(const Bytes& a, const Bytes& b)
{
    REQUIRE(a.size() == b.size());
    int worst = 0;
    for (std::size_t i = 0; i < a.size(); ++i)
    {
        worst = std::max(worst, std::abs(int{a[i]} - int{b[i]}));
    }
    return worst;
}

double lanczos(double x)
{
    const auto sinc = [](double t) { return t == 0 ? 1 : std::sin(std::numbers::pi * t) / (std::numbers::pi * t); };
    return std::abs(x) < 3 ? sinc(x) * sinc(x / 3) : 0;
}

/// The weight of input pixel j in output pixel i, without a thought for speed.
double plain_weight(std::size_t i, std::size_t j, std::size_t from, std::size_t to)
{
    const double scale = static_cast<double>(from) / static_cast<double>(to);
    const double centre = (static_cast<double>(i) + 0.5) * scale;
    double total = 0;
    for (std::size_t k = 0; k < from; ++k)
    {
        total += lanczos((static_cast<double>(k) + 0.5 - centre) / scale);
    }
    return lanczos((static_cast<double>(j) + 0.5 - centre) / scale) / total;
}

/// In double precision; rounded once, at the end.
Bytes plain_reduction(const Image& in, std::size_t height, std::size_t width)
{
    Bytes out;
    for (std::size_t y = 0; y < height; ++y)
    {
        for (std::size_t x = 0; x < width; ++x)
        {
            for (std::size_t c = 0; c < 3; ++c)
            {
                double sum = 0;
                for (std::size_t j = 0; j < in.height; ++j)
                {
                    double row = 0;
                    for (std::size_t i = 0; i < in.width; ++i)
                    {
                        row += plain_weight(x, i, in.width, width) * in.pixels[(j * in.width + i) * 3 + c];
                    }
                    sum += plain_weight(y, j, in.height, height) * row;
                }
                out.push_back(static_cast<std::uint8_t>(std::clamp(std::lround(sum), 0L, 255L)));
            }
        }
    }
    return out;
}
}  // namespace

TEST_CASE("images are made smaller as Pillow makes them", "[io]")
{
    const h5::File file = h5::File::open(data_path("reduced_pictures.h5"));
    const Image original = image_of(file.dataset("original"));
    const auto names = file.group("lanczos").dataset_names();
    CHECK(names.size() == 5);
    for (const std::string& name : names)
    {
        INFO(name);
        const Image expected = image_of(file.dataset("lanczos/" + name));
        const Image reduced = reduce_image(original, expected.height, expected.width);
        CHECK(reduced.height == expected.height);
        CHECK(reduced.width == expected.width);
        CHECK(reduced.pixels == expected.pixels);
    }
    CHECK(reduce_image(original, original.height, original.width).pixels == original.pixels);
}

TEST_CASE("a smaller image is the windowed sinc's weighted mean", "[io]")
{
    Image smooth{19, 14, {}};
    for (std::size_t i = 0; i < 19 * 14 * 3; ++i)
    {
        smooth.pixels.push_back(static_cast<std::uint8_t>(128 + 100 * std::sin(static_cast<double>(i) / 17)));
    }
    // The columns are means of rounded rows here.
    CHECK(worst_difference(reduce_image(smooth, 8, 5).pixels, plain_reduction(smooth, 8, 5)) <= 1);
    CHECK(worst_difference(reduce_image(smooth, 18, 13).pixels, plain_reduction(smooth, 18, 13)) <= 1);
}

TEST_CASE("the longer side follows the shorter one", "[io]")
{
    CHECK(size_with_shorter_side(375, 500, 256) == std::pair<std::size_t, std::size_t>{256, 341});
    CHECK(size_with_shorter_side(500, 375, 256) == std::pair<std::size_t, std::size_t>{341, 256});
    CHECK(size_with_shorter_side(300, 300, 256) == std::pair<std::size_t, std::size_t>{256, 256});
    CHECK(size_with_shorter_side(3, 200, 1) == std::pair<std::size_t, std::size_t>{1, 66});
}

TEST_CASE("images are not enlarged, and not made empty", "[io]")
{
    const Image image{2, 2, Bytes(12, 7)};
    CHECK_THROWS_AS(reduce_image(image, 3, 2), std::invalid_argument);
    CHECK_THROWS_AS(reduce_image(image, 2, 3), std::invalid_argument);
    CHECK_THROWS_AS(reduce_image(image, 0, 2), std::invalid_argument);
    CHECK_THROWS_AS(reduce_image(image, 2, 0), std::invalid_argument);
}

TEST_CASE("an encoded image is nearly what it was", "[io]")
{
    Image image{40, 24, {}};
    for (std::size_t i = 0; i < 40 * 24; ++i)
    {
        image.pixels.insert(image.pixels.end(), {static_cast<std::uint8_t>(i / 24 * 5), 100, 30});
    }
    const Image decoded = decode_image(encode_jpeg(image, 95, "some"), "some");
    CHECK(decoded.height == 40);
    CHECK(decoded.width == 24);
    CHECK(worst_difference(decoded.pixels, image.pixels) <= 6);
    const Image wide{1, 70000, Bytes(210000)};
    check_refused([&] { encode_jpeg(wide, 95, "wide.png"); }, {"wide.png", "65535"});
}

TEST_CASE("CMYK with halved chroma, whose subsampling has no name, is decoded", "[io]")
{
    const h5::File file = h5::File::open(data_path("reduced_pictures.h5"));
    const Bytes bytes = file.dataset("cmyk_420/encoded").read<std::uint8_t>();
    const Image expected = image_of(file.dataset("cmyk_420/rgb"));
    const Image decoded = decode_image(bytes, "cmyk");
    CHECK(decoded.height == expected.height);
    CHECK(worst_difference(decoded.pixels, expected.pixels) <= 1);
}

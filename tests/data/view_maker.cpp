// Views of encoded images, decoded whole and reduced.

#include "src/data/view_maker.hpp"

#include <algorithm>
#include <cmath>

#include "tests/support/small_run.hpp"
#include "tests/support/wave_images.hpp"

using namespace paws;

namespace
{
/// A view of the only image of `images`.
std::vector<float> view_of(const data::Images& images, const data::ViewKind& kind, std::uint32_t number, int side,
                           bool reduced)
{
    data::ViewMaker maker(images, false, reduced);
    std::vector<float> out(static_cast<std::size_t>(side * side * 3));
    std::set<std::string> corrupt;
    maker.make({0, {{0, number, 0}}}, {kind}, {out.data()}, images.stored->read(std::vector<std::int64_t>{0}).front(),
               corrupt);
    return out;
}

double largest_difference(const std::vector<float>& a, const std::vector<float>& b)
{
    double largest = 0;
    for (std::size_t i = 0; i < a.size(); ++i)
    {
        largest = std::max(largest, std::abs(255.0 * (a[i] - b[i])));
    }
    return largest;
}
}  // namespace

// A view is the image through a triangle, which both ways share; a reduced pixel adds at most the mean over r = 2 of
// them, which takes 1 − sinc(r / λ) = 0.2 % off a wave of λ = 60 pixels: 0.2 of 100 levels. Half a level is rounded
// away by the decoder and in each of two passes, in both views: together 3.2.
TEST_CASE("the view of evaluation of a reduced image is that of the whole one", "[data]")
{
    const test::Folder folder;
    test::write_encoded(folder / "file.h5", {test::jpeg_of(test::wave(900, 1200, 60), 900, 1200)});
    const auto images = test::encoded_split(folder / "file.h5");
    data::CenterView center;
    center.resize = 256;
    center.crop = 224;
    const auto whole = view_of(images, center, 0, 224, false);
    const auto reduced = view_of(images, center, 0, 224, true);
    CHECK(largest_difference(whole, reduced) <= 3.2);
    // It was really used: not every value rounds alike.
    CHECK(whole != reduced);
    // What is compared has the wave's contrast.
    const auto [low, high] = std::minmax_element(whole.begin(), whole.end());
    CHECK(255 * (*high - *low) > 190);

    // A larger view leaves no room for it.
    center.resize = 460;
    CHECK(view_of(images, center, 0, 224, false) == view_of(images, center, 0, 224, true));
}

TEST_CASE("an image is decoded whole where one of its views is a small crop", "[data]")
{
    const test::Folder folder;
    test::write_encoded(folder / "file.h5", {test::jpeg_of(test::wave(900, 1200, 60), 900, 1200)});
    const auto images = test::encoded_split(folder / "file.h5");
    data::RandomView small;
    small.spec.size = 96;
    small.spec.scale_min = 0.01;
    small.spec.scale_max = 0.02;  // at most 147 pixels where it is square
    data::RandomView large;
    large.spec.size = 96;
    large.spec.scale_min = 0.9;
    const std::size_t values = 96 * 96 * 3;
    const auto make = [&](bool with_small, bool reduced)
    {
        data::ViewMaker maker(images, false, reduced);
        std::vector<float> out(2 * values);
        std::set<std::string> corrupt;
        data::ImageOrder order{0, {{0, 0, 0}}};
        if (with_small)
        {
            order.views.push_back({1, 1, 0});
        }
        maker.make(order, {large, small}, {out.data(), out.data() + values},
                   images.stored->read(std::vector<std::int64_t>{0}).front(), corrupt);
        return out;
    };
    CHECK(make(true, true) == make(true, false));
    CHECK(make(false, true) != make(false, false));
}

// Every operation of the augmentation chain against what Pillow and torchvision made of the same images.

#include <map>
#include <string>

#include "io/hdf5/h5.hpp"
#include "kernels/augment/center.hpp"
#include "tests/kernels/augment_support.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/goldens.hpp"

using namespace paws::kernels::augment;
using namespace paws::test;
namespace h5 = paws::io::h5;

namespace
{
using Exec = Kokkos::Serial;

Image read_image(const h5::Dataset& dataset)
{
    REQUIRE(dataset.shape().size() == 3);
    REQUIRE(dataset.shape()[2] == 3);
    Image image(static_cast<int>(dataset.shape()[0]), static_cast<int>(dataset.shape()[1]));
    image.values = dataset.read<std::uint8_t>();
    return image;
}

Image center_view(const Image& image, int resize, int crop)
{
    const HostView<std::uint8_t****> images("pictures", 1, static_cast<std::size_t>(image.height),
                                            static_cast<std::size_t>(image.width), 3);
    std::copy(image.values.begin(), image.values.end(), images.data());
    const HostView<std::int64_t*> row("row", 1);
    const auto side = static_cast<std::size_t>(crop);
    const HostView<float****> out("out", 1, side, side, 3);
    const float mean[] = {0, 0, 0};
    const float std[] = {1, 1, 1};
    paws::kernels::center_views(Exec(), resize, crop, mean, std, images, row, out);
    Exec().fence();
    Image result(crop, crop);
    for (std::size_t i = 0; i < result.values.size(); ++i)
    {
        result.values[i] = static_cast<std::uint8_t>(out.data()[i] * 255 + 0.5F);
    }
    return result;
}

Image perform(const std::string& op, const h5::Dataset& golden, const Image& input)
{
    const auto whole = [&](const char* name) { return static_cast<int>(golden.attribute<double>(name)); };
    const auto value = golden.attribute<double>("value");
    const int factor = fixed_factor(value);
    if (op == "brightness")
    {
        return apply<Exec>(input,
                           [=](const auto& team, const Planes& p, auto...) { adjust_brightness(team, p, factor); });
    }
    if (op == "contrast")
    {
        return apply<Exec>(input,
                           [=](const auto& team, const Planes& p, auto...) { adjust_contrast(team, p, factor); });
    }
    if (op == "saturation")
    {
        return apply<Exec>(input,
                           [=](const auto& team, const Planes& p, auto...) { adjust_saturation(team, p, factor); });
    }
    if (op == "hue")
    {
        const auto shift = static_cast<int>(value * 255);
        return apply<Exec>(input, [=](const auto& team, const Planes& p, auto...) { adjust_hue(team, p, shift); });
    }
    if (op == "grayscale")
    {
        return apply<Exec>(input, [=](const auto& team, const Planes& p, auto...) { make_grey(team, p); });
    }
    if (op == "equalize")
    {
        return apply<Exec>(input, [=](const auto& team, const Planes& p, const Planes&, std::uint32_t* histogram)
                           { equalise(team, p, histogram); });
    }
    if (op == "solarize")
    {
        const auto threshold = static_cast<int>(std::ceil(value));
        return apply<Exec>(input, [=](const auto& team, const Planes& p, auto...) { solarise(team, p, threshold); });
    }
    if (op == "gaussian_blur")
    {
        const Box box = gaussian_box(value);
        return apply<Exec>(input, [=](const auto& team, const Planes& p, const Planes& spare, std::uint32_t*)
                           { gaussian_blur(team, box, p, spare); });
    }
    if (op == "resized_crop")
    {
        const CropBox crop{whole("top"), whole("left"), whole("height"), whole("width")};
        return resized_crop<Exec>(input, crop, whole("size"), whole("size"));
    }
    if (op == "hflip")
    {
        return resized_crop<Exec>(input, {0, 0, input.height, input.width}, input.height, input.width, true);
    }
    if (op == "resize_center_crop")
    {
        return center_view(input, whole("resize"), whole("crop"));
    }
    FAIL("no test for the operation " << op);
    return {};
}
}  // namespace

TEST_CASE("augmentation agrees with Pillow", "[kernels][golden]")
{
    const std::map<std::string, int> tolerances = {
        {"hflip", 0},         {"solarize", 0},     {"equalize", 0},          {"grayscale", 0},
        {"hue", 2},           {"brightness", 1},   {"contrast", 1},          {"saturation", 1},
        {"gaussian_blur", 1}, {"resized_crop", 1}, {"resize_center_crop", 1}};
    const auto file = h5::File::open(golden_path("augment.h5"));
    int compared = 0;
    for (const std::string& image : file.group_names())
    {
        const h5::Group group = file.group(image);
        const Image input = read_image(group.dataset("input"));
        for (const std::string& name : group.dataset_names())
        {
            if (name == "input")
            {
                continue;
            }
            const h5::Dataset golden = group.dataset(name);
            const auto op = golden.attribute<std::string>("op");
            INFO(golden.where() << ", value " << golden.attribute<double>("value"));
            CHECK(largest_difference(perform(op, golden, input), read_image(golden)) <= tolerances.at(op));
            ++compared;
        }
    }
    CHECK(compared > 0);
}

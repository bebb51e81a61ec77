#pragma once

#include <Kokkos_Core.hpp>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "kernels/augment/chain.hpp"
#include "tests/support/launches.hpp"

// Images for the tests of augmentation, and a way to run one operation of the chain on one of them.
namespace paws::test
{
/// Interleaved 8-bit RGB.
struct Image
{
    int height = 0;
    int width = 0;
    std::vector<std::uint8_t> values;

    Image() = default;
    Image(int its_height, int its_width)
        : height(its_height),
          width(its_width),
          values(3 * static_cast<std::size_t>(its_height) * static_cast<std::size_t>(its_width))
    {
    }

    std::uint8_t& operator()(int row, int column, int channel) { return values[place(row, column, channel)]; }
    std::uint8_t operator()(int row, int column, int channel) const { return values[place(row, column, channel)]; }
    bool operator==(const Image&) const = default;

private:
    std::size_t place(int row, int column, int channel) const
    {
        return static_cast<std::size_t>((row * width + column) * 3 + channel);
    }
};

/// A fixed image of noise over a ramp.
inline Image noisy_image(int height, int width, std::uint32_t seed = 0)
{
    Image image(height, width);
    for (int y = 0; y < height; ++y)
    {
        for (int x = 0; x < width; ++x)
        {
            for (int c = 0; c < 3; ++c)
            {
                const auto at = static_cast<std::uint32_t>((y * width + x) * 3 + c);
                const std::uint32_t noise = kernels::philox4x32({{at, seed, 0, 0}}, 1, 2).word[0] >> 24;
                image(y, x, c) = static_cast<std::uint8_t>((noise + static_cast<std::uint32_t>(4 * x + y)) & 255);
            }
        }
    }
    return image;
}

inline Image plain_image(int height, int width, int red, int green, int blue)
{
    Image image(height, width);
    const int colour[] = {red, green, blue};
    for (std::size_t i = 0; i < image.values.size(); ++i)
    {
        image.values[i] = static_cast<std::uint8_t>(colour[i % 3]);
    }
    return image;
}

/// The largest difference of two values; 256 if the images are of different sizes.
inline int largest_difference(const Image& a, const Image& b)
{
    if (a.height != b.height || a.width != b.width)
    {
        return 256;
    }
    int largest = 0;
    for (std::size_t i = 0; i < a.values.size(); ++i)
    {
        const int difference = static_cast<int>(a.values[i]) - static_cast<int>(b.values[i]);
        largest = std::max(largest, difference < 0 ? -difference : difference);
    }
    return largest;
}

template <class Value>
using HostView = Kokkos::View<Value, Kokkos::LayoutRight, Kokkos::HostSpace>;

/// Calls operation(team, image, spare, histogram) for the planes of an image in a kernel, and returns what became of
/// the image.
template <class Exec, class Operation>
Image apply(const Image& image, const Operation& operation)
{
    const auto bytes = image.values.size();
    const HostView<std::uint8_t*> planes("planes", bytes);
    const HostView<std::uint8_t*> spare("spare", bytes);
    const HostView<std::uint32_t*> histogram("histogram", 3 * kernels::augment::levels);
    const kernels::augment::Planes in{planes.data(), image.height, image.width};
    const kernels::augment::Planes other{spare.data(), image.height, image.width};
    const auto pixels = static_cast<std::size_t>(in.pixels());
    for (std::size_t i = 0; i < bytes; ++i)
    {
        planes(i % 3 * pixels + i / 3) = image.values[i];
    }
    std::uint32_t* counters = histogram.data();
    const Exec exec;
    const LaunchesOn<Exec> place;
    Kokkos::parallel_for("paws::test::apply", Kokkos::TeamPolicy<Exec>(exec, 1, 1),
                         [=](const typename Kokkos::TeamPolicy<Exec>::member_type& team)
                         { operation(team, in, other, counters); });
    exec.fence();
    Image result(image.height, image.width);
    for (std::size_t i = 0; i < bytes; ++i)
    {
        result.values[i] = planes(i % 3 * pixels + i / 3);
    }
    return result;
}

/// The resized crop of the chain, by its two passes.
template <class Exec>
Image resized_crop(const Image& image, const kernels::augment::CropBox& crop, int height, int width,
                   bool mirrored = false)
{
    using namespace kernels::augment;
    const Axis vertical{crop.height, height, 0, height};
    const Axis horizontal{crop.width, width, 0, width};
    const HostView<int*> row_first("row_first", static_cast<std::size_t>(width));
    const HostView<int*> row_weight("row_weight", static_cast<std::size_t>(width * horizontal.most_taps()));
    const HostView<int*> column_first("column_first", static_cast<std::size_t>(height));
    const HostView<int*> column_weight("column_weight", static_cast<std::size_t>(height * vertical.most_taps()));
    const HostView<std::uint8_t*> narrowed("narrowed", static_cast<std::size_t>(3 * crop.height * width));
    const std::ptrdiff_t stride = std::ptrdiff_t{3} * image.width;
    const std::uint8_t* corner = image.values.data() + crop.top * stride + std::ptrdiff_t{3} * crop.left;
    return apply<Exec>(Image(height, width),
                       [=](const auto& team, const Planes& out, const Planes&, std::uint32_t*)
                       {
                           const Planes between{narrowed.data(), crop.height, width};
                           const Taps rows = fill_taps(team, horizontal, mirrored, row_first.data(), row_weight.data());
                           const Taps columns =
                               fill_taps(team, vertical, false, column_first.data(), column_weight.data());
                           resize_rows(team, corner, stride, between.height - 1, rows, between);
                           resize_columns(team, between, 0, columns, out);
                       });
}

inline void set_channel_statistics(kernels::AugmentSpec& spec)
{
    const float mean[] = {0.4914F, 0.4822F, 0.4465F};
    const float std[] = {0.2023F, 0.1994F, 0.2010F};
    for (int c = 0; c < 3; ++c)
    {
        spec.mean[c] = mean[c];
        spec.std[c] = std[c];
    }
}

/// Every operation with a probability that lets most pairs of them meet within a few hundred views.
inline kernels::AugmentSpec everything(int size)
{
    kernels::AugmentSpec spec;
    spec.size = size;
    spec.scale_min = 0.2;
    spec.flip_p = 0.5;
    spec.jitter_p = 0.8;
    spec.brightness = spec.contrast = spec.saturation = 0.4;
    spec.hue = 0.1;
    spec.grey_p = spec.solarise_p = spec.equalise_p = 0.3;
    spec.blur_p = 0.5;
    spec.blur_sigma_min = 0.1;
    spec.blur_sigma_max = 2;
    set_channel_statistics(spec);
    return spec;
}

/// `count` images of noise in one View.
inline HostView<std::uint8_t****> noisy_images(int count, int height, int width)
{
    const HostView<std::uint8_t****> images("pictures", static_cast<std::size_t>(count),
                                            static_cast<std::size_t>(height), static_cast<std::size_t>(width), 3);
    for (int i = 0; i < count; ++i)
    {
        const Image image = noisy_image(height, width, static_cast<std::uint32_t>(i));
        std::copy(image.values.begin(), image.values.end(), &images(i, 0, 0, 0));
    }
    return images;
}

/// The rows, indices and view numbers of a call.
struct Wanted
{
    HostView<std::int64_t*> row;
    HostView<std::int64_t*> index;
    HostView<std::uint32_t*> view;

    explicit Wanted(int count)
        : row("row", static_cast<std::size_t>(count)), index("index", row.extent(0)), view("view", row.extent(0))
    {
    }
};

/// Views 0, 1, ... of each image in turn.
inline Wanted all_views(int images, int views)
{
    Wanted wanted(images * views);
    for (int i = 0; i < images * views; ++i)
    {
        wanted.row(i) = wanted.index(i) = i / views;
        wanted.view(i) = static_cast<std::uint32_t>(i % views);
    }
    return wanted;
}

template <class Value, class Exec>
HostView<Value****> augment(const Exec& exec, const kernels::AugmentSpec& spec, const kernels::AugmentKey& key,
                            const HostView<std::uint8_t****>& images, const Wanted& wanted)
{
    const auto side = static_cast<std::size_t>(spec.size);
    const HostView<Value****> out("out", wanted.row.extent(0), side, side, 3);
    kernels::augment_views(exec, spec, key, images, wanted.row, wanted.index, wanted.view, out);
    exec.fence();
    return out;
}

template <class Call>
std::string message_of(const Call& call)
{
    try
    {
        call();
    }
    catch (const std::invalid_argument& error)
    {
        return error.what();
    }
    return "no error";
}
}  // namespace paws::test

// The whole augmentation: its order, that a view depends on its key alone, and what is refused.

#include <array>
#include <string>
#include <thread>
#include <type_traits>

#include "kernels/augment/center.hpp"
#include "tests/kernels/augment_support.hpp"
#include "tests/support/catch.hpp"

using paws::kernels::AugmentKey;
using paws::kernels::AugmentSpec;
using paws::kernels::ViewRandom;
using namespace paws::kernels::augment;
using namespace paws::test;

namespace
{
using Serial = Kokkos::Serial;
using Host = Kokkos::DefaultHostExecutionSpace;

/// Whether view `a` of one batch is, bit for bit, view `b` of another.
bool same_view(const HostView<float****>& left, std::size_t a, const HostView<float****>& right, std::size_t b)
{
    const std::size_t values = left.size() / left.extent(0);
    return std::equal(left.data() + a * values, left.data() + (a + 1) * values, right.data() + b * values);
}

bool same(const HostView<float****>& left, const HostView<float****>& right)
{
    return left.size() == right.size() && std::equal(left.data(), left.data() + left.size(), right.data());
}

/// The chain by hand: one operation after the other, each on its own.
Image by_hand(const Image& image, const AugmentSpec& spec, const ViewParams& params)
{
    const auto on = [](bool wanted, Image& result, const auto& operation)
    {
        if (wanted)
        {
            result = apply<Serial>(result, operation);
        }
    };
    Image result = resized_crop<Serial>(image, params.crop, spec.size, spec.size);
    if (params.flip)
    {
        result = resized_crop<Serial>(result, {0, 0, spec.size, spec.size}, spec.size, spec.size, true);
    }
    for (const Jitter part : params.order)
    {
        on(params.jitter && part == Jitter::brightness, result,
           [&](const auto& team, const Planes& p, auto...) { adjust_brightness(team, p, params.brightness); });
        on(params.jitter && part == Jitter::contrast, result,
           [&](const auto& team, const Planes& p, auto...) { adjust_contrast(team, p, params.contrast); });
        on(params.jitter && part == Jitter::saturation, result,
           [&](const auto& team, const Planes& p, auto...) { adjust_saturation(team, p, params.saturation); });
        on(params.jitter && part == Jitter::hue, result,
           [&](const auto& team, const Planes& p, auto...) { adjust_hue(team, p, params.hue_shift); });
    }
    on(params.grey, result, [](const auto& team, const Planes& p, auto...) { make_grey(team, p); });
    on(params.solarise, result,
       [&](const auto& team, const Planes& p, auto...) { solarise(team, p, params.threshold); });
    on(params.equalise, result,
       [](const auto& team, const Planes& p, const Planes&, std::uint32_t* histogram)
       { equalise(team, p, histogram); });
    on(params.blur, result,
       [&](const auto& team, const Planes& p, const Planes& spare, auto...)
       { gaussian_blur(team, params.box, p, spare); });
    return result;
}
}  // namespace

TEST_CASE("a view is its operations in the published order", "[kernels][augment]")
{
    const AugmentKey key{11, 2};
    for (const auto& [height, width, size, views] :
         {std::array{32, 32, 32, 200}, std::array{32, 32, 18, 200}, std::array{3, 200, 43, 20}, std::array{1, 1, 5, 20},
          std::array{375, 500, 224, 3}})
    {
        const AugmentSpec spec = everything(size);
        const auto images = noisy_images(2, height, width);
        const auto out = augment<float>(Serial(), spec, key, images, all_views(2, views));
        int wrong = 0;
        for (int i = 0; i < 2 * views; ++i)
        {
            const ViewRandom random(key.seed, key.epoch, static_cast<std::uint64_t>(i / views),
                                    static_cast<std::uint32_t>(i % views));
            const Image image = noisy_image(height, width, static_cast<std::uint32_t>(i / views));
            const Image expected = by_hand(image, spec, draw_params(spec, height, width, random));
            for (std::size_t j = 0; j < expected.values.size(); ++j)
            {
                const double value = (expected.values[j] / 255.0 - spec.mean[j % 3]) / spec.std[j % 3];
                const double made = out.data()[static_cast<std::size_t>(i) * expected.values.size() + j];
                wrong += std::abs(value - made) < 1e-6 ? 0 : 1;
            }
        }
        INFO(height << " x " << width << " to " << size);
        CHECK(wrong == 0);
    }
}

TEST_CASE("a view depends on its key and its image alone", "[kernels][augment]")
{
    const AugmentSpec spec = everything(18);
    const AugmentKey key{5, 9};
    const int views = 8;
    const auto images = noisy_images(6, 32, 32);
    const Wanted wanted = all_views(6, views);
    const auto out = augment<float>(Serial(), spec, key, images, wanted);

    SECTION("not on the backend and its threads")
    {
        const LaunchesOn<Host> place;
        CHECK(same(out, augment<float>(Host(), spec, key, images, wanted)));
    }
    SECTION("not on its place in the batch, nor on the image's place in memory")
    {
        // The data set backwards, every third view of it, the batch backwards.
        const HostView<std::uint8_t****> moved("moved", 6, 32, 32, 3);
        for (std::size_t i = 0; i < 6; ++i)
        {
            std::copy(&images(i, 0, 0, 0), &images(i, 0, 0, 0) + 32 * 32 * 3, &moved(5 - i, 0, 0, 0));
        }
        Wanted some(16);
        for (int i = 0; i < 16; ++i)
        {
            const int from = 45 - 3 * i;
            some.index(i) = wanted.index(from);
            some.row(i) = 5 - wanted.row(from);
            some.view(i) = wanted.view(from);
        }
        const LaunchesOn<Host> place;
        const auto again = augment<float>(Host(), spec, key, moved, some);
        for (std::size_t i = 0; i < 16; ++i)
        {
            CHECK(same_view(again, i, out, 45 - 3 * i));
        }
    }
    SECTION("the index is the row unless said otherwise")
    {
        const HostView<float****> again("again", out.extent(0), 18, 18, 3);
        paws::kernels::augment_views(Serial(), spec, key, images, wanted.index, wanted.view, again);
        CHECK(same(out, again));
    }
    SECTION("but on the seed, the epoch, the index and the view's number")
    {
        CHECK_FALSE(same(out, augment<float>(Serial(), spec, AugmentKey{6, 9}, images, wanted)));
        CHECK_FALSE(same(out, augment<float>(Serial(), spec, AugmentKey{5, 10}, images, wanted)));
        Wanted other = all_views(6, views);
        other.index(0) += std::int64_t{1} << 40;
        other.view(1) += 1U << 20;
        const auto changed = augment<float>(Serial(), spec, key, images, other);
        CHECK_FALSE(same_view(changed, 0, out, 0));
        CHECK_FALSE(same_view(changed, 1, out, 1));
        CHECK(same_view(changed, 2, out, 2));
    }
}

namespace
{
/// A narrow type of the kind that kernels for half precision use.
struct Narrow
{
    float value = 0;
    Narrow() = default;
    KOKKOS_INLINE_FUNCTION explicit Narrow(float wide) : value(static_cast<float>(static_cast<int>(wide * 8)) / 8) {}
};
}  // namespace

TEST_CASE("views may be of a narrower type", "[kernels][augment]")
{
    const AugmentSpec spec = everything(7);
    const auto images = noisy_images(2, 9, 11);
    const auto wide = augment<float>(Serial(), spec, {}, images, all_views(2, 3));
    const auto narrow = augment<Narrow>(Serial(), spec, {}, images, all_views(2, 3));
    for (std::size_t i = 0; i < wide.size(); ++i)
    {
        REQUIRE(narrow.data()[i].value == Narrow(wide.data()[i]).value);
    }
}

// As the loader uses it: a thread of its own makes views while the main thread computes on all cores.
TEST_CASE("views can be made in the background", "[kernels][augment]")
{
    const AugmentSpec spec = everything(18);
    const auto images = noisy_images(4, 32, 32);
    const Wanted wanted = all_views(4, 8);
    const auto expected = augment<float>(Serial(), spec, {}, images, wanted);
    // Allocated here: Kokkos 3.4 fills a new host View with the default host backend, which OpenMP refuses elsewhere.
    const HostView<float****> out("out", 32, 18, 18, 3);
    bool all_same = true;
    std::thread loader(
        [&]()
        {
            const Serial exec;
            for (int i = 0; i < 50; ++i)
            {
                std::fill(out.data(), out.data() + out.size(), 0.0F);
                paws::kernels::augment_views(exec, spec, AugmentKey{}, images, wanted.index, wanted.view, out);
                exec.fence();
                all_same = all_same && same(expected, out);
            }
        });
    const LaunchesOn<Host> place;
    double sum = 0;
    for (int i = 0; i < 200; ++i)
    {
        double part = 0;
        Kokkos::parallel_reduce(
            "paws::test::sum", Kokkos::TeamPolicy<Host>(Host(), 64, 1),
            KOKKOS_LAMBDA(const Kokkos::TeamPolicy<Host>::member_type& team, double& total) {
                total += team.league_rank();
            },
            part);
        sum += part;
    }
    loader.join();
    CHECK(all_same);
    CHECK(sum == 200.0 * 64 * 63 / 2);
}

TEST_CASE("views at the centre are resized and cropped as by torchvision", "[kernels][augment]")
{
    const float mean[] = {0.4914F, 0.4822F, 0.4465F};
    const float std[] = {0.2023F, 0.1994F, 0.2010F};
    const HostView<std::int64_t*> row("row", 3);
    row(0) = 2;
    row(2) = 1;
    const LaunchesOn<Host> place;
    // The image's size, the shorter side wanted (0: as it is), the crop, and where its corner must be.
    for (const auto& [height, width, resize, crop, to_height, to_width, top, left] :
         {std::array{32, 32, 0, 32, 32, 32, 0, 0}, std::array{43, 57, 0, 18, 43, 57, 12, 20},
          std::array{43, 57, 20, 20, 20, 26, 0, 3}, std::array{57, 43, 100, 96, 132, 100, 18, 2},
          std::array{3, 200, 2, 1, 2, 133, 0, 66}})
    {
        const auto images = noisy_images(3, height, width);
        const auto side = static_cast<std::size_t>(crop);
        const HostView<float****> out("out", 3, side, side, 3);
        paws::kernels::center_views(Host(), resize, crop, mean, std, images, row, out);
        Host().fence();
        int wrong = 0;
        for (std::size_t i = 0; i < 3; ++i)
        {
            const Image image = noisy_image(height, width, static_cast<std::uint32_t>(row(i)));
            const Image resized = resized_crop<Serial>(image, {0, 0, height, width}, to_height, to_width);
            for (int y = 0; y < crop; ++y)
            {
                for (int x = 0; x < crop; ++x)
                {
                    for (int c = 0; c < 3; ++c)
                    {
                        const double expected = (resized(top + y, left + x, c) / 255.0 - mean[c]) / std[c];
                        wrong += std::abs(out(i, y, x, c) - expected) < 1e-6 ? 0 : 1;
                    }
                }
            }
        }
        INFO(height << " x " << width << " to " << resize << ", crop " << crop);
        CHECK(wrong == 0);
    }
}

TEST_CASE("impossible augmentations are refused by name", "[kernels][augment]")
{
    const auto refused = [](const auto& change)
    {
        AugmentSpec spec = everything(18);
        change(spec);
        return message_of([&]() { augment<float>(Serial(), spec, {}, noisy_images(1, 8, 8), all_views(1, 1)); });
    };
    using Catch::Matchers::Contains;
    CHECK_THAT(refused([](AugmentSpec& s) { s.size = 0; }), Contains("size"));
    CHECK_THAT(refused([](AugmentSpec& s) { s.scale_min = 0; }), Contains("scale_min"));
    CHECK_THAT(refused([](AugmentSpec& s) { s.scale_max = 1.01; }), Contains("scale_max"));
    CHECK_THAT(refused([](AugmentSpec& s) { s.ratio_min = 2; }), Contains("ratio_min"));
    CHECK_THAT(refused([](AugmentSpec& s) { s.flip_p = -0.1; }), Contains("flip_p"));
    CHECK_THAT(refused([](AugmentSpec& s) { s.blur_p = std::nan(""); }), Contains("blur_p"));
    CHECK_THAT(refused([](AugmentSpec& s) { s.contrast = 100; }), Contains("contrast"));
    CHECK_THAT(refused([](AugmentSpec& s) { s.hue = 0.51; }), Contains("hue"));
    CHECK_THAT(refused([](AugmentSpec& s) { s.blur_sigma_min = 3; }), Contains("blur_sigma_min"));
    CHECK_THAT(refused([](AugmentSpec& s) { s.std[1] = 0; }), Contains("std"));
    CHECK(refused([](AugmentSpec&) {}) == "no error");
}

TEST_CASE("views and images of other shapes are refused", "[kernels][augment]")
{
    using Catch::Matchers::Contains;
    const AugmentSpec spec = everything(18);
    const Wanted wanted = all_views(1, 2);
    const auto augmented = [&](std::size_t channels_in, std::size_t height, std::size_t views, std::size_t side)
    {
        const HostView<std::uint8_t****> images("pictures", 1, height, 8, channels_in);
        const HostView<float****> out("out", views, side, side, 3);
        return message_of(
            [&]() { paws::kernels::augment_views(Serial(), spec, {}, images, wanted.index, wanted.view, out); });
    };
    CHECK(augmented(3, 8, 2, 18) == "no error");
    CHECK_THAT(augmented(4, 8, 2, 18), Contains("channels"));
    CHECK_THAT(augmented(3, 0, 2, 18), Contains("height"));
    CHECK_THAT(augmented(3, 8, 3, 18), Contains("length"));
    CHECK_THAT(augmented(3, 8, 2, 17), Contains("18 x 18"));

    const auto centered = [&](int resize, int crop, float std_of_green, std::size_t rows)
    {
        const float mean[] = {0, 0, 0};
        const float std[] = {1, std_of_green, 1};
        const auto side = static_cast<std::size_t>(std::max(0, crop));
        const HostView<std::int64_t*> row("row", rows);
        const HostView<float****> out("out", 2, side, side, 3);
        return message_of(
            [&]() { paws::kernels::center_views(Serial(), resize, crop, mean, std, noisy_images(1, 8, 9), row, out); });
    };
    CHECK(centered(0, 8, 1, 2) == "no error");
    CHECK(centered(12, 12, 1, 2) == "no error");
    CHECK_THAT(centered(0, 9, 1, 2), Contains("does not fit"));
    CHECK_THAT(centered(0, 0, 1, 2), Contains("crop must be"));
    CHECK_THAT(centered(-1, 8, 1, 2), Contains("resize"));
    CHECK_THAT(centered(0, 8, 0, 2), Contains("std"));
    CHECK_THAT(centered(0, 8, 1, 3), Contains("length"));
}

TEST_CASE("no views are made of no rows", "[kernels][augment]")
{
    CHECK(augment<float>(Serial(), everything(4), {}, noisy_images(1, 2, 2), Wanted(0)).size() == 0);
    const float ones[] = {1, 1, 1};
    const HostView<float****> out("out", 0, 2, 2, 3);
    paws::kernels::center_views(Serial(), 0, 2, ones, ones, noisy_images(1, 2, 2), HostView<std::int64_t*>("row", 0),
                                out);
}

namespace
{
// Kokkos' callbacks are plain functions.
std::vector<std::string> launches;
int allocations = 0;
int fences = 0;
}  // namespace

TEST_CASE("augmentation launches what it says and neither allocates nor waits", "[kernels][augment]")
{
    namespace tools = Kokkos::Tools::Experimental;
    const AugmentSpec spec = everything(18);
    const auto images = noisy_images(1, 32, 32);
    const Wanted wanted = all_views(1, 4);
    const HostView<float****> out("out", 4, 18, 18, 3);
    const Serial exec;
    const auto previous = tools::get_callbacks();
    launches.clear();
    allocations = fences = 0;
    tools::set_begin_parallel_for_callback([](const char* name, std::uint32_t, std::uint64_t*)
                                           { launches.emplace_back(name); });
    tools::set_allocate_data_callback([](const Kokkos::Profiling::SpaceHandle, const char*, const void*, std::uint64_t)
                                      { ++allocations; });
    tools::set_begin_fence_callback(
        [](const char* name, std::uint32_t, std::uint64_t*)
        {
            // Newer versions of Kokkos wait around a kernel for the sake of a listener such as this one.
            fences += std::string(name).find("Tool Fence") == std::string::npos ? 1 : 0;
        });
    paws::kernels::augment_views(exec, spec, AugmentKey{}, images, wanted.index, wanted.view, out);
    paws::kernels::center_views(exec, 0, 18, spec.mean, spec.std, images, wanted.row, out);
    tools::set_callbacks(previous);
    CHECK(launches == std::vector<std::string>{"paws::augment::views", "paws::augment::center"});
    CHECK(allocations == 0);
    CHECK(fences == 0);
}

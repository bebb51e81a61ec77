// Views made on a thread of one's own are those of the kernels, bit for bit.

#include "kernels/augment/host_views.hpp"

#include <array>
#include <cstring>
#include <thread>

#include "tests/kernels/augment_support.hpp"
#include "tests/support/catch.hpp"

using paws::kernels::AugmentKey;
using paws::kernels::AugmentSpec;
using paws::kernels::HostViews;
using namespace paws::test;

namespace
{
using Serial = Kokkos::Serial;

/// Makes all wanted views of `images` and counts those that are not, byte for byte, in `expected`.
template <class T>
int count_wrong(HostViews& views, const AugmentSpec& spec, const AugmentKey& key,
                const HostView<std::uint8_t****>& images, const Wanted& wanted, const HostView<T****>& expected)
{
    const auto height = static_cast<int>(images.extent(1));
    const auto width = static_cast<int>(images.extent(2));
    const std::size_t values = expected.size() / expected.extent(0);
    std::vector<T> made(values);
    int wrong = 0;
    for (std::size_t i = 0; i < wanted.row.extent(0); ++i)
    {
        views.make(spec, key, &images(wanted.row(i), 0, 0, 0), height, width, wanted.index(i), wanted.view(i),
                   made.data());
        wrong += std::memcmp(made.data(), expected.data() + i * values, values * sizeof(T)) == 0 ? 0 : 1;
    }
    return wrong;
}

template <class T>
HostView<T****> stored_as(const HostView<float****>& wide)
{
    const HostView<T****> narrow("narrow", wide.extent(0), wide.extent(1), wide.extent(2), wide.extent(3));
    for (std::size_t i = 0; i < wide.size(); ++i)
    {
        paws::kernels::store(narrow.data()[i], wide.data()[i]);
    }
    return narrow;
}
}  // namespace

TEST_CASE("views of one's own thread are those of the kernels", "[kernels][augment]")
{
    const AugmentKey key{11, 2};
    HostViews views;  // one for all sizes: what a larger view leaves in the memory must not matter
    for (const auto& [height, width, size, count] :
         {std::array{375, 500, 224, 4}, std::array{32, 32, 32, 100}, std::array{32, 32, 18, 100},
          std::array{3, 200, 43, 20}, std::array{1, 1, 5, 20}, std::array{375, 500, 96, 6}})
    {
        INFO(height << " x " << width << " to " << size);
        const AugmentSpec spec = everything(size);
        const auto images = noisy_images(2, height, width);
        const Wanted wanted = all_views(2, count);
        const auto expected = augment<float>(Serial(), spec, key, images, wanted);
        CHECK(count_wrong(views, spec, key, images, wanted, expected) == 0);
        CHECK(count_wrong(views, spec, key, images, wanted, stored_as<paws::kernels::bfloat16>(expected)) == 0);
        CHECK(count_wrong(views, spec, key, images, wanted, stored_as<paws::kernels::float16>(expected)) == 0);
        // The check itself must notice other views.
        CHECK(count_wrong(views, spec, AugmentKey{12, 2}, images, wanted, expected) > 0);
    }
}

TEST_CASE("threads make views side by side", "[kernels][augment]")
{
    const AugmentSpec spec = everything(18);
    const auto images = noisy_images(4, 32, 32);
    const Wanted wanted = all_views(4, 8);
    const auto expected = augment<float>(Serial(), spec, {}, images, wanted);
    std::array<int, 4> wrong{};
    std::vector<std::thread> threads;
    for (int& count : wrong)
    {
        threads.emplace_back(
            [&]()
            {
                HostViews views;
                for (int i = 0; i < 50; ++i)
                {
                    count += count_wrong(views, spec, {}, images, wanted, expected);
                }
            });
    }
    for (std::thread& thread : threads)
    {
        thread.join();
    }
    CHECK(wrong == std::array<int, 4>{});
}

TEST_CASE("views at the centre of one's own thread are those of the kernels", "[kernels][augment]")
{
    const float mean[] = {0.4914F, 0.4822F, 0.4465F};
    const float std[] = {0.2023F, 0.1994F, 0.2010F};
    const HostView<std::int64_t*> row("row", 1);
    HostViews views;
    for (const auto& [height, width, resize, crop] :
         {std::array{375, 500, 256, 224}, std::array{32, 32, 0, 32}, std::array{43, 57, 20, 20},
          std::array{57, 43, 100, 96}, std::array{3, 200, 2, 1}})
    {
        INFO(height << " x " << width << " to " << resize << ", crop " << crop);
        const auto images = noisy_images(1, height, width);
        const auto side = static_cast<std::size_t>(crop);
        const HostView<float****> out("out", 1, side, side, 3);
        paws::kernels::center_views(Serial(), resize, crop, mean, std, images, row, out);
        std::vector<float> made(out.size());
        views.make_center(resize, crop, mean, std, images.data(), height, width, made.data());
        CHECK(std::equal(made.begin(), made.end(), out.data()));
    }
}

TEST_CASE("impossible views of one's own thread are refused by name", "[kernels][augment]")
{
    using Catch::Matchers::Contains;
    const Image image = noisy_image(8, 8);
    std::vector<float> out(3 * 18 * 18);
    HostViews views;
    const auto made = [&](const AugmentSpec& spec, int height, int width)
    { return message_of([&]() { views.make(spec, {}, image.values.data(), height, width, 0, 0, out.data()); }); };
    AugmentSpec bad = everything(18);
    bad.hue = 0.51;
    CHECK(made(everything(18), 8, 8) == "no error");
    CHECK_THAT(made(bad, 8, 8), Contains("hue"));
    CHECK_THAT(made(everything(18), 0, 8), Contains("height"));
    CHECK_THAT(made(everything(18), 8, -1), Contains("width"));

    const auto centered = [&](int resize, int crop, float std_of_green, int height)
    {
        const float mean[] = {0, 0, 0};
        const float std[] = {1, std_of_green, 1};
        return message_of([&]()
                          { views.make_center(resize, crop, mean, std, image.values.data(), height, 8, out.data()); });
    };
    CHECK(centered(0, 8, 1, 8) == "no error");
    CHECK_THAT(centered(0, 9, 1, 8), Contains("does not fit"));
    CHECK_THAT(centered(0, 0, 1, 8), Contains("crop must be"));
    CHECK_THAT(centered(-1, 8, 1, 8), Contains("resize"));
    CHECK_THAT(centered(0, 8, 0, 8), Contains("std"));
    CHECK_THAT(centered(0, 8, 1, 0), Contains("height"));
}

#include "kernels/batch_norm/channels.hpp"

#include <Kokkos_Core.hpp>
#include <algorithm>
#include <cmath>
#include <vector>

#include "tests/support/catch.hpp"

// The steps of batch norm per channel against plain loops in double precision, on ranks that are played one by one.

using namespace paws::kernels;

namespace
{
template <class T>
using HostView = Kokkos::View<T, Kokkos::LayoutRight, Kokkos::HostSpace>;

constexpr int channels = 5;

double value_of(int channel, int i)
{
    return 40.0 * channel + (1 + channel) * std::sin(1.7 * i + channel);
}

/// Mean and squared deviations of values [begin, end) of a channel.
struct Moments
{
    double mean = 0;
    double deviation = 0;

    Moments(int channel, int begin, int end)
    {
        for (int i = begin; i < end; ++i)
        {
            mean += value_of(channel, i) / (end - begin);
        }
        for (int i = begin; i < end; ++i)
        {
            deviation += (value_of(channel, i) - mean) * (value_of(channel, i) - mean);
        }
    }
};

template <class Real>
HostView<Real*> channel_values(double scale, double offset)
{
    HostView<Real*> values("values", channels);
    for (int c = 0; c < channels; ++c)
    {
        values(c) = static_cast<Real>(scale * c + offset);
    }
    return values;
}

template <class View>
typename View::const_type constant(const View& view)
{
    return view;
}
}  // namespace

TEMPLATE_TEST_CASE("statistics of ranks add up to those of all values", "[kernels]", float, double)
{
    using Real = TestType;
    const double tolerance = std::is_same_v<Real, float> ? 1e-4 : 1e-12;
    const Kokkos::Serial exec;
    const auto origin = channel_values<Real>(38, 1);
    HostView<double*> sums("sums", batch_norm_shared_values(channels)), own("own", sums.extent(0));
    // Ranks have 7, 9 and 4 values a channel.
    const std::vector<int> begins{0, 7, 16, 20};
    for (std::size_t rank = 0; rank + 1 < begins.size(); ++rank)
    {
        HostView<Real*> mean("mean", channels), deviation("deviation", channels);
        for (int c = 0; c < channels; ++c)
        {
            const Moments moments(c, begins[rank], begins[rank + 1]);
            mean(c) = static_cast<Real>(moments.mean);
            deviation(c) = static_cast<Real>(moments.deviation);
        }
        batch_norm_pack(exec, mean, deviation, begins[rank + 1] - begins[rank], origin, own);
        exec.fence();
        for (std::size_t i = 0; i < sums.extent(0); ++i)
        {
            sums(i) += own(i);
        }
    }
    HostView<Real*> mean("mean", channels), deviation("deviation", channels);
    HostView<double> count("count");
    batch_norm_unpack(exec, sums, origin, mean, deviation, count);
    exec.fence();
    CHECK(count() == begins.back());
    for (int c = 0; c < channels; ++c)
    {
        const Moments moments(c, 0, begins.back());
        CHECK(mean(c) == Approx(moments.mean).epsilon(tolerance));
        CHECK(deviation(c) == Approx(moments.deviation).epsilon(tolerance));
    }
}

TEMPLATE_TEST_CASE("running statistics and scales follow from a batch", "[kernels]", float, double)
{
    using Real = TestType;
    const double tolerance = std::is_same_v<Real, float> ? 1e-6 : 1e-14;
    const Kokkos::Serial exec;
    const auto mean = channel_values<Real>(0.7, -1), deviation = channel_values<Real>(3, 2);
    const auto weight = channel_values<Real>(-0.3, 0.8);
    const auto running_mean = channel_values<Real>(1, 4), running_variance = channel_values<Real>(2, 0.5);
    HostView<Real*> inverse("inverse", channels), scale("scale", channels);
    HostView<double> count("count");
    count() = 12;
    const BatchNormSettings settings{1e-5, 0.3};
    batch_norm_finish(exec, mean, deviation, constant(count), settings, constant(weight), running_mean,
                      running_variance, inverse, scale);
    exec.fence();
    for (int c = 0; c < channels; ++c)
    {
        const double squares = 3.0 * c + 2;
        const double root = 1 / std::sqrt(squares / 12 + 1e-5);
        CHECK(inverse(c) == Approx(root).epsilon(tolerance));
        CHECK(scale(c) == Approx((0.8 - 0.3 * c) * root).epsilon(tolerance).margin(tolerance));
        CHECK(running_mean(c) == Approx(0.7 * (c + 4.0) + 0.3 * (0.7 * c - 1)).epsilon(tolerance));
        CHECK(running_variance(c) == Approx(0.7 * (2.0 * c + 0.5) + 0.3 * squares / 11).epsilon(tolerance));
    }
}

TEMPLATE_TEST_CASE("slopes of batch norm follow from the sums of all ranks, its weight's gradient from this one's",
                   "[kernels]", float, double)
{
    using Real = TestType;
    const double tolerance = std::is_same_v<Real, float> ? 1e-6 : 1e-14;
    const Kokkos::Serial exec;
    HostView<Real**> own("own", 2, channels), all("all", 2, channels);
    const auto inverse = channel_values<Real>(0.25, 0.5);
    for (int c = 0; c < channels; ++c)
    {
        own(0, c) = static_cast<Real>(c - 1);
        own(1, c) = static_cast<Real>(2 * c + 1);
        all(0, c) = static_cast<Real>(3 * c - 5);
        all(1, c) = static_cast<Real>(7 - c);
    }
    HostView<double> count("count");
    count() = 20;
    HostView<Real*> slope("slope", channels), offset("offset", channels), grad_weight("grad_weight", channels);
    for (const bool frozen : {false, true})
    {
        batch_norm_gradients(exec, constant(own), constant(all), constant(inverse), constant(count), frozen, slope,
                             offset, grad_weight);
        exec.fence();
        for (int c = 0; c < channels; ++c)
        {
            const double root = 0.25 * c + 0.5;
            CHECK(grad_weight(c) == Approx((2.0 * c + 1) * root).epsilon(tolerance));
            CHECK(slope(c) == Approx(frozen ? 0 : -(7.0 - c) * root * root / 20).epsilon(tolerance));
            CHECK(offset(c) == Approx(frozen ? 0 : -(3.0 * c - 5) / 20).epsilon(tolerance));
        }
    }
}

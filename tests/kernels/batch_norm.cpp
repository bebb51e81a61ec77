#include "kernels/batch_norm.hpp"

#include <Kokkos_Core.hpp>
#include <cmath>
#include <limits>
#include <vector>

#include "tests/kernels/blocks_on_host.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/launches.hpp"

// Batch norm below LibTorch: every kernel against plain loops in double precision.

using namespace paws::kernels;

namespace
{
template <class T>
using HostView = Kokkos::View<T, Kokkos::LayoutRight, Kokkos::HostSpace>;

double wave(std::int64_t i)
{
    return 1.3 * std::sin(0.7 * static_cast<double>(i) + 0.1 * static_cast<double>(i % 11)) + 0.4;
}

/// A matrix of stored values, with what they stand for in double.
template <class Stored>
struct Matrix
{
    HostView<Stored**> stored;

    Matrix(std::int64_t rows, int channels) : stored("matrix", rows, channels) {}
    Matrix(std::int64_t rows, int channels, int seed, double offset) : Matrix(rows, channels)
    {
        for (std::int64_t i = 0; i < rows * channels; ++i)
        {
            store(stored.data()[i], static_cast<Real>(wave(3 * i + seed) + offset));
        }
    }
    double operator()(std::int64_t r, int c) const { return static_cast<double>(load(stored(r, c))); }
    HostView<const Stored**> view() const { return stored; }

    using Real = typename Compute<Stored>::type;
};

template <class Real>
HostView<Real*> channel_values(int channels, int seed)
{
    HostView<Real*> values("values", channels);
    for (int c = 0; c < channels; ++c)
    {
        values(c) = static_cast<Real>(wave(5 * c + seed));
    }
    return values;
}

template <class Real>
HostView<const Real*> constant(const HostView<Real*>& values)
{
    return values;
}

bool close(double value, double expected, double tolerance)
{
    return std::abs(value - expected) <= tolerance * (1 + std::abs(expected));
}

/// Half a unit in the last place of what is stored, and what `Real` loses in a few operations.
template <class Stored>
constexpr double rounding()
{
    return std::is_same_v<Stored, bfloat16>  ? 0x1p-8
           : std::is_same_v<Stored, float16> ? 0x1p-11
           : std::is_same_v<Stored, float>   ? 2e-6
                                             : 1e-14;
}

/// Of sums over many rows, relative to the size of their parts.
template <class Real>
constexpr double sum_rounding()
{
    return std::is_same_v<Real, float> ? 1e-5 : 1e-12;
}

struct Shape
{
    std::int64_t rows;
    int channels;
};

template <class Exec, class Stored>
void check_forward(const Shape& shape, double offset)
{
    using Real = typename Compute<Stored>::type;
    const auto [rows, channels] = shape;
    const Matrix<Stored> x(rows, channels, 1, offset), addend(rows, channels, 2, 0);
    Matrix<Stored> y(rows, channels), sum(rows, channels), pair(rows, channels);
    HostView<Real*> mean("mean", channels), deviation("deviation", channels);
    const HostView<Real***> scratch("scratch", batch_norm_chunks<Exec>(rows, channels), 2, channels);
    const Exec exec;
    const paws::test::LaunchesOn<Exec> place;
    batch_norm_statistics(exec, x.view(), mean, deviation, scratch);
    exec.fence();
    for (int c = 0; c < channels; ++c)
    {
        double plain_mean = 0, plain_deviation = 0;
        for (std::int64_t r = 0; r < rows; ++r)
        {
            plain_mean += x(r, c) / static_cast<double>(rows);
        }
        for (std::int64_t r = 0; r < rows; ++r)
        {
            plain_deviation += (x(r, c) - plain_mean) * (x(r, c) - plain_mean);
        }
        CHECK(close(mean(c), plain_mean, sum_rounding<Real>()));
        // The mean of the deviations is what the tolerance is for; it is as exact at a large mean.
        CHECK(close(deviation(c) / static_cast<double>(rows), plain_deviation / static_cast<double>(rows),
                    sum_rounding<Real>() * (1 + std::abs(offset) / 10)));
    }
    const auto scale = channel_values<Real>(channels, 7), bias = channel_values<Real>(channels, 9);
    const auto other_mean = channel_values<Real>(channels, 11), other_scale = channel_values<Real>(channels, 13),
               other_bias = channel_values<Real>(channels, 15);
    using Channels = BatchNormChannels<HostView<const Real*>>;
    for (const bool relu : {true, false})
    {
        batch_norm_apply(exec, x.view(), constant(mean), constant(scale), constant(bias), relu, y.stored);
        batch_norm_add_relu_apply(exec, x.view(), constant(mean), constant(scale), constant(bias), addend.view(),
                                  sum.stored);
        batch_norm_pair_relu_apply(exec, x.view(), Channels{mean, scale, bias}, addend.view(),
                                   Channels{other_mean, other_scale, other_bias}, pair.stored);
        exec.fence();
        int wrong = 0;
        for (std::int64_t r = 0; r < rows; ++r)
        {
            for (int c = 0; c < channels; ++c)
            {
                const double value = (x(r, c) - mean(c)) * scale(c) + bias(c);
                wrong += close(y(r, c), relu ? std::max(0.0, value) : value, rounding<Stored>()) ? 0 : 1;
                wrong += close(sum(r, c), std::max(0.0, value + addend(r, c)), rounding<Stored>()) ? 0 : 1;
                const double other = (addend(r, c) - other_mean(c)) * other_scale(c) + other_bias(c);
                // Both sums have the rounding of their larger part.
                wrong += std::abs(pair(r, c) - std::max(0.0, value + other)) <=
                                 rounding<Stored>() * (2 + std::abs(value) + std::abs(other))
                             ? 0
                             : 1;
            }
        }
        CHECK(wrong == 0);
    }
}

template <class Exec, class Stored>
void check_backward(const Shape& shape)
{
    using Real = typename Compute<Stored>::type;
    const auto [rows, channels] = shape;
    const Matrix<Stored> x(rows, channels, 1, 0), grad(rows, channels, 2, -0.5), y(rows, channels, 4, -0.4);
    const auto mean = channel_values<Real>(channels, 3), scale = channel_values<Real>(channels, 7),
               bias = channel_values<Real>(channels, 9), slope = channel_values<Real>(channels, 12),
               offset = channel_values<Real>(channels, 14);
    HostView<Real*> grad_bias("grad_bias", channels), centred("centred", channels);
    const HostView<Real***> scratch("scratch", batch_norm_chunks<Exec>(rows, channels), 2, channels);
    Matrix<Stored> grad_x(rows, channels), grad_addend(rows, channels), with_addend(rows, channels);
    const Exec exec;
    const paws::test::LaunchesOn<Exec> place;
    const auto check_sums = [&](const auto& g)
    {
        for (int c = 0; c < channels; ++c)
        {
            double sum = 0, product = 0;
            for (std::int64_t r = 0; r < rows; ++r)
            {
                sum += g(r, c);
                product += g(r, c) * (x(r, c) - mean(c));
            }
            // The parts are of order one, and nearly cancel in some channels.
            const auto parts = static_cast<double>(rows);
            CHECK(std::abs(grad_bias(c) - sum) < sum_rounding<Real>() * parts);
            CHECK(std::abs(centred(c) - product) < sum_rounding<Real>() * parts);
        }
    };
    for (const bool relu : {true, false})
    {
        // The mask decides alike in both precisions, but for values within rounding of zero, which the waves have none
        // of.
        const auto g = [&](std::int64_t r, int c)
        { return !relu || (x(r, c) - mean(c)) * scale(c) + bias(c) > 0 ? grad(r, c) : 0.0; };
        batch_norm_backward_sums(exec, x.view(), grad.view(), constant(mean), constant(scale), constant(bias), relu,
                                 grad_bias, centred, scratch);
        batch_norm_backward_apply(exec, x.view(), grad.view(), constant(mean), constant(scale), constant(bias),
                                  constant(slope), constant(offset), relu, grad_x.stored);
        batch_norm_backward_apply_add(exec, x.view(), grad.view(), constant(mean), constant(scale), constant(bias),
                                      constant(slope), constant(offset), relu, grad.view(), with_addend.stored);
        exec.fence();
        check_sums(g);
        int wrong = 0;
        for (std::int64_t r = 0; r < rows; ++r)
        {
            for (int c = 0; c < channels; ++c)
            {
                const double value = scale(c) * (g(r, c) + slope(c) * (x(r, c) - mean(c)) + offset(c));
                wrong += close(grad_x(r, c), value, 4 * rounding<Stored>()) ? 0 : 1;
                wrong += close(with_addend(r, c), value + grad(r, c), 4 * rounding<Stored>()) ? 0 : 1;
            }
        }
        CHECK(wrong == 0);
    }
    const auto g = [&](std::int64_t r, int c) { return y(r, c) > 0 ? grad(r, c) : 0.0; };
    batch_norm_add_relu_backward_sums(exec, x.view(), grad.view(), y.view(), constant(mean), grad_addend.stored,
                                      grad_bias, centred, scratch);
    exec.fence();
    check_sums(g);
    int wrong = 0;
    for (std::int64_t r = 0; r < rows; ++r)
    {
        for (int c = 0; c < channels; ++c)
        {
            wrong += grad_addend(r, c) == g(r, c) ? 0 : 1;
        }
    }
    CHECK(wrong == 0);
}

/// One row, single channels, odd groups of channels, every width of a group, chunks that are not full, and groups that
/// are more than the threads of a block, or no divisor of them.
const std::vector<Shape> shapes{{1, 1},    {1, 130}, {7, 17},    {600, 33},  {20011, 1},
                                {513, 32}, {35, 64}, {263, 127}, {1500, 24}, {19, 1200}};

template <class Exec, class Stored>
void check_all()
{
    for (const auto& shape : shapes)
    {
        INFO(shape.rows << " rows, " << shape.channels << " channels");
        check_forward<Exec, Stored>(shape, 0);
        check_backward<Exec, Stored>(shape);
    }
}

template <class Exec, class Stored>
void check_nan()
{
    constexpr int rows = 5, channels = 33;
    Matrix<Stored> x(rows, channels, 1, 0), addend(rows, channels, 2, 0), y(rows, channels);
    store(x.stored(3, 20), std::numeric_limits<typename Compute<Stored>::type>::quiet_NaN());
    const auto values = channel_values<typename Compute<Stored>::type>(channels, 3);
    const auto nans = [&]
    {
        int count = 0;
        for (int i = 0; i < rows * channels; ++i)
        {
            count += std::isnan(static_cast<double>(load(y.stored.data()[i]))) ? 1 : 0;
        }
        return count;
    };
    const Exec exec;
    const paws::test::LaunchesOn<Exec> place;
    batch_norm_apply(exec, x.view(), constant(values), constant(values), constant(values), true, y.stored);
    exec.fence();
    CHECK((nans() == 1 && std::isnan(y(3, 20))));
    batch_norm_add_relu_apply(exec, x.view(), constant(values), constant(values), constant(values), addend.view(),
                              y.stored);
    exec.fence();
    CHECK((nans() == 1 && std::isnan(y(3, 20))));
}
}  // namespace

TEMPLATE_TEST_CASE("batch norm of matrices agrees with plain loops", "[kernels]", Kokkos::Serial,
                   Kokkos::DefaultHostExecutionSpace, paws::test::BlocksOnHost)
{
    check_all<TestType, double>();
    check_all<TestType, float>();
    check_all<TestType, bfloat16>();
    check_all<TestType, float16>();
}

TEMPLATE_TEST_CASE("a large mean costs the statistics no precision", "[kernels]", Kokkos::Serial,
                   Kokkos::DefaultHostExecutionSpace, paws::test::BlocksOnHost)
{
    check_forward<TestType, double>({600, 33}, 1e4);
    check_forward<TestType, float>({20011, 3}, 300);
}

TEMPLATE_TEST_CASE("a NaN goes through batch norm, alone", "[kernels]", Kokkos::Serial,
                   Kokkos::DefaultHostExecutionSpace, paws::test::BlocksOnHost)
{
    check_nan<TestType, double>();
    check_nan<TestType, float>();
    check_nan<TestType, bfloat16>();
    check_nan<TestType, float16>();
}

TEST_CASE("chunks of large matrices are as many as a device works on at a time", "[kernels]")
{
    using Device = paws::test::BlocksOnHost;
    CHECK(batch_norm_chunks<Kokkos::Serial>(1'605'632, 64) == 6272);
    CHECK(batch_norm_chunks<Device>(1'605'632, 64) == 1024);
    CHECK(batch_norm_chunks<Device>(1'605'633, 64) == 1024);
    CHECK(batch_norm_chunks<Device>(256, 64) == 1);
    CHECK(batch_norm_chunks<Device>(257, 64) == 2);
    CHECK(batch_norm_chunks<Device>(3, 40000) == 3);
}

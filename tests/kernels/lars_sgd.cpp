#include "kernels/lars_sgd.hpp"

#include <Kokkos_Core.hpp>
#include <cmath>
#include <limits>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/launches.hpp"

// The optimiser's kernels against a plain loop in double precision, below LibTorch.

using namespace paws::kernels;

namespace
{
template <class T>
using HostView = Kokkos::View<T, Kokkos::LayoutRight, Kokkos::HostSpace>;

template <class Scalar>
struct Tensor
{
    std::vector<Scalar> p, g, m;
    double weight_decay;
    bool adapt;

    Tensor(std::int64_t size, double decay, bool adapts) : weight_decay(decay), adapt(adapts)
    {
        for (std::int64_t i = 0; i < size; ++i)
        {
            const auto t = static_cast<double>(i);
            p.push_back(static_cast<Scalar>(std::sin(0.3 * t + 1)));
            g.push_back(static_cast<Scalar>(8 * std::cos(0.7 * t + decay)));
            m.push_back(static_cast<Scalar>(0.01 * std::sin(1.1 * t)));
        }
    }
};

/// Adapting and plain tensors of one value, of several chunks and of exactly one, and two that have a norm of zero.
template <class Scalar>
std::vector<Tensor<Scalar>> tensors()
{
    std::vector<Tensor<Scalar>> all{{2 * chunk_elements + 13, 0.01, true}, {1, 0.01, true}, {17, 0, false},
                                    {chunk_elements, 0.1, true},           {33, 0.3, true}, {65, 0.2, true},
                                    {chunk_elements + 1, 0.02, false}};
    std::fill(all[4].p.begin(), all[4].p.end(), Scalar(0));
    std::fill(all[5].g.begin(), all[5].g.end(), Scalar(0));
    return all;
}

/// What a step is told in memory.
struct RateAndScale
{
    double learning_rate;
    double loss_scale = 1;
};

template <class Exec, class Scalar>
int step(std::vector<Tensor<Scalar>>& all, const LarsSgdSettings& settings, const RateAndScale& values)
{
    std::vector<ParameterSlice<Scalar>> slices;
    std::vector<ParameterChunk> chunks;
    for (auto& t : all)
    {
        const auto size = static_cast<std::int64_t>(t.p.size());
        const auto first = static_cast<std::int32_t>(chunks.size());
        for (std::int64_t begin = 0; begin < size; begin += chunk_elements)
        {
            chunks.push_back({static_cast<std::int32_t>(slices.size()), begin, std::min(size, begin + chunk_elements)});
        }
        slices.push_back({t.p.data(), t.g.data(), t.m.data(), size, first,
                          static_cast<std::int32_t>(chunks.size()) - first, t.weight_decay, t.adapt});
    }
    using Unmanaged = Kokkos::MemoryTraits<Kokkos::Unmanaged>;
    const Kokkos::View<ParameterSlice<Scalar>*, Kokkos::HostSpace, Unmanaged> slice_view(slices.data(), slices.size());
    const Kokkos::View<ParameterChunk*, Kokkos::HostSpace, Unmanaged> chunk_view(chunks.data(), chunks.size());
    const HostView<double**> square_sums("square_sums", chunks.size(), 2), rates("rates", slices.size(), 2);
    const HostView<double*> rate_and_scale("rate_and_scale", 2);
    rate_and_scale(0) = values.learning_rate;
    rate_and_scale(1) = values.loss_scale;
    const HostView<std::int32_t> overflowed("overflowed");
    const Exec exec;
    const paws::test::LaunchesOn<Exec> place;
    lars_sgd(exec, slice_view, chunk_view, settings, rate_and_scale, square_sums, rates, overflowed);
    exec.fence();
    return overflowed();
}

template <class Scalar>
void plain_step(Tensor<Scalar>& t, const LarsSgdSettings& s, const RateAndScale& values)
{
    const double inverse_scale = 1 / values.loss_scale;
    double pp = 0, gg = 0;
    for (std::size_t i = 0; i < t.p.size(); ++i)
    {
        pp += static_cast<double>(t.p[i]) * static_cast<double>(t.p[i]);
        gg += inverse_scale * static_cast<double>(t.g[i]) * inverse_scale * static_cast<double>(t.g[i]);
    }
    const bool adapts = t.adapt && pp > 0 && gg > 0;
    const double decay = t.adapt && !adapts ? 0 : t.weight_decay;
    const double rate =
        adapts ? s.trust_coefficient * std::sqrt(pp) / (std::sqrt(gg) + decay * std::sqrt(pp) + s.epsilon) : 1;
    for (std::size_t i = 0; i < t.p.size(); ++i)
    {
        const double d = values.learning_rate * rate * (inverse_scale * t.g[i] + decay * t.p[i]);
        const double m = s.momentum * t.m[i] - d;
        t.m[i] = static_cast<Scalar>(m);
        t.p[i] = static_cast<Scalar>(t.p[i] + (s.nesterov ? s.momentum * m - d : m));
    }
}

template <class Exec, class Scalar>
void check_step(const LarsSgdSettings& settings, const RateAndScale& values, double tolerance)
{
    auto ours = tensors<Scalar>();
    auto plain = ours;
    CHECK(step<Exec>(ours, settings, values) == 0);
    int wrong = 0;
    for (std::size_t t = 0; t < ours.size(); ++t)
    {
        plain_step(plain[t], settings, values);
        for (std::size_t i = 0; i < ours[t].p.size(); ++i)
        {
            wrong += std::abs(ours[t].p[i] - plain[t].p[i]) < tolerance ? 0 : 1;
            wrong += std::abs(ours[t].m[i] - plain[t].m[i]) < tolerance ? 0 : 1;
        }
    }
    CHECK(wrong == 0);
}

template <class Exec, class Scalar>
void check_overflow(Scalar bad, std::size_t tensor, std::size_t place)
{
    auto ours = tensors<Scalar>();
    ours[tensor].g[place] = bad;
    const auto before = ours;
    CHECK(step<Exec>(ours, {0.9, false}, {0.5}) == 1);
    for (std::size_t t = 0; t < ours.size(); ++t)
    {
        CHECK(ours[t].p == before[t].p);
        CHECK(ours[t].m == before[t].m);
    }
    ours[0].g[3] = bad;
    ours[6].g[3] = bad;
    CHECK(step<Exec>(ours, {0.9, false}, {0.5}) > 1);
}
}  // namespace

TEMPLATE_TEST_CASE("a step of LARS agrees with plain loops", "[kernels]", Kokkos::Serial,
                   Kokkos::DefaultHostExecutionSpace)
{
    for (const bool nesterov : {false, true})
    {
        for (const double loss_scale : {1.0, 1024.0})
        {
            check_step<TestType, double>({0.9, nesterov}, {0.5, loss_scale}, 1e-13);
            check_step<TestType, float>({0.9, nesterov}, {0.5, loss_scale}, 2e-6);
        }
    }
}

TEMPLATE_TEST_CASE("a gradient that is not finite leaves everything as it is", "[kernels]", Kokkos::Serial,
                   Kokkos::DefaultHostExecutionSpace)
{
    const auto infinity = std::numeric_limits<float>::infinity();
    check_overflow<TestType, float>(infinity, 0, chunk_elements + 5);
    check_overflow<TestType, float>(-infinity, 2, 16);
    check_overflow<TestType, float>(std::numeric_limits<float>::quiet_NaN(), 6, chunk_elements);
    check_overflow<TestType, double>(std::numeric_limits<double>::quiet_NaN(), 1, 0);
    check_overflow<TestType, double>(std::numeric_limits<double>::infinity(), 3, 100);
}

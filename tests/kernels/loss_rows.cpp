#include <Kokkos_Core.hpp>
#include <cmath>
#include <limits>
#include <vector>

#include "kernels/soft_nearest_neighbours.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/launches.hpp"

// The row kernels of soft nearest neighbours against plain loops in double precision, below LibTorch.

using namespace paws::kernels;

namespace
{
template <class T>
using HostView = Kokkos::View<T, Kokkos::LayoutRight, Kokkos::HostSpace>;

struct Sizes
{
    int queries;
    std::vector<int> supports_per_class;
};

double wave(int i)
{
    return std::sin(0.7 * i + 0.1 * (i % 11));
}

template <class Exec, class Scalar>
void check_rows(const Sizes& sizes, double tau, double tolerance)
{
    const auto classes = static_cast<int>(sizes.supports_per_class.size());
    HostView<std::int32_t*> offsets("offsets", classes + 1);
    for (int k = 0; k < classes; ++k)
    {
        offsets(k + 1) = offsets(k) + sizes.supports_per_class[static_cast<std::size_t>(k)];
    }
    const int supports = offsets(classes);
    const int queries = sizes.queries;
    const ClassSegments<HostView<std::int32_t*>> labels{offsets, 0.91, 0.01};
    HostView<Scalar**> similarities("similarities", queries, supports);
    HostView<Scalar**> grad("grad", queries, classes);
    HostView<Scalar*> totals("totals", queries);
    HostView<Scalar**> probabilities("probabilities", queries, classes);
    for (int i = 0; i < queries * supports; ++i)
    {
        similarities.data()[i] = static_cast<Scalar>(wave(i));
    }
    for (int i = 0; i < queries * classes; ++i)
    {
        grad.data()[i] = static_cast<Scalar>(wave(3 * i + 1));
    }
    HostView<Scalar**> kept("kept", queries, supports);
    Kokkos::deep_copy(kept, similarities);
    const Exec exec;
    const paws::test::LaunchesOn<Exec> place;
    soft_nearest_neighbours(exec, similarities, labels, tau, totals, probabilities);
    exec.fence();
    soft_nearest_neighbours_backward(exec, grad, labels, tau, totals, similarities);
    exec.fence();

    for (int n = 0; n < queries; ++n)
    {
        std::vector<double> weight;
        double total = 0;
        for (int j = 0; j < supports; ++j)
        {
            weight.push_back(std::exp(static_cast<double>(kept(n, j)) / tau));
            total += weight.back();
        }
        double expected = 0;
        for (int k = 0; k < classes; ++k)
        {
            double of_class = 0;
            for (int j = offsets(k); j < offsets(k + 1); ++j)
            {
                of_class += weight[static_cast<std::size_t>(j)] / total;
            }
            expected += of_class * static_cast<double>(grad(n, k));
            CHECK(std::abs(static_cast<double>(probabilities(n, k)) - (0.01 + 0.9 * of_class)) < tolerance);
        }
        for (int k = 0; k < classes; ++k)
        {
            for (int j = offsets(k); j < offsets(k + 1); ++j)
            {
                const double slope = weight[static_cast<std::size_t>(j)] / total *
                                     (static_cast<double>(grad(n, k)) - expected) * 0.9 / tau;
                CHECK(std::abs(static_cast<double>(similarities(n, j)) - slope) < tolerance / tau);
            }
        }
    }
}
}  // namespace

TEMPLATE_TEST_CASE("soft nearest neighbours of a row agree with plain loops", "[kernels]", Kokkos::Serial,
                   Kokkos::DefaultHostExecutionSpace)
{
    for (const auto& sizes :
         {Sizes{1, {1}}, Sizes{3, {7, 0, 5}}, Sizes{2, {31, 32, 33, 65}}, Sizes{5, {1, 1, 1, 1, 1}}})
    {
        for (const double tau : {0.1, 0.01, 2.0})
        {
            check_rows<TestType, double>(sizes, tau, 1e-13);
            check_rows<TestType, float>(sizes, tau, 2e-5);
        }
    }
}

TEST_CASE("the exponential of the softmax is exact to rounding and keeps NaN", "[kernels]")
{
    double worst = 0;
    for (int i = 0; i <= 870000; ++i)
    {
        const float x = -1e-4F * static_cast<float>(i);
        const double exact = std::exp(static_cast<double>(x));
        if (x >= -87.0F)
        {
            worst = std::max(worst, std::abs(static_cast<double>(exp_of_non_positive(x)) / exact - 1));
        }
    }
    CHECK(worst < 2.5e-7);
    CHECK(exp_of_non_positive(0.0F) == 1.0F);
    CHECK(exp_of_non_positive(-88.0F) == 0.0F);
    CHECK(exp_of_non_positive(-1e30F) == 0.0F);
    CHECK(exp_of_non_positive(-std::numeric_limits<float>::infinity()) == 0.0F);
    CHECK(std::isnan(exp_of_non_positive(std::numeric_limits<float>::quiet_NaN())));
}

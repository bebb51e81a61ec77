#include <Kokkos_Core.hpp>
#include <cmath>
#include <string>

#include "kernels/class_cross_entropy.hpp"
#include "kernels/nt_xent.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/launches.hpp"

// The row kernels of the contrastive losses against plain loops in double precision, below LibTorch.

using namespace paws::kernels;

namespace
{
template <class T>
using HostView = Kokkos::View<T, Kokkos::LayoutRight, Kokkos::HostSpace>;

double wave(int i)
{
    return std::sin(0.7 * i + 0.1 * (i % 11));
}

template <class Scalar>
HostView<Scalar**> waves(const std::string& name, int rows, int columns)
{
    HostView<Scalar**> result(name, static_cast<std::size_t>(rows), static_cast<std::size_t>(columns));
    for (int i = 0; i < rows * columns; ++i)
    {
        result.data()[i] = static_cast<Scalar>(wave(i));
    }
    return result;
}

/// Rows first_view … first_view + rows − 1 of 2 · images views, among `before` foreign columns, the own views' and
/// `after` foreign ones.
struct Layout
{
    int images, first_view, rows, before, after;
};

template <class Exec, class Scalar>
void check_nt_xent(const Layout& layout, double tau, double tolerance)
{
    const int columns = layout.before + 2 * layout.images + layout.after;
    const auto similarities = waves<Scalar>("similarities", layout.rows, columns);
    HostView<Scalar**> kept("kept", similarities.extent(0), similarities.extent(1));
    Kokkos::deep_copy(kept, similarities);
    HostView<Scalar*> losses("losses", similarities.extent(0));
    const Exec exec;
    const paws::test::LaunchesOn<Exec> place;
    nt_xent(exec, similarities, ViewPairs{layout.images, layout.first_view, layout.before}, tau, losses);
    exec.fence();
    for (int n = 0; n < layout.rows; ++n)
    {
        const int view = layout.first_view + n;
        const int own = layout.before + view;
        const int partner = layout.before + (view + layout.images) % (2 * layout.images);
        const auto exponent = [&](int j) { return static_cast<double>(kept(n, j)) / tau; };
        double total = 0;
        for (int j = 0; j < columns; ++j)
        {
            total += j == own ? 0 : std::exp(exponent(j));
        }
        CHECK(static_cast<double>(losses(n)) ==
              Approx(std::log(total) - exponent(partner)).epsilon(tolerance).margin(tolerance / tau));
        for (int j = 0; j < columns; ++j)
        {
            const double softmax = j == own ? 0 : std::exp(exponent(j)) / total;
            CHECK(std::abs(static_cast<double>(similarities(n, j)) - (softmax - (j == partner ? 1 : 0)) / tau) <
                  tolerance / tau);
        }
    }
}
}  // namespace

TEMPLATE_TEST_CASE("rows of NT-Xent agree with plain loops", "[kernels]", Kokkos::Serial,
                   Kokkos::DefaultHostExecutionSpace)
{
    // The whole batch; one rank among others; a block in the middle, across the border of first and second views.
    for (const auto& layout : {Layout{3, 0, 6, 0, 0}, Layout{1, 0, 2, 0, 0}, Layout{7, 0, 14, 14, 28},
                               Layout{17, 13, 9, 34, 1}, Layout{5, 9, 1, 3, 0}})
    {
        for (const double tau : {0.1, 0.02, 2.0})
        {
            check_nt_xent<TestType, double>(layout, tau, 1e-12);
            check_nt_xent<TestType, float>(layout, tau, 2e-5);
        }
    }
}

TEMPLATE_TEST_CASE("rows of the cross-entropy with classes agree with plain loops", "[kernels]", float, double)
{
    constexpr double tolerance = std::is_same_v<TestType, float> ? 2e-6 : 1e-13;
    for (const int classes : {1, 5, 70})
    {
        for (const double off : {0.0, 0.02})
        {
            const int rows = 7;
            const ClassSegments<HostView<std::int32_t*>> labels{{}, 0.9, off};
            auto p = waves<TestType>("p", rows, classes);
            for (std::size_t i = 0; i < p.size(); ++i)
            {
                p.data()[i] = static_cast<TestType>(0.5 + 0.4 * static_cast<double>(p.data()[i]));
            }
            HostView<std::int32_t*> class_of("class_of", rows);
            for (int n = 0; n < rows; ++n)
            {
                class_of(n) = (3 * n) % classes;
            }
            if (off == 0 && classes > 1)
            {
                p(0, 1) = 0;  // of another class: without smoothing it does not count
            }
            HostView<TestType**> kept("kept", p.extent(0), p.extent(1));
            Kokkos::deep_copy(kept, p);
            HostView<TestType*> losses("losses", rows);
            const Kokkos::Serial exec;
            class_cross_entropy(exec, p, class_of, labels, losses);
            exec.fence();
            for (int n = 0; n < rows; ++n)
            {
                double loss = 0;
                for (int k = 0; k < classes; ++k)
                {
                    const double label = k == class_of(n) ? 0.9 : off;
                    const auto of_class = static_cast<double>(kept(n, k));
                    loss -= label > 0 ? label * std::log(of_class) : 0;
                    CHECK(static_cast<double>(p(n, k)) ==
                          Approx(label > 0 ? -label / of_class : 0).epsilon(tolerance).margin(0));
                }
                CHECK(static_cast<double>(losses(n)) == Approx(loss).epsilon(tolerance));
            }
        }
    }
}

TEST_CASE("excluded columns are no neighbours, all others stay", "[kernels]")
{
    const auto similarities = waves<double>("similarities", 3, 4);
    HostView<double**> kept("kept", 3, 4);
    Kokkos::deep_copy(kept, similarities);
    HostView<std::int32_t*> columns("columns", 3);
    columns(0) = 2;
    columns(2) = 3;
    const Kokkos::Serial exec;
    exclude_columns(exec, similarities, columns);
    exec.fence();
    for (int n = 0; n < 3; ++n)
    {
        for (int j = 0; j < 4; ++j)
        {
            const bool excluded = j == columns(n);
            CHECK((excluded ? std::isinf(similarities(n, j)) && similarities(n, j) < 0
                            : similarities(n, j) == kept(n, j)));
        }
    }
}

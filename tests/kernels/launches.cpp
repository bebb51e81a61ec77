#include "tests/support/launches.hpp"

#include <cmath>
#include <utility>

#include "kernels/l2_normalize.hpp"
#include "kernels/multicrop_targets.hpp"
#include "kernels/paws_loss.hpp"
#include "tests/support/catch.hpp"

// What is launched, and where. All tests of this executable look at their own launches; here are the kernels whose
// other tests are above LibTorch (tests/loss), which are given the default space.

using namespace paws::kernels;
using paws::test::complaint_about_launch;
using paws::test::LaunchesOn;

const bool paws::test::launches_on_default_host = false;

TEST_CASE("launches under other labels or in other places are noticed", "[kernels]")
{
    using Kokkos::Tools::Experimental::device_id;
    const auto serial = device_id(Kokkos::Serial());
    CHECK(complaint_about_launch("paws::nt_xent::rows", serial).empty());
    CHECK(complaint_about_launch("Kokkos::View::initialization [out]", serial).empty());
    CHECK_THAT(complaint_about_launch("nt_xent::rows", serial), Catch::Contains("nt_xent::rows"));
    CHECK_THAT(complaint_about_launch("", serial), Catch::Contains("begin with paws::"));
#ifdef KOKKOS_ENABLE_OPENMP
    const auto openmp = device_id(Kokkos::OpenMP());
    CHECK_THAT(complaint_about_launch("paws::nt_xent::rows", openmp), Catch::Contains("another execution space"));
    {
        const LaunchesOn<Kokkos::OpenMP> place;
        CHECK(complaint_about_launch("paws::nt_xent::rows", openmp).empty());
    }
    CHECK_FALSE(complaint_about_launch("paws::nt_xent::rows", openmp).empty());
#endif
}

TEST_CASE("kernels of the PAWS loss run where they are told", "[kernels]")
{
    using Matrix = Kokkos::View<double**, Kokkos::LayoutRight, Kokkos::HostSpace>;
    using Row = Kokkos::View<double*, Kokkos::HostSpace>;
    using Value = Kokkos::View<double, Kokkos::HostSpace>;
    const Kokkos::Serial exec;
    const Matrix x("x", 2, 3), units("units", 2, 3), targets("targets", 3, 3), p("p", 3, 3),
        sharpened("sharpened", 3, 3), grad("grad", 3, 3);
    const Row norms("norms", 2), losses("losses", 3), mean("mean", 3), slope("slope", 3);
    const Value loss("loss"), me_max("me_max");
    Kokkos::deep_copy(x, 2);
    Kokkos::deep_copy(p, 1.0 / 3);
    l2_normalize(exec, x, units, norms);
    CHECK(units(1, 2) == Approx(1 / std::sqrt(3.0)));
    l2_normalize_backward(exec, x, units, norms, grad);
    multicrop_targets(exec, Kokkos::subview(p, std::pair(0, 2), Kokkos::ALL), 0.25, targets);
    CHECK(targets(2, 0) == Approx(1.0 / 3));
    cross_entropy(exec, p, targets, losses);
    mean_sharpened(exec, p, 0.25, sharpened, mean);
    mean_of_rows_by_teams(exec, sharpened, mean);
    me_max_slope(exec, mean, slope);
    paws_loss(exec, losses, mean, loss, me_max);
    CHECK(loss() == Approx(std::log(3.0)));
    CHECK(me_max() == Approx(-std::log(3.0)));
    paws_loss_backward(exec, p, targets, slope, 0.25, true, loss, me_max, grad);
    exec.fence();
}

#pragma once

#include <cmath>

#include "kernels/policies.hpp"

namespace paws::kernels
{
/// Below this length a row counts as zero: it is divided by the bound, as `torch.nn.functional.normalize` does.
inline constexpr double smallest_norm = 1e-12;

/// y[n, :] = x[n, :] / max(‖x[n, :]‖₂, 1e-12) and norms[n] = ‖x[n, :]‖₂.
/// x, y: [N, D] float or double, may be the same array; norms: [N].
template <class Exec, class InView, class OutView, class NormView>
void l2_normalize(const Exec& exec, const InView& x, const OutView& y, const NormView& norms)
{
    check_view<Exec, InView, 2>();
    check_view<Exec, OutView, 2>();
    check_view<Exec, NormView, 1>();
    using Scalar = typename OutView::non_const_value_type;
    using Team = typename Kokkos::TeamPolicy<Exec>::member_type;
    const auto dims = static_cast<int>(x.extent(1));
    Kokkos::parallel_for(
        "paws::l2_normalize::rows", row_policy(exec, x.extent(0)), KOKKOS_LAMBDA(const Team& team) {
            const int n = team.league_rank();
            Scalar squares = 0;
            Kokkos::parallel_reduce(
                Kokkos::TeamThreadRange(team, dims), [&](int d, Scalar& sum) { sum += x(n, d) * x(n, d); }, squares);
            using std::sqrt;
            const Scalar norm = sqrt(squares);
            const Scalar bound = static_cast<Scalar>(smallest_norm);
            const Scalar scale = 1 / (norm > bound ? norm : bound);
            Kokkos::parallel_for(Kokkos::TeamThreadRange(team, dims), [&](int d) { y(n, d) = x(n, d) * scale; });
            Kokkos::single(Kokkos::PerTeam(team), [&]() { norms(n) = norm; });
        });
}

/// The gradient of l2_normalize: grad_x = (grad_y − y ⟨y, grad_y⟩) / ‖x‖, and grad_y / 1e-12 for a row that counts as
/// zero. grad_y, y (the normalised rows), grad_x: [N, D]; norms: [N]. grad_x may be grad_y.
template <class Exec, class GradView, class YView, class NormView, class OutView>
void l2_normalize_backward(const Exec& exec, const GradView& grad_y, const YView& y, const NormView& norms,
                           const OutView& grad_x)
{
    check_view<Exec, GradView, 2>();
    check_view<Exec, YView, 2>();
    check_view<Exec, NormView, 1>();
    check_view<Exec, OutView, 2>();
    using Scalar = typename OutView::non_const_value_type;
    using Team = typename Kokkos::TeamPolicy<Exec>::member_type;
    const auto dims = static_cast<int>(y.extent(1));
    Kokkos::parallel_for(
        "paws::l2_normalize::backward", row_policy(exec, y.extent(0)), KOKKOS_LAMBDA(const Team& team) {
            const int n = team.league_rank();
            const Scalar bound = static_cast<Scalar>(smallest_norm);
            const Scalar norm = norms(n);
            Scalar along = 0;
            Kokkos::parallel_reduce(
                Kokkos::TeamThreadRange(team, dims), [&](int d, Scalar& sum) { sum += y(n, d) * grad_y(n, d); }, along);
            if (!(norm > bound))
            {
                along = 0;
            }
            const Scalar scale = 1 / (norm > bound ? norm : bound);
            Kokkos::parallel_for(Kokkos::TeamThreadRange(team, dims),
                                 [&](int d) { grad_x(n, d) = (grad_y(n, d) - y(n, d) * along) * scale; });
        });
}
}  // namespace paws::kernels

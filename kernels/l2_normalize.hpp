#pragma once

#include <cmath>

#include "kernels/rows.hpp"

namespace paws::kernels
{
/// Below this length a row counts as zero: it is divided by the bound, as `torch.nn.functional.normalize` does.
inline constexpr double smallest_norm = 1e-12;

/// Rows stay in the order they are in.
struct SameOrder
{
    KOKKOS_INLINE_FUNCTION int operator()(int n) const { return n; }
};

/// y[n, :] = x[o, :] / max(‖x[o, :]‖₂, 1e-12) and norms[n] = ‖x[o, :]‖₂ with o = order(n).
/// x, y: [N, D] float or double, may be the same array in SameOrder; norms: [N]; order: SameOrder or an int32 View [N].
template <class Exec, class InView, class OutView, class NormView, class Order = SameOrder>
void l2_normalize(const Exec& exec, const InView& x, const OutView& y, const NormView& norms, const Order& order = {})
{
    check_view<Exec, InView, 2>();
    check_view<Exec, OutView, 2>();
    check_view<Exec, NormView, 1>();
    using Scalar = typename OutView::non_const_value_type;
    using Team = typename Kokkos::TeamPolicy<Exec>::member_type;
    const auto dims = static_cast<int>(x.extent(1));
    Kokkos::parallel_for(
        "paws::l2_normalize::rows", row_policy(exec, x.extent(0)), KOKKOS_LAMBDA(const Team& team) {
            using std::sqrt;
            const int n = team.league_rank();
            const auto* const in = &x(order(n), 0);
            auto* const out = &y(n, 0);
            const Scalar norm = sqrt(sum_row<Scalar, Exec>(team, 0, dims, [&](int d) { return in[d] * in[d]; }));
            const Scalar bound = static_cast<Scalar>(smallest_norm);
            const Scalar scale = 1 / (norm > bound ? norm : bound);
            for_row<Exec>(team, 0, dims, [&](int d) { out[d] = in[d] * scale; });
            Kokkos::single(Kokkos::PerTeam(team), [&]() { norms(n) = norm; });
        });
}

/// The gradient of l2_normalize: grad_x[order(n), :] = (grad_y − y ⟨y, grad_y⟩) / ‖x‖ of row n, and grad_y / 1e-12 for
/// a row that counts as zero. grad_y, y (the normalised rows), grad_x: [N, D]; norms: [N]. grad_x may be grad_y in
/// SameOrder.
template <class Exec, class GradView, class YView, class NormView, class OutView, class Order = SameOrder>
void l2_normalize_backward(const Exec& exec, const GradView& grad_y, const YView& y, const NormView& norms,
                           const OutView& grad_x, const Order& order = {})
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
            const auto* const unit = &y(n, 0);
            const auto* const in = &grad_y(n, 0);
            auto* const out = &grad_x(order(n), 0);
            Scalar along = sum_row<Scalar, Exec>(team, 0, dims, [&](int d) { return unit[d] * in[d]; });
            if (!(norm > bound))
            {
                along = 0;
            }
            const Scalar scale = 1 / (norm > bound ? norm : bound);
            for_row<Exec>(team, 0, dims, [&](int d) { out[d] = (in[d] - unit[d] * along) * scale; });
        });
}
}  // namespace paws::kernels

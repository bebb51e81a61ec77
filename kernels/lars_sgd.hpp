#pragma once

#include <cmath>

#include "kernels/rows.hpp"

namespace paws::kernels
{
/// One tensor that the optimiser updates; the arrays have `size` elements and live where the kernel runs.
template <class Scalar>
struct ParameterSlice
{
    Scalar* parameter;
    const Scalar* gradient;
    Scalar* momentum;
    std::int64_t size;
    std::int32_t first_chunk;  ///< its chunks are first_chunk … first_chunk + chunks − 1
    std::int32_t chunks;
    double weight_decay;
    bool adapt;  ///< layer-wise adaptation (LARS); off for biases and batch-norm parameters
};

/// A piece of at most `chunk_elements` of a tensor: the unit of work, so that one large layer does not hold up the
/// rest.
struct ParameterChunk
{
    std::int32_t slice;
    std::int64_t begin;
    std::int64_t end;
};
inline constexpr std::int64_t chunk_elements = 16384;

struct LarsSgdSettings
{
    double momentum;
    bool nesterov;
    double trust_coefficient = 0.001;
    double epsilon = 1e-8;
};

/// One step of SGD under LARS, with the learning rate inside the momentum buffer, s one over the loss scale:
///   d = λ (s g + w p),  λ = trust ‖p‖ / (‖s g‖ + w ‖p‖ + ε)  (adapting tensors; d = s g where ‖p‖ or ‖g‖ is zero)
///   d = s g + w p                                            (the others)
///   m ← momentum · m − rate · d;   p ← p + m,  or with nesterov  p ← p − rate · d + momentum · m .
/// Where the norm of any tensor's gradient is not finite, no array is changed, and overflowed() says how many tensors
/// have such a gradient; the host may read it when the kernels have run.
/// slices: [tensors], chunks: [chunks]; rate_and_scale: double [2], the learning rate and the factor that the loss was
/// scaled by, read when the kernels run; overflowed: int32, rank 0; scratch: square_sums: double [chunks, 2] and rates:
/// double [tensors, 2]. Sums are in double and in a fixed order.
template <class Exec, class SliceView, class ChunkView, class ValueView, class SumView, class FlagView>
void lars_sgd(const Exec& exec, const SliceView& slices, const ChunkView& chunks, const LarsSgdSettings& settings,
              const ValueView& rate_and_scale, const SumView& square_sums, const SumView& rates,
              const FlagView& overflowed)
{
    check_view<Exec, SliceView, 1>();
    check_view<Exec, ChunkView, 1>();
    check_view<Exec, ValueView, 1>();
    check_view<Exec, SumView, 2>();
    check_view<Exec, FlagView, 0>();
    using Slice = typename SliceView::non_const_value_type;
    using Scalar = std::remove_pointer_t<decltype(Slice::parameter)>;
    using Team = typename Kokkos::TeamPolicy<Exec>::member_type;
    Kokkos::parallel_for(
        "paws::lars_sgd::norms", row_policy(exec, chunks.extent(0)), KOKKOS_LAMBDA(const Team& team) {
            const auto chunk = chunks(team.league_rank());
            const auto slice = slices(chunk.slice);
            const auto length = static_cast<int>(chunk.end - chunk.begin);
            const auto squares = [&](const Scalar* values)
            {
                return sum_row<double, Exec>(
                    team, 0, length,
                    [=](int i) { return static_cast<double>(values[i]) * static_cast<double>(values[i]); });
            };
            // Other tensors than adapting ones need no norms, but their gradients may overflow as well.
            const double parameter_squares = slice.adapt ? squares(slice.parameter + chunk.begin) : 0;
            const double gradient_squares = squares(slice.gradient + chunk.begin);
            Kokkos::single(Kokkos::PerTeam(team),
                           [&]()
                           {
                               square_sums(team.league_rank(), 0) = parameter_squares;
                               square_sums(team.league_rank(), 1) = gradient_squares;
                           });
        });
    const LarsSgdSettings s = settings;
    Kokkos::parallel_reduce(
        "paws::lars_sgd::rates", Kokkos::RangePolicy<Exec>(exec, 0, slices.extent(0)),
        KOKKOS_LAMBDA(std::int64_t t, std::int32_t & not_finite) {
            using std::sqrt;
            const auto slice = slices(t);
            double parameter_squares = 0;
            double gradient_squares = 0;
            for (int c = slice.first_chunk; c < slice.first_chunk + slice.chunks; ++c)
            {
                parameter_squares += square_sums(c, 0);
                gradient_squares += square_sums(c, 1);
            }
            // Infinity and NaN are what is left over when subtracted from themselves.
            not_finite += gradient_squares - gradient_squares == 0 ? 0 : 1;
            double rate = 1;
            double decay = slice.weight_decay;
            if (slice.adapt)
            {
                const double parameter_norm = sqrt(parameter_squares);
                const double gradient_norm = sqrt(gradient_squares) / rate_and_scale(1);
                if (parameter_norm != 0 && gradient_norm != 0)
                {
                    rate = s.trust_coefficient * parameter_norm / (gradient_norm + parameter_norm * decay + s.epsilon);
                }
                else
                {
                    decay = 0;
                }
            }
            rates(t, 0) = -rate_and_scale(0) * rate;
            rates(t, 1) = decay;
        },
        overflowed);
    Kokkos::parallel_for(
        "paws::lars_sgd::update", row_policy(exec, chunks.extent(0)), KOKKOS_LAMBDA(const Team& team) {
            if (overflowed() != 0)
            {
                return;
            }
            const auto chunk = chunks(team.league_rank());
            const auto slice = slices(chunk.slice);
            const auto step = static_cast<Scalar>(rates(chunk.slice, 0));
            const auto weight_decay = static_cast<Scalar>(rates(chunk.slice, 1));
            const auto momentum = static_cast<Scalar>(s.momentum);
            const auto inverse_scale = static_cast<Scalar>(1 / rate_and_scale(1));
            // Of the new buffer and of this step in what the parameter moves by.
            const auto buffer_share = s.nesterov ? momentum : Scalar(1);
            const auto step_share = s.nesterov ? Scalar(1) : Scalar(0);
            Scalar* const p = slice.parameter + chunk.begin;
            const Scalar* const g = slice.gradient + chunk.begin;
            Scalar* const m = slice.momentum + chunk.begin;
            for_row<Exec>(team, 0, static_cast<int>(chunk.end - chunk.begin),
                          [=](int i)
                          {
                              const Scalar d = step * (inverse_scale * g[i] + weight_decay * p[i]);
                              const Scalar buffer = momentum * m[i] + d;
                              m[i] = buffer;
                              p[i] += step_share * d + buffer_share * buffer;
                          });
        });
}
}  // namespace paws::kernels

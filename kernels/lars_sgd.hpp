#pragma once

#include <cmath>

#include "kernels/policies.hpp"

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
    double learning_rate;
    double momentum;
    bool nesterov;
    double trust_coefficient = 0.001;
    double epsilon = 1e-8;
};

/// One step of SGD under LARS, with the learning rate inside the momentum buffer:
///   d = λ (g + w p),  λ = trust ‖p‖ / (‖g‖ + w ‖p‖ + ε)      (adapting tensors; d = g where ‖p‖ or ‖g‖ is zero)
///   d = g + w p                                              (the others)
///   m ← momentum · m − rate · d;   p ← p + m,  or with nesterov  p ← p − rate · d + momentum · m .
/// slices: [tensors], chunks: [chunks]; square_sums: double [chunks, 2], scratch. Sums are in double and in a fixed
/// order.
template <class Exec, class SliceView, class ChunkView, class SumView>
void lars_sgd(const Exec& exec, const SliceView& slices, const ChunkView& chunks, const LarsSgdSettings& settings,
              const SumView& square_sums)
{
    check_view<Exec, SliceView, 1>();
    check_view<Exec, ChunkView, 1>();
    check_view<Exec, SumView, 2>();
    using Slice = typename SliceView::non_const_value_type;
    using Scalar = std::remove_pointer_t<decltype(Slice::parameter)>;
    using Team = typename Kokkos::TeamPolicy<Exec>::member_type;
    Kokkos::parallel_for(
        "paws::lars_sgd::norms", row_policy(exec, chunks.extent(0)), KOKKOS_LAMBDA(const Team& team) {
            const auto chunk = chunks(team.league_rank());
            const auto slice = slices(chunk.slice);
            if (!slice.adapt)
            {
                return;
            }
            const auto length = static_cast<int>(chunk.end - chunk.begin);
            const Scalar* const p = slice.parameter + chunk.begin;
            const Scalar* const g = slice.gradient + chunk.begin;
            double parameter_squares = 0;
            double gradient_squares = 0;
            Kokkos::parallel_reduce(
                Kokkos::TeamThreadRange(team, length),
                [&](int i, double& sum) { sum += static_cast<double>(p[i]) * static_cast<double>(p[i]); },
                parameter_squares);
            Kokkos::parallel_reduce(
                Kokkos::TeamThreadRange(team, length),
                [&](int i, double& sum) { sum += static_cast<double>(g[i]) * static_cast<double>(g[i]); },
                gradient_squares);
            Kokkos::single(Kokkos::PerTeam(team),
                           [&]()
                           {
                               square_sums(team.league_rank(), 0) = parameter_squares;
                               square_sums(team.league_rank(), 1) = gradient_squares;
                           });
        });
    const LarsSgdSettings s = settings;
    Kokkos::parallel_for(
        "paws::lars_sgd::update", row_policy(exec, chunks.extent(0)), KOKKOS_LAMBDA(const Team& team) {
            using std::sqrt;
            const auto chunk = chunks(team.league_rank());
            const auto slice = slices(chunk.slice);
            double decay = slice.weight_decay;
            double rate = 1;
            if (slice.adapt)
            {
                double parameter_squares = 0;
                double gradient_squares = 0;
                for (int c = slice.first_chunk; c < slice.first_chunk + slice.chunks; ++c)
                {
                    parameter_squares += square_sums(c, 0);
                    gradient_squares += square_sums(c, 1);
                }
                const double parameter_norm = sqrt(parameter_squares);
                const double gradient_norm = sqrt(gradient_squares);
                if (parameter_norm != 0 && gradient_norm != 0)
                {
                    rate = s.trust_coefficient * parameter_norm / (gradient_norm + parameter_norm * decay + s.epsilon);
                }
                else
                {
                    decay = 0;
                }
            }
            const auto weight_decay = static_cast<Scalar>(decay);
            const auto step = static_cast<Scalar>(-s.learning_rate * rate);
            const auto momentum = static_cast<Scalar>(s.momentum);
            const auto length = static_cast<int>(chunk.end - chunk.begin);
            Scalar* const p = slice.parameter + chunk.begin;
            const Scalar* const g = slice.gradient + chunk.begin;
            Scalar* const m = slice.momentum + chunk.begin;
            const bool nesterov = s.nesterov;
            Kokkos::parallel_for(Kokkos::TeamThreadRange(team, length),
                                 [=](int i)
                                 {
                                     const Scalar d = step * (g[i] + weight_decay * p[i]);
                                     const Scalar buffer = momentum * m[i] + d;
                                     m[i] = buffer;
                                     p[i] += nesterov ? d + momentum * buffer : buffer;
                                 });
        });
}
}  // namespace paws::kernels

#pragma once

#include <Kokkos_Core.hpp>

#include <cstdint>

namespace paws::kernels
{
/// Four random words, or the counter that gives them.
struct Words
{
    std::uint32_t word[4];
};

/// The counter-based generator Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011):
/// a bijection of 128-bit counters for each 64-bit key. It has no state, so any number of a sequence can be had
/// anywhere.
KOKKOS_INLINE_FUNCTION Words philox4x32(Words counter, std::uint32_t key0, std::uint32_t key1)
{
    constexpr int rounds = 10;
    for (int round = 0; round < rounds; ++round)
    {
        const std::uint64_t product0 = std::uint64_t{0xD2511F53} * counter.word[0];
        const std::uint64_t product1 = std::uint64_t{0xCD9E8D57} * counter.word[2];
        counter = {{static_cast<std::uint32_t>(product1 >> 32) ^ counter.word[1] ^ key0,
                    static_cast<std::uint32_t>(product1),
                    static_cast<std::uint32_t>(product0 >> 32) ^ counter.word[3] ^ key1,
                    static_cast<std::uint32_t>(product0)}};
        key0 += 0x9E3779B9;
        key1 += 0xBB67AE85;
    }
    return counter;
}

/// The random numbers that belong to one view of one image in one epoch: blocks of four words, each a function of
/// (seed, epoch, image, view, block) alone.
class ViewRandom
{
public:
    /// `view` below 2²⁴.
    KOKKOS_INLINE_FUNCTION ViewRandom(std::uint64_t seed, std::uint32_t epoch, std::uint64_t image, std::uint32_t view)
        : seed_(seed), image_(image), epoch_(epoch), view_(view)
    {
    }

    /// `block` below 2⁸.
    KOKKOS_INLINE_FUNCTION Words operator()(std::uint32_t block) const
    {
        const Words counter{
            {view_ << 8 | block, epoch_, static_cast<std::uint32_t>(image_), static_cast<std::uint32_t>(image_ >> 32)}};
        return philox4x32(counter, static_cast<std::uint32_t>(seed_), static_cast<std::uint32_t>(seed_ >> 32));
    }

private:
    std::uint64_t seed_;
    std::uint64_t image_;
    std::uint32_t epoch_;
    std::uint32_t view_;
};

/// Uniform in [low, high).
KOKKOS_INLINE_FUNCTION double uniform(std::uint32_t word, double low, double high)
{
    constexpr double step = 1.0 / 4294967296.0;
    return low + (high - low) * (word * step);
}

/// True with the given probability: never for 0, always for 1.
KOKKOS_INLINE_FUNCTION bool chance(std::uint32_t word, double probability)
{
    return uniform(word, 0, 1) < probability;
}

/// One of 0, 1, ..., count − 1.
KOKKOS_INLINE_FUNCTION int pick(std::uint32_t word, int count)
{
    return static_cast<int>(std::uint64_t{word} * static_cast<std::uint32_t>(count) >> 32);
}
}  // namespace paws::kernels

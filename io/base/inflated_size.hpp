#pragma once

#include <algorithm>
#include <cstdint>

namespace paws::io
{
/// Whether `compressed` bytes can stand for `size`: deflate makes at most 1032 bytes of one. Beyond 256 MiB no more
/// than 64 times as many are believed, which no numbers and images come near, so that a small file does not fill the
/// memory.
constexpr bool can_inflate(std::uint64_t compressed, std::uint64_t size)
{
    constexpr std::uint64_t most_of_a_byte = 1032, header = 64, believed = 64, small = std::uint64_t{256} << 20;
    // The quotients keep the products from overflowing.
    return size <= header || ((size - header) / most_of_a_byte <= compressed &&
                              (size <= small || (size - small) / believed <= compressed));
}
}  // namespace paws::io

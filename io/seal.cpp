#include "io/seal.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <vector>

#include "io/checksum.hpp"
#include "io/error.hpp"

namespace paws::io
{
namespace
{
struct Seal
{
    char mark[8] = {'P', 'A', 'W', 'S', 'S', 'E', 'A', 'L'};
    std::uint64_t length = 0;
    std::uint64_t checksum = 0;
};
static_assert(sizeof(Seal) == 24, "the seal is written as it is in memory");
}  // namespace

std::string make_seal(std::string_view bytes)
{
    Seal seal;
    seal.length = bytes.size();
    seal.checksum = crc32(std::as_bytes(std::span(bytes)));
    return {reinterpret_cast<const char*>(&seal), sizeof(seal)};
}

bool verify_seal(const std::filesystem::path& path)
{
    std::ifstream stream(path, std::ios::binary | std::ios::ate);
    const auto size = static_cast<std::int64_t>(stream.tellg());
    constexpr auto seal_size = static_cast<std::int64_t>(sizeof(Seal));
    if (!stream || size < seal_size)
    {
        return false;
    }
    Seal seal;
    stream.seekg(size - seal_size);
    stream.read(reinterpret_cast<char*>(&seal), seal_size);
    if (!stream || std::memcmp(seal.mark, Seal().mark, sizeof(seal.mark)) != 0)
    {
        return false;
    }
    constexpr std::int64_t most = std::int64_t{16} << 20;
    std::int64_t left = size - seal_size;
    std::vector<char> piece(static_cast<std::size_t>(std::min(left, most)));
    std::uint32_t sum = 0;
    stream.seekg(0);
    for (; left > 0 && stream; left -= static_cast<std::int64_t>(piece.size()))
    {
        piece.resize(static_cast<std::size_t>(std::min(left, most)));
        stream.read(piece.data(), static_cast<std::streamsize>(piece.size()));
        sum = crc32(std::as_bytes(std::span(piece)), sum);
    }
    if (!stream || seal.length != static_cast<std::uint64_t>(size - seal_size) || seal.checksum != sum)
    {
        throw Error(path.string() +
                    ": its bytes do not match the checksum at its end; the file is damaged, use another copy");
    }
    return true;
}
}  // namespace paws::io

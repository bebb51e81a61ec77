#include "io/files/seal.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <vector>

#include "io/base/error.hpp"
#include "io/files/checksum.hpp"
#include "io/files/input_path.hpp"

namespace paws::io
{
namespace
{
struct SealBytes
{
    char mark[8] = {'P', 'A', 'W', 'S', 'S', 'E', 'A', 'L'};
    std::uint64_t length = 0;
    std::uint64_t checksum = 0;
};
static_assert(sizeof(SealBytes) == 24, "the seal is written as it is in memory");
}  // namespace

std::string make_seal(std::string_view bytes)
{
    return make_seal(Seal{bytes.size(), crc32(std::as_bytes(std::span(bytes)))});
}

std::string make_seal(const Seal& seal)
{
    SealBytes bytes;
    bytes.length = seal.length;
    bytes.checksum = seal.checksum;
    return {reinterpret_cast<const char*>(&bytes), sizeof(bytes)};
}

std::optional<Seal> read_seal(const std::filesystem::path& path)
{
    if (!is_there(path))
    {
        return std::nullopt;
    }
    require_file(path);
    std::ifstream stream(path, std::ios::binary | std::ios::ate);
    const auto size = static_cast<std::int64_t>(stream.tellg());
    constexpr auto seal_size = static_cast<std::int64_t>(sizeof(SealBytes));
    if (!stream || size < seal_size)
    {
        return std::nullopt;
    }
    SealBytes seal;
    stream.seekg(size - seal_size);
    stream.read(reinterpret_cast<char*>(&seal), seal_size);
    if (!stream || std::memcmp(seal.mark, SealBytes().mark, sizeof(seal.mark)) != 0)
    {
        return std::nullopt;
    }
    if (seal.length != static_cast<std::uint64_t>(size - seal_size))
    {
        refuse_broken_seal(path);
    }
    return Seal{seal.length, static_cast<std::uint32_t>(seal.checksum)};
}

void refuse_broken_seal(const std::filesystem::path& path)
{
    throw Error(path.string() +
                ": its bytes do not match the checksum at its end; the file is damaged, use another copy");
}

bool verify_seal(const std::filesystem::path& path)
{
    const auto seal = read_seal(path);
    if (!seal)
    {
        return false;
    }
    constexpr std::uint64_t most = std::uint64_t{16} << 20;
    std::ifstream stream(path, std::ios::binary);
    std::uint64_t left = seal->length;
    std::vector<char> piece(std::min(left, most));
    std::uint32_t sum = 0;
    for (; left > 0 && stream; left -= piece.size())
    {
        piece.resize(std::min(left, most));
        stream.read(piece.data(), static_cast<std::streamsize>(piece.size()));
        sum = crc32(std::as_bytes(std::span(piece)), sum);
    }
    if (!stream || seal->checksum != sum)
    {
        refuse_broken_seal(path);
    }
    return true;
}
}  // namespace paws::io

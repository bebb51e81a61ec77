#include "io/hdf5/header_seal.hpp"

#include <fcntl.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <functional>
#include <span>

#include "io/files/checksum.hpp"
#include "io/files/descriptor.hpp"
#include "io/files/seal.hpp"

namespace paws::io
{
namespace
{
static_assert(sizeof(Piece) == 16, "pieces are written as they are in memory");

struct Footer
{
    std::uint64_t pieces = 0;
    std::uint64_t checksum = 0;
    std::uint64_t own_checksum = 0;
    char mark[8] = {'P', 'A', 'W', 'S', 'H', 'E', 'A', 'D'};
};
static_assert(sizeof(Footer) == 32, "the header seal is written as it is in memory");

/// Sums the bytes [place, place + length) on top of a CRC-32.
using Sum = std::function<std::uint32_t(const Piece&, std::uint32_t before)>;

Sum sum_of(std::string_view bytes)
{
    return [bytes](const Piece& piece, std::uint32_t before)
    { return crc32(std::as_bytes(std::span(bytes.substr(piece.place, piece.length))), before); };
}

Sum sum_of(Descriptor& file)
{
    return [&file](const Piece& piece, std::uint32_t before)
    {
        std::vector<std::byte> buffer(std::min<std::uint64_t>(piece.length, std::uint64_t{1} << 20));
        file.seek(piece.place);
        for (std::uint64_t left = piece.length; left > 0;)
        {
            const auto read = file.read(std::span(buffer).first(std::min<std::uint64_t>(left, buffer.size())));
            if (read == 0)
            {
                // A file that has become shorter has another sum.
                return ~before;
            }
            before = crc32(std::span<const std::byte>(buffer).first(read), before);
            left -= read;
        }
        return before;
    };
}

std::vector<Piece> joined(std::vector<Piece> pieces)
{
    std::erase_if(pieces, [](const Piece& piece) { return piece.length == 0; });
    std::sort(pieces.begin(), pieces.end(), [](const Piece& a, const Piece& b) { return a.place < b.place; });
    std::vector<Piece> result;
    for (const Piece& piece : pieces)
    {
        if (result.empty() || piece.place > result.back().place + result.back().length)
        {
            result.push_back(piece);
            continue;
        }
        Piece& last = result.back();
        last.length = std::max(last.length, piece.place + piece.length - last.place);
    }
    return result;
}

/// CRC-32 of what is not in the pieces, which ascend and lie within `length` bytes.
std::uint32_t sum_between(const std::vector<Piece>& pieces, std::uint64_t length, const Sum& sum)
{
    std::uint32_t all = 0;
    std::uint64_t place = 0;
    for (const Piece& piece : pieces)
    {
        all = sum({place, piece.place - place}, all);
        place = piece.place + piece.length;
    }
    return sum({place, length - place}, all);
}

/// Of the header seal; `table`: CRC-32 of its pieces.
std::uint32_t own_checksum(std::uint32_t table, const Footer& footer)
{
    return crc32(std::as_bytes(std::span(&footer, 1)).first(offsetof(Footer, own_checksum)), table);
}

std::string make(std::vector<Piece> elements, std::uint64_t length, const Sum& sum)
{
    const auto pieces = joined(std::move(elements));
    Footer footer;
    footer.pieces = pieces.size();
    footer.checksum = sum_between(pieces, length, sum);
    footer.own_checksum = own_checksum(crc32(std::as_bytes(std::span(pieces))), footer);
    std::string text(reinterpret_cast<const char*>(pieces.data()), pieces.size() * sizeof(Piece));
    return text.append(reinterpret_cast<const char*>(&footer), sizeof(footer));
}

bool ascend_within(const std::vector<Piece>& pieces, std::uint64_t length)
{
    std::uint64_t end = 0;
    for (const Piece& piece : pieces)
    {
        if (piece.place < end || piece.place > length || piece.length > length - piece.place)
        {
            return false;
        }
        end = piece.place + piece.length;
    }
    return true;
}
}  // namespace

std::string make_header_seal(std::string_view bytes, std::vector<Piece> elements)
{
    return make(std::move(elements), bytes.size(), sum_of(bytes));
}

std::string header_seal_of_file(const std::filesystem::path& path, std::vector<Piece> elements)
{
    Descriptor file(path, O_RDONLY);
    return make(std::move(elements), std::filesystem::file_size(path), sum_of(file));
}

bool verify_header(const std::filesystem::path& path)
{
    std::error_code error;
    if (!std::filesystem::is_regular_file(path, error))
    {
        return false;
    }
    const std::uint64_t size = std::filesystem::file_size(path, error);
    const std::uint64_t behind = make_seal("").size() + sizeof(Footer);
    if (error || size < behind)
    {
        return false;
    }
    Descriptor file(path, O_RDONLY);
    Footer footer;
    file.seek(size - behind);
    if (file.read(std::as_writable_bytes(std::span(&footer, 1))) != sizeof(footer) ||
        std::memcmp(footer.mark, Footer().mark, sizeof(footer.mark)) != 0)
    {
        return false;
    }
    const std::uint64_t before = size - behind;
    const std::uint64_t length = before - std::min(before, footer.pieces * sizeof(Piece));
    // Summed before memory is taken for it: there may be any number.
    if (footer.pieces > before / sizeof(Piece) ||
        own_checksum(sum_of(file)({length, before - length}, 0), footer) != footer.own_checksum)
    {
        refuse_broken_seal(path);
    }
    std::vector<Piece> pieces(footer.pieces);
    file.seek(length);
    file.read(std::as_writable_bytes(std::span(pieces)));
    if (!ascend_within(pieces, length) || sum_between(pieces, length, sum_of(file)) != footer.checksum)
    {
        refuse_broken_seal(path);
    }
    return true;
}
}  // namespace paws::io

#include "io/base/printable.hpp"

#include <cstddef>
#include <cstdint>

namespace paws::io
{
namespace
{
constexpr std::uint32_t no_character = 0xffffffff;

/// A character and the bytes that it takes; for bytes that are no UTF-8, no_character and 1.
struct Character
{
    std::uint32_t code = no_character;
    std::size_t length = 1;
};

std::uint32_t byte_at(std::string_view text, std::size_t at)
{
    return static_cast<unsigned char>(text[at]);
}

Character character_at(std::string_view text, std::size_t at)
{
    const std::uint32_t first = byte_at(text, at);
    if (first < 0x80)
    {
        return {first, 1};
    }
    const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4 || text.size() - at < length)
    {
        return {};
    }
    std::uint32_t code = first & (0x7fU >> length);
    for (std::size_t i = 1; i < length; ++i)
    {
        const std::uint32_t next = byte_at(text, at + i);
        if ((next & 0xc0U) != 0x80)
        {
            return {};
        }
        code = code << 6U | (next & 0x3fU);
    }
    // Longer than need be, half of a pair of UTF-16, or beyond Unicode.
    constexpr std::uint32_t least_of_3 = 0x800, least_of_4 = 0x10000, last = 0x10ffff;
    const bool is_too_long = (length == 3 && code < least_of_3) || (length == 4 && code < least_of_4);
    const bool is_half = code >= 0xd800 && code <= 0xdfff;
    return is_too_long || is_half || code > last ? Character{} : Character{code, length};
}

/// Whether a terminal or an editor does something else with it than showing it in its place.
bool is_control(std::uint32_t code)
{
    return code < 0x20 || (code >= 0x7f && code < 0xa0)  // C0, DEL, C1
           || code == 0x2028 || code == 0x2029           // separators of lines and paragraphs
           || (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);  // directions of writing
}

void append_escaped(std::string& to, std::string_view bytes)
{
    if (bytes == "\n" || bytes == "\r" || bytes == "\t")
    {
        to += bytes == "\n" ? "\\n" : bytes == "\r" ? "\\r" : "\\t";
        return;
    }
    constexpr std::string_view digits = "0123456789abcdef";
    for (const char byte : bytes)
    {
        const auto value = static_cast<unsigned char>(byte);
        to += "\\x";
        to += digits[value >> 4U];
        to += digits[value & 0xfU];
    }
}

template <class IsEscaped>
std::string escaped(std::string_view text, IsEscaped is_escaped)
{
    std::string result;
    result.reserve(text.size());
    for (std::size_t at = 0; at < text.size();)
    {
        const Character character = character_at(text, at);
        const std::string_view bytes = text.substr(at, character.length);
        if (is_escaped(character.code))
        {
            append_escaped(result, bytes);
        }
        else
        {
            result += bytes;
        }
        at += character.length;
    }
    return result;
}
}  // namespace

std::string printable(std::string_view text)
{
    return escaped(text, [](std::uint32_t code) { return code == no_character || is_control(code); });
}

std::vector<std::string> printable(std::vector<std::string> texts)
{
    for (std::string& text : texts)
    {
        text = printable(std::string_view(text));
    }
    return texts;
}

std::string as_utf8(std::string_view text)
{
    return escaped(text, [](std::uint32_t code) { return code == no_character; });
}
}  // namespace paws::io

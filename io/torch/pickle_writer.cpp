#include "io/torch/pickle_writer.hpp"

#include <bit>
#include <limits>
#include <stdexcept>

namespace paws::io::pickle
{
// The instructions by their bytes; their names, as Python's pickletools prints them, are in the comments.

Writer::Writer() : out_("\x80\x02")  // PROTO 2
{
}

void Writer::number(std::uint64_t value, std::size_t width)
{
    for (std::size_t i = 0; i < width; ++i)
    {
        out_ += static_cast<char>(value >> 8 * i & 0xff);
    }
}

void Writer::none()
{
    out_ += 'N';  // NONE
}

void Writer::boolean(bool value)
{
    out_ += value ? '\x88' : '\x89';  // NEWTRUE, NEWFALSE
}

void Writer::integer(std::int64_t value)
{
    const auto bits = static_cast<std::uint64_t>(value);
    if (value >= 0 && value < 0x100)
    {
        out_ += 'K';  // BININT1
        number(bits, 1);
    }
    else if (value >= 0 && value < 0x10000)
    {
        out_ += 'M';  // BININT2
        number(bits, 2);
    }
    else if (value >= std::numeric_limits<std::int32_t>::min() && value <= std::numeric_limits<std::int32_t>::max())
    {
        out_ += 'J';  // BININT
        number(bits, 4);
    }
    else
    {
        out_ += "\x8a\x08";  // LONG1
        number(bits, 8);
    }
}

void Writer::real(double value)
{
    out_ += 'G';  // BINFLOAT, big-endian
    const auto bits = std::bit_cast<std::uint64_t>(value);
    for (int shift = 56; shift >= 0; shift -= 8)
    {
        out_ += static_cast<char>(bits >> shift & 0xff);
    }
}

void Writer::text(std::string_view value)
{
    if (value.size() > std::numeric_limits<std::uint32_t>::max())
    {
        throw std::length_error("a text of 4 GiB or more cannot be written to a pickle");
    }
    out_ += 'X';  // BINUNICODE
    number(value.size(), 4);
    out_ += value;
}

void Writer::bytes(std::string_view value)
{
    // As Python 3 writes bytes in this protocol: text of the characters 0 to 255, to be encoded.
    std::string characters;
    for (const char byte : value)
    {
        const auto code = static_cast<unsigned char>(byte);
        if (code < 0x80)
        {
            characters += byte;
            continue;
        }
        characters += static_cast<char>(0xc0 | code >> 6);
        characters += static_cast<char>(0x80 | (code & 0x3f));
    }
    global("_codecs", "encode");
    open_tuple();
    text(characters);
    text("latin1");
    close_tuple();
    call();
}

void Writer::global(std::string_view module, std::string_view name)
{
    out_ += 'c';  // GLOBAL
    out_ += module;
    out_ += '\n';
    out_ += name;
    out_ += '\n';
}

void Writer::open_list()
{
    out_ += "](";  // EMPTY_LIST, MARK
}

void Writer::close_list()
{
    out_ += 'e';  // APPENDS
}

void Writer::open_tuple()
{
    out_ += '(';  // MARK
}

void Writer::close_tuple()
{
    out_ += 't';  // TUPLE
}

void Writer::open_dict()
{
    out_ += '}';  // EMPTY_DICT
    open_entries();
}

void Writer::close_dict()
{
    close_entries();
}

void Writer::open_entries()
{
    out_ += '(';  // MARK
}

void Writer::close_entries()
{
    out_ += 'u';  // SETITEMS
}

void Writer::call()
{
    out_ += 'R';  // REDUCE
}

void Writer::set_state()
{
    out_ += 'b';  // BUILD
}

void Writer::persistent()
{
    out_ += 'Q';  // BINPERSID
}

std::string Writer::finish()
{
    out_ += '.';  // STOP
    return std::move(out_);
}
}  // namespace paws::io::pickle

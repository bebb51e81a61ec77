#include "io/torch/pickle.hpp"

#include <algorithm>
#include <array>

#include "io/torch/pickle_machine.hpp"

namespace paws::io::pickle
{
const Value* Value::find(std::string_view key) const
{
    // The last one counts, as in Python.
    const auto entry =
        std::find_if(entries.rbegin(), entries.rend(), [&](const auto& e) { return e.first->is_string(key); });
    return entry == entries.rend() ? nullptr : entry->second;
}

bool is_utf8(std::string_view text)
{
    // The least character of each length: shorter ones are written shorter.
    constexpr std::array<std::uint32_t, 4> least = {0, 0x80, 0x800, 0x10000};
    constexpr std::uint32_t most = 0x10ffff;
    for (std::size_t i = 0; i < text.size();)
    {
        const auto first = static_cast<unsigned char>(text[i++]);
        const int more = first < 0x80 ? 0 : first >> 5 == 6 ? 1 : first >> 4 == 14 ? 2 : first >> 3 == 30 ? 3 : -1;
        if (more < 0 || text.size() - i < static_cast<std::size_t>(more))
        {
            return false;
        }
        std::uint32_t character = more == 0 ? first : first & (0x3fU >> more);
        for (int k = 0; k < more; ++k)
        {
            const auto next = static_cast<unsigned char>(text[i++]);
            if ((next & 0xc0) != 0x80)
            {
                return false;
            }
            character = character << 6 | (next & 0x3f);
        }
        if (character < least[static_cast<std::size_t>(more)] || character > most)
        {
            return false;
        }
    }
    return true;
}

// The instructions by their bytes; their names, as Python's pickletools prints them, are in the comments.

bool Machine::step_scalar(char instruction)
{
    switch (instruction)
    {
        case 'N':  // NONE
            push(make(Kind::none));
            return true;
        case '\x88':  // NEWTRUE
        case '\x89':  // NEWFALSE
            push_integer(Kind::boolean, instruction == '\x88');
            return true;
        case 'K':  // BININT1
            push_integer(Kind::integer, static_cast<std::int64_t>(take_number(1)));
            return true;
        case 'M':  // BININT2
            push_integer(Kind::integer, static_cast<std::int64_t>(take_number(2)));
            return true;
        case 'J':  // BININT
            push_integer(Kind::integer, take_signed(4));
            return true;
        case '\x8a':  // LONG1
            push_integer(Kind::integer, take_signed(take_number(1)));
            return true;
        case 'G':  // BINFLOAT
        {
            Value& value = make(Kind::real);
            value.real = take_real();
            push(value);
            return true;
        }
        case 'U':  // SHORT_BINSTRING
        case 'C':  // SHORT_BINBYTES
            push_text(Kind::bytes, take(take_number(1)));
            return true;
        case 'T':  // BINSTRING
        case 'B':  // BINBYTES
            push_text(Kind::bytes, take(take_number(4)));
            return true;
        case '\x8e':  // BINBYTES8
        case '\x96':  // BYTEARRAY8
            push_text(Kind::bytes, take(take_number(8)));
            return true;
        case '\x8c':  // SHORT_BINUNICODE
            push_text(Kind::text, take(take_number(1)));
            return true;
        case 'X':  // BINUNICODE
            push_text(Kind::text, take(take_number(4)));
            return true;
        case '\x8d':  // BINUNICODE8
            push_text(Kind::text, take(take_number(8)));
            return true;
        default:
            return false;
    }
}

bool Machine::step_container(char instruction)
{
    switch (instruction)
    {
        case ']':  // EMPTY_LIST
            push(make(Kind::list));
            return true;
        case 'a':  // APPEND
            append({pop()});
            return true;
        case 'e':  // APPENDS
            append(pop_mark());
            return true;
        case ')':  // EMPTY_TUPLE
            push_tuple({});
            return true;
        case 't':  // TUPLE
            push_tuple(pop_mark());
            return true;
        case '\x85':  // TUPLE1
        case '\x86':  // TUPLE2
        case '\x87':  // TUPLE3
            push_small_tuple(static_cast<std::size_t>(instruction - '\x84'));
            return true;
        case '}':  // EMPTY_DICT
            push(make(Kind::dict));
            return true;
        case 's':  // SETITEM
        {
            const Value* value = pop();
            const Value* key = pop();
            set_items({key, value});
            return true;
        }
        case 'u':  // SETITEMS
            set_items(pop_mark());
            return true;
        default:
            return false;
    }
}

bool Machine::step_object(char instruction)
{
    switch (instruction)
    {
        case 'c':  // GLOBAL
        {
            const std::string module(take_line());
            push_global(module, std::string(take_line()));
            return true;
        }
        case '\x93':  // STACK_GLOBAL
        {
            const Value* name = pop();
            const Value* module = pop();
            if (!name->is_string() || !module->is_string())
            {
                refuse("uses a name that is not text");
            }
            push_global(module->text, name->text);
            return true;
        }
        case 'R':     // REDUCE
        case '\x81':  // NEWOBJ
            push_object();
            return true;
        case 'b':  // BUILD
            build();
            return true;
        case 'Q':  // BINPERSID
        {
            const Value* id = pop();
            Value& value = make(Kind::persistent);
            value.arguments = id;
            push(value);
            return true;
        }
        default:
            return false;
    }
}

bool Machine::step_stack(char instruction)
{
    switch (instruction)
    {
        case '(':  // MARK
            marks_.push_back(stack_.size());
            return true;
        case '0':  // POP
            pop();
            return true;
        case '1':  // POP_MARK
            pop_mark();
            return true;
        case '2':  // DUP
            stack_.push_back(&top());
            return true;
        case 'q':  // BINPUT
            remember(take_number(1));
            return true;
        case 'r':  // LONG_BINPUT
            remember(take_number(4));
            return true;
        case '\x94':  // MEMOIZE
            remember(memo_.size());
            return true;
        case 'h':  // BINGET
            recall(take_number(1));
            return true;
        case 'j':  // LONG_BINGET
            recall(take_number(4));
            return true;
        case '\x95':  // FRAME: how much to read ahead
            if (take_number(8) > left())
            {
                refuse("is cut off");
            }
            return true;
        default:
            return false;
    }
}

void Machine::step(char instruction)
{
    constexpr char protocol = '\x80';
    if (position_ == 1 && instruction != protocol)
    {
        refuse("does not begin like a pickle of protocol 2 or newer");
    }
    if (instruction == protocol)
    {
        const std::uint64_t version = take_number(1);
        if (position_ != 2 || version < 2 || version > 5)
        {
            refuse("is a pickle of protocol " + std::to_string(version) + " where 2 to 5 are read");
        }
        return;
    }
    if (instruction == '.')  // STOP
    {
        document_.root_ = pop();
        if (!stack_.empty() || !marks_.empty())
        {
            refuse("makes values that it does not use");
        }
        return;
    }
    if (!step_scalar(instruction) && !step_container(instruction) && !step_object(instruction) &&
        !step_stack(instruction))
    {
        refuse("has the instruction " + std::to_string(static_cast<unsigned char>(instruction)) +
               ", which is not read here");
    }
}

Document read(std::string_view bytes, std::span<const std::string_view> allowed_globals, const std::string& source)
{
    Document document = read_first(bytes, allowed_globals, source);
    if (!bytes.empty())
    {
        throw Error(source + ": has bytes after its end; it is damaged, or not a file of the kind expected");
    }
    return document;
}

Document read_first(std::string_view& bytes, std::span<const std::string_view> allowed_globals,
                    const std::string& source)
{
    Machine machine(bytes, allowed_globals, source);
    Document document = machine.run();
    bytes.remove_prefix(machine.position());
    return document;
}
}  // namespace paws::io::pickle

#pragma once

// The inside of pickle.cpp: what the instructions of a pickle work on.

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "io/base/error.hpp"
#include "io/torch/pickle.hpp"

namespace paws::io::pickle
{
/// Python's pickle machine, reduced to its data instructions: a stack, marks on it, and a memo of values to use again.
class Machine
{
public:
    Machine(std::string_view bytes, std::span<const std::string_view> allowed, const std::string& source)
        : bytes_(bytes), allowed_(allowed), source_(source)
    {
    }

    Document run()
    {
        while (!document_.root_)
        {
            step(take(1)[0]);
        }
        return std::move(document_);
    }

    /// Where the pickle ended.
    std::size_t position() const { return position_; }

private:
    /// Names may hold anything, messages are one line.
    static std::string in_one_line(std::string text)
    {
        std::replace_if(
            text.begin(), text.end(), [](unsigned char c) { return c < ' '; }, '?');
        return text;
    }

    std::string message(const std::string& what) const
    {
        return source_ + ": " + in_one_line(what) + " (at byte " + std::to_string(position_) +
               " of the pickle); it is damaged, or not a file of the kind expected";
    }

    [[noreturn]] void refuse(const std::string& what) const { throw Error(message(what)); }

    std::string_view take(std::size_t count)
    {
        if (count > left())
        {
            refuse("is cut off");
        }
        const std::string_view taken = bytes_.substr(position_, count);
        position_ += count;
        return taken;
    }

    std::string_view take_line()
    {
        const auto end = bytes_.find('\n', position_);
        if (end == std::string_view::npos)
        {
            refuse("is cut off");
        }
        const std::string_view line = take(end - position_);
        take(1);
        return line;
    }

    /// Bytes that were not taken yet.
    std::size_t left() const { return bytes_.size() - position_; }

    /// A little-endian number without sign.
    std::uint64_t take_number(std::size_t width)
    {
        std::uint64_t number = 0;
        unsigned shift = 0;
        for (const char byte : take(width))
        {
            number |= std::uint64_t{static_cast<unsigned char>(byte)} << shift;
            shift += 8;
        }
        return number;
    }

    /// Two's complement of `width` bytes, up to eight.
    std::int64_t take_signed(std::size_t width)
    {
        if (width > 8)
        {
            refuse("holds a whole number of more than 64 bits");
        }
        if (width == 0)
        {
            return 0;
        }
        const unsigned unused = 64 - 8 * static_cast<unsigned>(width);
        return static_cast<std::int64_t>(take_number(width) << unused) >> unused;
    }

    /// A value takes a hundred times the memory of the byte that makes it.
    void require_room(std::size_t count) const
    {
        constexpr std::size_t most = 4'000'000;
        if (count >= most)
        {
            refuse("holds more than " + std::to_string(most) + " values");
        }
    }

    Value& make(Kind kind)
    {
        require_room(document_.values_.size());
        Value& value = document_.values_.emplace_back();
        value.kind = kind;
        return value;
    }

    void push(Value& value) { stack_.push_back(&value); }

    void push_text(Kind kind, std::string_view text)
    {
        Value& value = make(kind);
        value.text = text;
        push(value);
    }

    void push_integer(Kind kind, std::int64_t integer)
    {
        Value& value = make(kind);
        value.integer = integer;
        push(value);
    }

    Value* pop()
    {
        if (stack_.size() <= (marks_.empty() ? 0 : marks_.back()))
        {
            refuse("takes more values than it made");
        }
        Value* top = stack_.back();
        stack_.pop_back();
        return top;
    }

    Value& top()
    {
        Value* value = pop();
        stack_.push_back(value);
        return *value;
    }

    /// Everything above the last mark, which goes too.
    std::vector<const Value*> pop_mark()
    {
        if (marks_.empty())
        {
            refuse("takes more values than it made");
        }
        const auto begin = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
        std::vector<const Value*> values(begin, stack_.end());
        stack_.erase(begin, stack_.end());
        marks_.pop_back();
        return values;
    }

    void push_tuple(std::vector<const Value*> items)
    {
        Value& tuple = make(Kind::tuple);
        tuple.items = std::move(items);
        push(tuple);
    }

    void push_small_tuple(std::size_t count)
    {
        std::vector<const Value*> items(count);
        std::generate(items.rbegin(), items.rend(), [&] { return pop(); });
        push_tuple(std::move(items));
    }

    void append(const std::vector<const Value*>& items)
    {
        Value& target = top();
        if (target.kind != Kind::list && target.kind != Kind::object)
        {
            refuse("appends to something that is not a list");
        }
        target.items.insert(target.items.end(), items.begin(), items.end());
    }

    void set_items(const std::vector<const Value*>& items)
    {
        Value& target = top();
        if ((target.kind != Kind::dict && target.kind != Kind::object) || items.size() % 2 != 0)
        {
            refuse("sets entries of something that is not a dict");
        }
        for (std::size_t i = 0; i < items.size(); i += 2)
        {
            target.entries.emplace_back(items[i], items[i + 1]);
        }
    }

    void push_global(const std::string& module, const std::string& name)
    {
        const std::string global = module + " " + name;
        if (global != bytes_from_text && std::find(allowed_.begin(), allowed_.end(), global) == allowed_.end())
        {
            const std::string foreign = in_one_line(module + "." + name);
            throw ForeignName(
                message("wants to use '" + foreign + "', which is not part of such files and is never run here"),
                foreign);
        }
        push_text(Kind::global, global);
    }

    /// The characters 0 to 255, which UTF-8 writes in one or two bytes, as these bytes.
    std::string from_latin1(const std::string& text) const
    {
        std::string bytes;
        for (std::size_t i = 0; i < text.size(); ++i)
        {
            const auto first = static_cast<unsigned char>(text[i]);
            if (first < 0x80)
            {
                bytes += text[i];
                continue;
            }
            if ((first != 0xc2 && first != 0xc3) || i + 1 == text.size())
            {
                refuse("has text that stands for no bytes");
            }
            bytes += static_cast<char>((first & 0x03) << 6 | (static_cast<unsigned char>(text[++i]) & 0x3f));
        }
        return bytes;
    }

    /// Python 3 writes bytes in protocol 2 as text that is to be encoded.
    void push_encoded(const Value& arguments)
    {
        const auto& items = arguments.items;
        if (items.size() != 2 || items[0]->kind != Kind::text || !items[1]->is_string("latin1"))
        {
            refuse("encodes something other than latin1");
        }
        // The same text may be encoded again and again.
        encoded_ += items[0]->text.size();
        if (encoded_ > bytes_.size())
        {
            refuse("holds more bytes than it is long");
        }
        push_text(Kind::bytes, from_latin1(items[0]->text));
    }

    void push_object()
    {
        const Value* arguments = pop();
        const Value* callee = pop();
        if (callee->kind != Kind::global || arguments->kind != Kind::tuple)
        {
            refuse("calls something that is not a name");
        }
        if (callee->is_global(bytes_from_text))
        {
            push_encoded(*arguments);
            return;
        }
        Value& object = make(Kind::object);
        object.callee = callee;
        object.arguments = arguments;
        push(object);
    }

    void build()
    {
        const Value* state = pop();
        Value& object = top();
        if (object.kind != Kind::object || object.state)
        {
            refuse("sets the state of something that has none");
        }
        object.state = state;
    }

    void remember(std::uint64_t place)
    {
        require_room(memo_.size());
        memo_[place] = &top();
    }

    void recall(std::uint64_t place)
    {
        const auto found = memo_.find(place);
        if (found == memo_.end())
        {
            refuse("uses a value that it did not keep");
        }
        stack_.push_back(found->second);
    }

    double take_real()
    {
        // Big-endian, unlike everything else.
        std::uint64_t bits = 0;
        for (const char byte : take(8))
        {
            bits = bits << 8 | static_cast<unsigned char>(byte);
        }
        return std::bit_cast<double>(bits);
    }

    void step(char instruction);
    bool step_scalar(char instruction);
    bool step_container(char instruction);
    bool step_object(char instruction);
    bool step_stack(char instruction);

    static constexpr std::string_view bytes_from_text = "_codecs encode";

    std::string_view bytes_;
    std::span<const std::string_view> allowed_;
    const std::string& source_;
    std::size_t position_ = 0;
    std::size_t encoded_ = 0;
    Document document_;
    std::vector<Value*> stack_;
    std::vector<std::size_t> marks_;
    std::unordered_map<std::uint64_t, Value*> memo_;
};
}  // namespace paws::io::pickle

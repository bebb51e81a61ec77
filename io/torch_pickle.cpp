#include "io/torch_pickle.hpp"

#include <algorithm>
#include <array>
#include <cctype>

#include "io/error.hpp"

namespace paws::io
{
namespace
{
using Kind = TorchValue::Kind;

constexpr std::string_view ordered_dict = "collections OrderedDict";
constexpr std::string_view rebuild_tensor = "torch._utils _rebuild_tensor";
constexpr std::string_view rebuild_tensor_v2 = "torch._utils _rebuild_tensor_v2";
constexpr std::string_view rebuild_parameter = "torch._utils _rebuild_parameter";
constexpr std::string_view size_tuple = "torch Size";

constexpr std::array<std::string_view, 15> globals = {
    ordered_dict,         rebuild_tensor,          rebuild_tensor_v2,   rebuild_parameter,   size_tuple,
    "torch FloatStorage", "torch DoubleStorage",   "torch HalfStorage", "torch LongStorage", "torch IntStorage",
    "torch ShortStorage", "torch BFloat16Storage", "torch CharStorage", "torch ByteStorage", "torch BoolStorage",
};

[[noreturn]] void refuse(const std::string& source, const std::string& what)
{
    throw Error(source + ": " + what + "; it is damaged, or not a checkpoint that can be read here");
}

const pickle::Value& item(const pickle::Value* tuple, std::size_t i, const std::string& source)
{
    if (tuple == nullptr || tuple->kind != pickle::Kind::tuple || i >= tuple->items.size())
    {
        refuse(source, "describes a tensor incompletely");
    }
    return *tuple->items[i];
}

std::uint64_t count_of(const pickle::Value& value, const std::string& source)
{
    if (value.kind != pickle::Kind::integer || value.integer < 0)
    {
        refuse(source, "has a tensor with an impossible size");
    }
    return static_cast<std::uint64_t>(value.integer);
}

template <class Number>
std::vector<Number> counts_of(const pickle::Value& value, const std::string& source)
{
    // A torch.Size, in which old versions wrote shapes, has the tuple as its argument.
    const pickle::Value& numbers = value.kind == pickle::Kind::object ? item(value.arguments, 0, source) : value;
    constexpr std::size_t most_dimensions = 32;
    if ((numbers.kind != pickle::Kind::tuple && numbers.kind != pickle::Kind::list) ||
        numbers.items.size() > most_dimensions)
    {
        refuse(source, "has a tensor with an impossible shape");
    }
    std::vector<Number> counts;
    for (const auto* number : numbers.items)
    {
        counts.push_back(count_of(*number, source));
    }
    return counts;
}

bool is_utf8(std::string_view text)
{
    for (std::size_t i = 0; i < text.size();)
    {
        const auto first = static_cast<unsigned char>(text[i++]);
        const int more = first < 0x80 ? 0 : first >> 5 == 6 ? 1 : first >> 4 == 14 ? 2 : first >> 3 == 30 ? 3 : -1;
        if (more < 0)
        {
            return false;
        }
        for (int k = 0; k < more; ++k)
        {
            if (i == text.size() || (static_cast<unsigned char>(text[i++]) & 0xc0) != 0x80)
            {
                return false;
            }
        }
    }
    return true;
}

class Converter
{
public:
    Converter(const std::string& source, const TorchReader& reader) : source_(source), reader_(reader) {}

    TorchValue convert(const pickle::Value& value)
    {
        // A small pickle can stand for a huge tree, whose branches are the same branch again and again.
        constexpr std::size_t most_levels = 100, most_values = 1'000'000, most_text = std::size_t{64} << 20;
        text_ += value.text.size();
        if (++values_ > most_values || text_ > most_text || level_ >= most_levels)
        {
            refuse(source_, "is nested too deeply, or holds too many values");
        }
        ++level_;
        TorchValue converted = convert_level(value);
        --level_;
        return converted;
    }

private:
    TorchValue convert_level(const pickle::Value& value)
    {
        switch (value.kind)
        {
            case pickle::Kind::none:
                return {};
            case pickle::Kind::boolean:
                return TorchValue::of(value.integer != 0);
            case pickle::Kind::integer:
                return TorchValue::of(value.integer);
            case pickle::Kind::real:
                return TorchValue::of(value.real);
            case pickle::Kind::text:
                return TorchValue::of(value.text);
            case pickle::Kind::bytes:
            {
                auto converted = TorchValue::of(value.text);
                converted.kind = is_utf8(value.text) ? Kind::text : Kind::bytes;
                return converted;
            }
            case pickle::Kind::list:
                return with_items(Kind::list, value);
            case pickle::Kind::tuple:
                return with_items(Kind::tuple, value);
            case pickle::Kind::dict:
                return with_entries(Kind::dict, value);
            case pickle::Kind::object:
                return object(value);
            case pickle::Kind::persistent:
                return reader_.persistent(value);
            case pickle::Kind::global:
                refuse(source_, "holds '" + value.text + "' as a value");
        }
        refuse(source_, "holds something unknown");
    }

    TorchValue with_items(Kind kind, const pickle::Value& value)
    {
        auto converted = TorchValue::empty(kind);
        for (const auto* one : value.items)
        {
            converted.items.push_back(convert(*one));
        }
        return converted;
    }

    TorchValue with_entries(Kind kind, const pickle::Value& value)
    {
        auto converted = TorchValue::empty(kind);
        for (const auto& [key, one] : value.entries)
        {
            auto converted_key = convert(*key);
            converted.add(std::move(converted_key), convert(*one));
        }
        return converted;
    }

    TorchValue object(const pickle::Value& value)
    {
        const pickle::Value& callee = *value.callee;
        if (callee.is_global(ordered_dict))
        {
            return ordered(value);
        }
        if (callee.is_global(size_tuple))
        {
            return convert(item(value.arguments, 0, source_));
        }
        if (callee.is_global(rebuild_parameter))
        {
            return convert(item(value.arguments, 0, source_));
        }
        if (callee.is_global(rebuild_tensor) || callee.is_global(rebuild_tensor_v2))
        {
            return tensor(value);
        }
        refuse(source_, "makes something of '" + callee.text + "'");
    }

    TorchValue ordered(const pickle::Value& value)
    {
        auto converted = with_entries(Kind::ordered, value);
        // Python 2 gives the entries as one argument: a list of pairs.
        for (const auto* pairs : value.arguments->items)
        {
            for (const auto* pair : pairs->items)
            {
                if (pair->items.size() != 2)
                {
                    refuse(source_, "has an OrderedDict of something other than pairs");
                }
                auto key = convert(*pair->items[0]);
                converted.add(std::move(key), convert(*pair->items[1]));
            }
        }
        if (value.state != nullptr)
        {
            converted.state.push_back(convert(*value.state));
        }
        return converted;
    }

    TorchValue tensor(const pickle::Value& value)
    {
        const auto* arguments = value.arguments;
        TensorPlace place = storage_of(item(arguments, 0, source_), source_);
        place.offset = count_of(item(arguments, 1, source_), source_);
        place.shape = counts_of<std::size_t>(item(arguments, 2, source_), source_);
        place.strides = counts_of<std::uint64_t>(item(arguments, 3, source_), source_);
        if (place.shape.size() != place.strides.size())
        {
            refuse(source_, "has a tensor with an impossible shape");
        }
        return reader_.tensor(place);
    }

    const std::string& source_;
    const TorchReader& reader_;
    std::size_t values_ = 0, text_ = 0, level_ = 0;
};
}  // namespace

std::span<const std::string_view> torch_globals()
{
    return globals;
}

TensorPlace storage_of(const pickle::Value& persistent, const std::string& source)
{
    constexpr std::string_view module = "torch ";
    const auto* id = persistent.kind == pickle::Kind::persistent ? persistent.arguments : nullptr;
    const auto& type = item(id, 1, source);
    const auto& key = item(id, 2, source);
    if (!item(id, 0, source).is_string("storage") || type.kind != pickle::Kind::global || !key.is_string() ||
        !type.text.starts_with(module) || !type_of_storage(type.text.substr(module.size())))
    {
        refuse(source, "has a tensor of an unknown type");
    }
    // Part of a file's name in the archive, and of messages.
    if (!std::all_of(key.text.begin(), key.text.end(), [](unsigned char c) { return std::isalnum(c) || c == '_'; }))
    {
        refuse(source, "has a storage with an impossible name");
    }
    // Before PyTorch 0.4, a storage could be a part of another one.
    if (id->items.size() > 5 && id->items[5]->kind != pickle::Kind::none)
    {
        throw Error(source + ": was written by a very old version of PyTorch; load and save it again with a newer one");
    }
    TensorPlace place;
    place.type = *type_of_storage(type.text.substr(module.size()));
    place.storage = key.text;
    place.elements = count_of(item(id, 4, source), source);
    return place;
}

TorchValue from_pickle(const pickle::Value& value, const std::string& source, const TorchReader& reader)
{
    return Converter(source, reader).convert(value);
}

void to_pickle(pickle::Writer& writer, const TorchValue& value, const TensorWriter& tensor)
{
    const auto write_entries = [&]
    {
        for (std::size_t i = 0; i < value.keys.size(); ++i)
        {
            to_pickle(writer, value.keys[i], tensor);
            to_pickle(writer, value.items[i], tensor);
        }
    };
    const auto write_items = [&]
    {
        for (const auto& one : value.items)
        {
            to_pickle(writer, one, tensor);
        }
    };
    switch (value.kind)
    {
        case Kind::none:
            return writer.none();
        case Kind::boolean:
            return writer.boolean(value.integer != 0);
        case Kind::integer:
            return writer.integer(value.integer);
        case Kind::real:
            return writer.real(value.real);
        case Kind::text:
            return writer.text(value.text);
        case Kind::bytes:
            return writer.bytes(value.text);
        case Kind::list:
            writer.open_list();
            write_items();
            return writer.close_list();
        case Kind::tuple:
            writer.open_tuple();
            write_items();
            return writer.close_tuple();
        case Kind::dict:
            writer.open_dict();
            write_entries();
            return writer.close_dict();
        case Kind::ordered:
            writer.global("collections", "OrderedDict");
            writer.open_tuple();
            writer.close_tuple();
            writer.call();
            writer.open_entries();
            write_entries();
            writer.close_entries();
            for (const auto& state : value.state)
            {
                to_pickle(writer, state, tensor);
                writer.set_state();
            }
            return;
        case Kind::tensor:
        case Kind::reference:
            return tensor(writer, value);
    }
}

std::string pickled_structure(const TorchValue& value)
{
    pickle::Writer writer;
    to_pickle(writer, value,
              [](pickle::Writer& out, const TorchValue& reference)
              {
                  out.open_tuple();
                  out.text("array");
                  out.text(reference.text);
                  out.text(storage_name(static_cast<TorchType>(reference.integer)));
                  out.close_tuple();
                  out.persistent();
              });
    return writer.finish();
}

TorchValue read_structure(std::string_view pickle, const std::string& source)
{
    const auto document = pickle::read(pickle, torch_globals(), source);
    const TorchReader reader{
        [&](const TensorPlace&) -> TorchValue { refuse(source, "has a tensor where only its name should be"); },
        [&](const pickle::Value& persistent)
        {
            const auto* id = persistent.arguments;
            const auto type = type_of_storage(item(id, 2, source).text);
            if (!item(id, 0, source).is_string("array") || !item(id, 1, source).is_string() || !type)
            {
                refuse(source, "has a tensor of an unknown type");
            }
            return TorchValue::reference(id->items[1]->text, *type);
        }};
    return from_pickle(document.root(), source, reader);
}
}  // namespace paws::io

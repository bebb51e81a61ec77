#include "io/torch/torch_pickle.hpp"

#include <algorithm>

#include "io/base/error.hpp"
#include "io/torch/torch_names.hpp"

namespace paws::io
{
namespace
{
using Kind = TorchValue::Kind;

constexpr std::string_view size_tuple = "torch Size";

/// "its entry 'opt.state'", or the file itself
std::string entry_called(const std::string& name)
{
    return name.empty() ? "it" : "its entry '" + name + "'";
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
            refuse_value(source_, "is nested too deeply, or holds too many values");
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
                if (!pickle::is_utf8(value.text))
                {
                    refuse_value(source_, entry_called(name_) + " holds text that is not UTF-8");
                }
                return TorchValue::of(value.text);
            case pickle::Kind::bytes:
            {
                auto converted = TorchValue::of(value.text);
                converted.kind = pickle::is_utf8(value.text) ? Kind::text : Kind::bytes;
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
                refuse_name(value, "holds");
        }
        refuse_value(source_, "holds something unknown");
    }

    /// The value that `key` leads to. Names are for messages.
    TorchValue convert_under(const std::string& key, const pickle::Value& value)
    {
        constexpr std::size_t most_letters = 500;
        const std::size_t length = name_.size();
        if (length < most_letters)
        {
            name_.append(name_.empty() ? "" : ".").append(key, 0, most_letters);
            std::replace_if(
                name_.begin(), name_.end(), [](unsigned char c) { return c < ' '; }, '?');
        }
        TorchValue converted = convert(value);
        name_.resize(length);
        return converted;
    }

    TorchValue with_items(Kind kind, const pickle::Value& value)
    {
        auto converted = TorchValue::empty(kind);
        for (const auto* one : value.items)
        {
            converted.items.push_back(convert_under(std::to_string(converted.items.size()), *one));
        }
        return converted;
    }

    void add_entry(TorchValue& dict, const pickle::Value& key, const pickle::Value& value)
    {
        auto converted_key = convert(key);
        const std::string name = converted_key.kind == Kind::text      ? converted_key.text
                                 : converted_key.kind == Kind::integer ? std::to_string(converted_key.integer)
                                                                       : "?";
        dict.add(std::move(converted_key), convert_under(name, value));
    }

    TorchValue with_entries(Kind kind, const pickle::Value& value)
    {
        auto converted = TorchValue::empty(kind);
        for (const auto& [key, one] : value.entries)
        {
            add_entry(converted, *key, *one);
        }
        return converted;
    }

    TorchValue object(const pickle::Value& value)
    {
        const pickle::Value& callee = *value.callee;
        if (callee.is_global(pickle::ordered_dict))
        {
            return ordered(value);
        }
        if (callee.is_global(size_tuple))
        {
            return convert(item_of(value.arguments, 0, name_, source_));
        }
        if (is_tensor_call(value))
        {
            return reader_.tensor(place_of_tensor(value, name_, source_));
        }
        refuse_name(callee, "is made by");
    }

    [[noreturn]] void refuse_name(const pickle::Value& global, const std::string& does) const
    {
        std::string name = global.text;
        std::replace(name.begin(), name.end(), ' ', '.');
        throw Error(source_ + ": " + entry_called(name_) + " " + does + " '" + name +
                    "', which is not read here; save tensors, numbers and text alone");
    }

    TorchValue ordered(const pickle::Value& value)
    {
        auto converted = with_entries(Kind::ordered, value);
        if (!value.items.empty())
        {
            refuse_value(source_, entry_called(name_) + " is an OrderedDict with something other than pairs");
        }
        // Python 2 gives the entries as one argument: a list of pairs.
        for (const auto* pairs : value.arguments->items)
        {
            for (const auto* pair : pairs->items)
            {
                if (pair->items.size() != 2)
                {
                    refuse_value(source_, entry_called(name_) + " is an OrderedDict with something other than pairs");
                }
                add_entry(converted, *pair->items[0], *pair->items[1]);
            }
        }
        if (value.state != nullptr)
        {
            converted.state.push_back(convert(*value.state));
        }
        return converted;
    }

    const std::string& source_;
    const TorchReader& reader_;
    std::string name_;  ///< of the value that is being converted
    std::size_t values_ = 0, text_ = 0, level_ = 0;
};

/// In a user's words: classes of whole modules are what is saved most often in place of weights.
[[noreturn]] void refuse_foreign_name(const pickle::ForeignName& error, std::string_view bytes,
                                      const std::string& source)
{
    const bool is_module =
        error.name().starts_with("torch.nn.modules.") ||
        (bytes.find("_parameters") != std::string_view::npos && bytes.find("_modules") != std::string_view::npos);
    throw Error(source + (is_module ? ": holds a whole module (of the class '" + error.name() +
                                          "'), and classes are never run here; save its weights: "
                                          "torch.save(module.state_dict(), FILE)"
                                    : ": wants to use '" + error.name() +
                                          "', which is not part of such files and is never run here; save tensors, "
                                          "numbers and text alone"));
}
}  // namespace

pickle::Document read_torch_pickle(std::string_view& bytes, const std::string& source)
{
    const std::string_view all = bytes;
    try
    {
        return pickle::read_first(bytes, torch_globals(), source);
    }
    catch (const pickle::ForeignName& error)
    {
        refuse_foreign_name(error, all, source);
    }
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
        [&](const TensorPlace&) -> TorchValue { refuse_value(source, "has a tensor where only its name should be"); },
        [&](const pickle::Value& persistent)
        {
            const auto* id = persistent.arguments;
            const auto part = [&](std::size_t i) -> const pickle::Value& { return item_of(id, i, "", source); };
            const auto type = type_of_storage(part(2).text);
            if (!part(0).is_string("array") || !part(1).is_string() || !type)
            {
                refuse_value(source, "has a tensor of an unknown type");
            }
            return TorchValue::reference(id->items[1]->text, *type);
        }};
    return from_pickle(document.root(), source, reader);
}
}  // namespace paws::io

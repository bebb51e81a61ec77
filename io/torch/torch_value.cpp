#include "io/torch/torch_value.hpp"

#include <algorithm>
#include <utility>

namespace paws::io
{
namespace
{
using Kind = TorchValue::Kind;

template <class Value, class Matches>
Value* find_entry(Value& dict, Matches matches)
{
    if (!dict.is_dict())
    {
        return nullptr;
    }
    // The last one counts, as in Python.
    for (std::size_t i = dict.keys.size(); i-- > 0;)
    {
        if (matches(dict.keys[i]))
        {
            return &dict.items[i];
        }
    }
    return nullptr;
}

TorchValue made(Kind kind, auto set)
{
    TorchValue value;
    value.kind = kind;
    set(value);
    return value;
}
}  // namespace

TorchValue TorchValue::of(bool value)
{
    return made(Kind::boolean, [&](auto& made) { made.integer = value ? 1 : 0; });
}

TorchValue TorchValue::of(std::int64_t value)
{
    return made(Kind::integer, [&](auto& made) { made.integer = value; });
}

TorchValue TorchValue::of(double value)
{
    return made(Kind::real, [&](auto& made) { made.real = value; });
}

TorchValue TorchValue::of(std::string value)
{
    return made(Kind::text, [&](auto& made) { made.text = std::move(value); });
}

TorchValue TorchValue::of(TorchTensor value)
{
    return made(Kind::tensor, [&](auto& made) { made.tensor = std::move(value); });
}

TorchValue TorchValue::empty(Kind kind)
{
    return made(kind, [](auto&) {});
}

TorchValue TorchValue::reference(std::string name, TorchType type)
{
    return made(Kind::reference,
                [&](auto& made)
                {
                    made.text = std::move(name);
                    made.integer = static_cast<std::int64_t>(type);
                });
}

const TorchValue* TorchValue::find(std::string_view key) const
{
    return find_entry(*this, [&](const TorchValue& k) { return k.kind == Kind::text && k.text == key; });
}

const TorchValue* TorchValue::find(std::int64_t key) const
{
    return find_entry(*this, [&](const TorchValue& k) { return k.kind == Kind::integer && k.integer == key; });
}

TorchValue* TorchValue::find(std::string_view key)
{
    return find_entry(*this, [&](const TorchValue& k) { return k.kind == Kind::text && k.text == key; });
}

TorchValue& TorchValue::add(TorchValue key, TorchValue value)
{
    keys.push_back(std::move(key));
    return items.emplace_back(std::move(value));
}
}  // namespace paws::io

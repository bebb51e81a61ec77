#include "io/torch/published_progress.hpp"

#include <cmath>
#include <cstring>
#include <optional>
#include <sstream>

#include "io/base/error.hpp"

namespace paws::io
{
namespace
{
using Kind = TorchValue::Kind;

/// The first number of an array.
template <class Number>
Number first_of(const Array& array)
{
    Number number;
    std::memcpy(&number, array.bytes.data(), sizeof number);
    return number;
}

/// The same number as one of Python, if there is exactly one.
TorchValue plain(const Array& array)
{
    if (array.bytes.size() != element_size(array.type))
    {
        return {};
    }
    switch (array.type)
    {
        case ElementType::float32:
            return TorchValue::of(double{first_of<float>(array)});
        case ElementType::float64:
            return TorchValue::of(first_of<double>(array));
        case ElementType::int64:
            return TorchValue::of(first_of<std::int64_t>(array));
        case ElementType::uint8:
            return TorchValue::of(std::int64_t{first_of<std::uint8_t>(array)});
    }
    return {};
}

TorchValue plain(const TorchValue& value, const ArraysByName& arrays)
{
    if (value.kind == Kind::tensor)
    {
        return plain(widened(value.tensor));
    }
    if (value.kind == Kind::reference)
    {
        const auto found = arrays.find(value.text);
        return found == arrays.end() ? TorchValue() : plain(*found->second);
    }
    return value.kind == Kind::boolean ? TorchValue::of(value.integer) : value;
}

std::optional<double> number_of(const TorchValue& value, const ArraysByName& arrays)
{
    const TorchValue number = plain(value, arrays);
    return number.kind == Kind::real      ? std::optional(number.real)
           : number.kind == Kind::integer ? std::optional(static_cast<double>(number.integer))
                                          : std::nullopt;
}

std::optional<std::int64_t> whole_number_of(const TorchValue& value, const ArraysByName& arrays)
{
    const TorchValue number = plain(value, arrays);
    if (number.kind == Kind::integer)
    {
        return number.integer;
    }
    // Beyond, floating-point numbers are not next to each other.
    constexpr double most = 9007199254740992.0;
    const bool is_whole =
        number.kind == Kind::real && std::abs(number.real) <= most && number.real == std::trunc(number.real);
    return is_whole ? std::optional(static_cast<std::int64_t>(number.real)) : std::nullopt;
}

std::string in_words(const TorchValue& value, const ArraysByName& arrays)
{
    std::ostringstream words;
    if (const auto number = number_of(value, arrays))
    {
        words << *number;
        return words.str();
    }
    switch (value.kind)
    {
        case Kind::text:
        case Kind::bytes:
            return "text";
        case Kind::tensor:
        case Kind::reference:
            return "a tensor of several numbers";
        default:
            return "not a number";
    }
}

/// An entry of the dictionary; null also where it is None.
const TorchValue* entry(const TorchValue& root, const char* key)
{
    const TorchValue* const found = root.find(key);
    return found == nullptr || found->kind == Kind::none ? nullptr : found;
}
}  // namespace

PublishedProgress published_progress(const TorchValue& root, const std::string& source, const ArraysByName& arrays)
{
    PublishedProgress read;
    if (const auto* const epoch = entry(root, "epoch"))
    {
        const auto number = whole_number_of(*epoch, arrays);
        if (!number || *number < 0)
        {
            throw Error(source + ": its 'epoch' is " + in_words(*epoch, arrays) +
                        ", not a number of epochs; correct it with torch.load and torch.save");
        }
        read.progress.epoch = *number;
        read.has_epoch = true;
    }
    const auto say_unread = [&](const char* key)
    { read.notes.push_back(source + ": its '" + key + "' is not a number; it is kept, but not read"); };
    if (const auto* const loss = entry(root, "loss"))
    {
        if (const auto number = number_of(*loss, arrays))
        {
            read.progress.reals["loss"] = *number;
        }
        else
        {
            say_unread("loss");
        }
    }
    if (const auto* const world_size = entry(root, "world_size"))
    {
        if (const auto number = whole_number_of(*world_size, arrays))
        {
            read.progress.integers["world_size"] = *number;
        }
        else
        {
            say_unread("world_size");
        }
    }
    return read;
}
}  // namespace paws::io

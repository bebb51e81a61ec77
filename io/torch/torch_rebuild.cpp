#include "io/torch/torch_rebuild.hpp"

#include <algorithm>
#include <array>
#include <cctype>

#include "io/base/error.hpp"
#include "io/torch/torch_names.hpp"

namespace paws::io
{
namespace
{
using pickle::Value;

constexpr std::string_view tensor_v1 = "torch._utils _rebuild_tensor";
constexpr std::string_view tensor_v2 = "torch._utils _rebuild_tensor_v2";
constexpr std::string_view tensor_v3 = "torch._utils _rebuild_tensor_v3";
constexpr std::string_view parameter = "torch._utils _rebuild_parameter";
constexpr std::string_view parameter_with_state = "torch._utils _rebuild_parameter_with_state";
constexpr std::string_view from_type = "torch._tensor _rebuild_from_type";
constexpr std::string_view from_type_v2 = "torch._tensor _rebuild_from_type_v2";

std::string tensor_called(const std::string& name)
{
    return name.empty() ? "the tensor" : "the tensor '" + name + "'";
}

/// "torch.FloatStorage"
std::string dotted(std::string global)
{
    std::replace(global.begin(), global.end(), ' ', '.');
    return global;
}

/// Reads the arguments of one call.
class Call
{
public:
    Call(const Value& arguments, const std::string& name, const std::string& source)
        : arguments_(arguments), name_(name), source_(source)
    {
    }

    const Value& operator[](std::size_t i) const { return item_of(&arguments_, i, name_, source_); }

    void require_count(std::size_t least, std::size_t most) const
    {
        if (arguments_.kind != pickle::Kind::tuple || arguments_.items.size() < least)
        {
            refuse_value(source_, tensor_called(name_) + " is described incompletely");
        }
        if (arguments_.items.size() > most)
        {
            throw Error(source_ + ": " + tensor_called(name_) + " is described by " +
                        std::to_string(arguments_.items.size()) + " arguments where " + std::to_string(most) +
                        " are known; save it with an older version of PyTorch");
        }
    }

    std::uint64_t count(std::size_t i) const { return count_of((*this)[i]); }

    template <class Number>
    std::vector<Number> counts(std::size_t i) const
    {
        // A torch.Size, in which old versions wrote shapes, has the tuple as its argument.
        const Value& value = (*this)[i];
        const Value& numbers = value.kind == pickle::Kind::object ? item_of(value.arguments, 0, name_, source_) : value;
        constexpr std::size_t most_dimensions = 32;
        if ((numbers.kind != pickle::Kind::tuple && numbers.kind != pickle::Kind::list) ||
            numbers.items.size() > most_dimensions)
        {
            refuse_value(source_, tensor_called(name_) + " has an impossible shape");
        }
        std::vector<Number> counts;
        for (const Value* number : numbers.items)
        {
            counts.push_back(count_of(*number));
        }
        return counts;
    }

    /// Whether it wants a gradient, and hooks: neither changes its numbers, and torch.save keeps no hooks.
    void require_gradient_and_hooks(std::size_t i) const
    {
        const Value &gradient = (*this)[i], &hooks = (*this)[i + 1];
        const bool no_hooks = hooks.kind == pickle::Kind::none ||
                              (hooks.kind == pickle::Kind::object && hooks.callee->is_global(pickle::ordered_dict) &&
                               hooks.arguments->items.empty() && hooks.entries.empty());
        if (gradient.kind != pickle::Kind::boolean || !no_hooks)
        {
            refuse_value(source_, tensor_called(name_) + " has unknown settings of its gradient");
        }
    }

    /// Attributes that somebody gave it in Python; they are no part of its numbers.
    void require_attributes(std::size_t i) const
    {
        const pickle::Kind kind = (*this)[i].kind;
        if (kind != pickle::Kind::none && kind != pickle::Kind::dict && kind != pickle::Kind::tuple)
        {
            refuse_value(source_, tensor_called(name_) + " has unknown attributes");
        }
    }

    /// {'neg': True}: the numbers are to be taken with the other sign. PyTorch looks at the key alone and writes no
    /// other value.
    bool is_negated(std::size_t i) const
    {
        const Value& marks = (*this)[i];
        if (marks.kind != pickle::Kind::none && marks.kind != pickle::Kind::dict)
        {
            refuse_mark("something unknown");
        }
        for (const auto& [key, value] : marks.entries)
        {
            if (key->is_string("conj"))
            {
                throw Error(source_ + ": " + tensor_called(name_) +
                            " is a complex conjugate, which is not read here; save its real and imaginary parts");
            }
            if (!key->is_string("neg") || value->kind != pickle::Kind::boolean || value->integer == 0)
            {
                refuse_mark(key->is_string() ? key->text : "something unknown");
            }
        }
        return !marks.entries.empty();
    }

private:
    [[noreturn]] void refuse_mark(std::string mark) const
    {
        std::replace_if(
            mark.begin(), mark.end(), [](unsigned char c) { return c < ' '; }, '?');
        throw Error(source_ + ": " + tensor_called(name_) + " carries the mark '" + mark +
                    "', which is not known here and may change its numbers; save its clone()");
    }

    std::uint64_t count_of(const Value& value) const
    {
        if (value.kind != pickle::Kind::integer || value.integer < 0)
        {
            refuse_value(source_, tensor_called(name_) + " has an impossible size");
        }
        return static_cast<std::uint64_t>(value.integer);
    }

    const Value& arguments_;
    const std::string& name_;
    const std::string& source_;
};

[[noreturn]] void refuse_type(const std::string& type, const std::string& name, const std::string& source)
{
    throw Error(source + ": " + tensor_called(name) + " is of the type " + dotted(type) +
                ", which is not read here; save it as float32, or as int64 if its numbers are whole (Tensor.to)");
}

TensorPlace place_of(const Value& callee, const Value& arguments, const std::string& name, const std::string& source);

/// The tensor that a parameter, or a class, is made of.
TensorPlace inner_tensor(const Value& value, const std::string& name, const std::string& source)
{
    if (value.kind != pickle::Kind::object || !value.items.empty() || !value.entries.empty() || value.state != nullptr)
    {
        refuse_value(source, tensor_called(name) + " is made of something else than a tensor");
    }
    return place_of(*value.callee, *value.arguments, name, source);
}

TensorPlace place_of_typed(const Call& call, const std::string& name, const std::string& source)
{
    call.require_count(4, 4);
    const Value& type = call[1];
    if (!type.is_global("torch Tensor") && !type.is_global("torch.nn.parameter Parameter") &&
        !type.is_global("torch.nn.parameter Buffer"))
    {
        throw Error(source + ": " + tensor_called(name) +
                    " is of a class of its own, which is not read here; save it as a plain torch.Tensor");
    }
    call.require_attributes(3);
    return place_of(call[0], call[2], name, source);
}

TensorPlace place_of(const Value& callee, const Value& arguments, const std::string& name, const std::string& source)
{
    const Call call(arguments, name, source);
    if (const OtherTensor* const other = other_tensor(callee.text))
    {
        throw Error(source + ": " + tensor_called(name) + " " + other->what + ", which is not read here; " +
                    other->remedy);
    }
    if (callee.is_global(tensor_v3))
    {
        call.require_count(7, 8);
        refuse_type(call[6].kind == pickle::Kind::global ? call[6].text : "something unknown", name, source);
    }
    if (callee.is_global(parameter) || callee.is_global(parameter_with_state))
    {
        const bool has_state = callee.is_global(parameter_with_state);
        call.require_count(has_state ? 4 : 3, has_state ? 4 : 3);
        call.require_gradient_and_hooks(1);
        if (has_state)
        {
            call.require_attributes(3);
        }
        return inner_tensor(call[0], name, source);
    }
    if (callee.is_global(from_type) || callee.is_global(from_type_v2))
    {
        return place_of_typed(call, name, source);
    }
    if (!callee.is_global(tensor_v1) && !callee.is_global(tensor_v2))
    {
        refuse_value(source, tensor_called(name) + " is made by '" + dotted(callee.text) + "'");
    }
    const bool is_old = callee.is_global(tensor_v1);
    call.require_count(is_old ? 4 : 6, is_old ? 4 : 7);
    TensorPlace place = storage_of(call[0], name, source);
    place.offset = call.count(1);
    place.shape = call.counts<std::size_t>(2);
    place.strides = call.counts<std::uint64_t>(3);
    if (place.shape.size() != place.strides.size())
    {
        refuse_value(source, tensor_called(name) + " has an impossible shape");
    }
    if (!is_old)
    {
        call.require_gradient_and_hooks(4);
        place.negated = arguments.items.size() > 6 && call.is_negated(6);
    }
    if (place.negated && place.type == TorchType::boolean)
    {
        refuse_value(source, tensor_called(name) + " holds truth values with a sign");
    }
    return place;
}
}  // namespace

void refuse_value(const std::string& source, const std::string& what)
{
    throw Error(source + ": " + what + "; it is damaged, or not a checkpoint that can be read here");
}

bool is_tensor_call(const Value& value)
{
    if (value.kind != pickle::Kind::object)
    {
        return false;
    }
    const auto& name = value.callee->text;
    constexpr std::array<std::string_view, 7> known = {
        tensor_v1, tensor_v2, tensor_v3, parameter, parameter_with_state, from_type, from_type_v2};
    return std::find(known.begin(), known.end(), name) != known.end() || other_tensor(name) != nullptr;
}

TensorPlace place_of_tensor(const Value& call, const std::string& name, const std::string& source)
{
    return inner_tensor(call, name, source);
}

TensorPlace storage_of(const Value& persistent, const std::string& name, const std::string& source)
{
    constexpr std::string_view module = "torch ";
    const auto* id = persistent.kind == pickle::Kind::persistent ? persistent.arguments : nullptr;
    const auto& type = item_of(id, 1, name, source);
    const auto& key = item_of(id, 2, name, source);
    const auto& place_of_storage = item_of(id, 3, name, source);
    if (!item_of(id, 0, name, source).is_string("storage") || type.kind != pickle::Kind::global || !key.is_string() ||
        !place_of_storage.is_string() || id->items.size() > 6)
    {
        refuse_value(source, tensor_called(name) + " has a storage of an unknown kind");
    }
    if (!type.text.starts_with(module) || !type_of_storage(type.text.substr(module.size())))
    {
        refuse_type(type.text, name, source);
    }
    // Part of a file's name in the archive, and of messages.
    if (!std::all_of(key.text.begin(), key.text.end(), [](unsigned char c) { return std::isalnum(c) || c == '_'; }))
    {
        refuse_value(source, tensor_called(name) + " has a storage with an impossible name");
    }
    // Before PyTorch 0.4, a storage could be a part of another one.
    if (id->items.size() > 5 && id->items[5]->kind != pickle::Kind::none)
    {
        throw Error(source + ": was written by a very old version of PyTorch; load and save it again with a newer one");
    }
    const auto& elements = item_of(id, 4, name, source);
    if (elements.kind != pickle::Kind::integer || elements.integer < 0)
    {
        refuse_value(source, tensor_called(name) + " has an impossible size");
    }
    TensorPlace place;
    place.name = name;
    place.type = *type_of_storage(type.text.substr(module.size()));
    place.storage = key.text;
    place.elements = static_cast<std::uint64_t>(elements.integer);
    return place;
}

const Value& item_of(const Value* tuple, std::size_t i, const std::string& name, const std::string& source)
{
    if (tuple == nullptr || tuple->kind != pickle::Kind::tuple || i >= tuple->items.size())
    {
        refuse_value(source, tensor_called(name) + " is described incompletely");
    }
    return *tuple->items[i];
}
}  // namespace paws::io

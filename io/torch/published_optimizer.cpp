#include "io/torch/published_optimizer.hpp"

#include <algorithm>
#include <map>

namespace paws::io
{
namespace
{
using Kind = TorchValue::Kind;

TorchValue parameter_numbers(std::size_t first, std::size_t end)
{
    auto numbers = TorchValue::empty(Kind::list);
    for (std::size_t i = first; i < end; ++i)
    {
        numbers.items.push_back(TorchValue::of(static_cast<std::int64_t>(i)));
    }
    return numbers;
}

bool are_numbers(const std::vector<TorchValue>& values)
{
    return std::all_of(values.begin(), values.end(),
                       [](const TorchValue& value) { return value.kind == Kind::integer; });
}

/// The numbers in each of the groups, one after another; nothing where something else than a number is among them.
std::optional<std::vector<std::vector<std::int64_t>>> numbers_of_groups(const TorchValue& optimizer)
{
    std::vector<std::vector<std::int64_t>> groups;
    const TorchValue* const list = optimizer.find("param_groups");
    for (const auto& group : list == nullptr ? std::vector<TorchValue>() : list->items)
    {
        auto& numbers = groups.emplace_back();
        if (const auto* parameters = group.find("params"))
        {
            if (!are_numbers(parameters->items))
            {
                return std::nullopt;
            }
            std::transform(parameters->items.begin(), parameters->items.end(), std::back_inserter(numbers),
                           [](const TorchValue& number) { return number.integer; });
        }
    }
    return groups;
}

/// Whether momentum of a parameter can be kept in such a tensor.
bool is_momentum(const TorchTensor& tensor, const std::vector<std::size_t>& shape)
{
    const ElementType wide = widened({tensor.type, {}, {}}).type;
    return tensor.shape == shape && (wide == ElementType::float32 || wide == ElementType::float64);
}
}  // namespace

Numbering numbered(const std::vector<std::string>& parameters, const PublishedRules& rules)
{
    Numbering numbering{parameters, 0};
    const auto second = std::stable_partition(numbering.names.begin(), numbering.names.end(),
                                              [&](const std::string& name) { return !rules.excluded(name); });
    numbering.first_group = static_cast<std::size_t>(second - numbering.names.begin());
    return numbering;
}

std::vector<std::string> parameter_names(const NamedArrays& encoder)
{
    std::vector<std::string> names;
    for (const auto& [name, array] : encoder)
    {
        if (!name.ends_with("running_mean") && !name.ends_with("running_var") && !name.ends_with("num_batches_tracked"))
        {
            names.push_back(name);
        }
    }
    return names;
}

TorchValue published_optimizer(const NamedArrays& momentum, const Numbering& numbering,
                               const PublishedSettings& settings)
{
    std::map<std::string, TorchType> types;
    for (const auto& [name, array] : momentum)
    {
        types[name] = torch_type(array.type);
    }
    auto state = TorchValue::empty(Kind::dict);
    for (std::size_t i = 0; i < numbering.names.size(); ++i)
    {
        if (const auto found = types.find(numbering.names[i]); found != types.end())
        {
            auto& entry = state.add(TorchValue::of(static_cast<std::int64_t>(i)), TorchValue::empty(Kind::dict));
            entry.add(TorchValue::of("momentum_buffer"),
                      TorchValue::reference("momentum/" + found->first, found->second));
        }
    }
    const auto group = [&](bool excluded, std::size_t first, std::size_t end)
    {
        auto entries = TorchValue::empty(Kind::dict);
        if (excluded)
        {
            entries.add(TorchValue::of("LARS_exclude"), TorchValue::of(true));
        }
        entries.add(TorchValue::of("weight_decay"),
                    excluded ? TorchValue::of(std::int64_t{0}) : TorchValue::of(settings.weight_decay));
        entries.add(TorchValue::of("lr"), TorchValue::of(settings.lr));
        entries.add(TorchValue::of("momentum"), TorchValue::of(settings.momentum));
        entries.add(TorchValue::of("nesterov"), TorchValue::of(settings.nesterov));
        entries.add(TorchValue::of("params"), parameter_numbers(first, end));
        return entries;
    };
    auto groups = TorchValue::empty(Kind::list);
    groups.items.push_back(group(false, 0, numbering.first_group));
    groups.items.push_back(group(true, numbering.first_group, numbering.names.size()));
    auto optimizer = TorchValue::empty(Kind::dict);
    optimizer.add(TorchValue::of("state"), std::move(state));
    optimizer.add(TorchValue::of("param_groups"), std::move(groups));
    return optimizer;
}

std::optional<Buffers> momentum_buffers(TorchValue& optimizer, const Numbering& numbering, const NamedArrays& encoder)
{
    const auto groups = numbers_of_groups(optimizer);
    TorchValue* const state = optimizer.find("state");
    if (!groups || groups->size() != 2 || groups->at(0).size() != numbering.first_group ||
        groups->at(0).size() + groups->at(1).size() != numbering.names.size() || state == nullptr ||
        !are_numbers(state->keys))
    {
        return std::nullopt;
    }
    std::map<std::string, const std::vector<std::size_t>*> shapes;
    for (const auto& [name, array] : encoder)
    {
        shapes[name] = &array.shape;
    }
    std::map<std::int64_t, TorchValue*> states;
    for (std::size_t i = 0; i < state->keys.size(); ++i)
    {
        states[state->keys[i].integer] = &state->items[i];
    }
    Buffers buffers;
    for (std::size_t i = 0; i < numbering.names.size(); ++i)
    {
        const auto& first = groups->at(0);
        const auto number = i < first.size() ? first[i] : groups->at(1)[i - first.size()];
        // Taken out: two parameters cannot have the same.
        const auto found = states.extract(number);
        TorchValue* buffer = found ? found.mapped()->find("momentum_buffer") : nullptr;
        buffer = buffer != nullptr && buffer->kind != Kind::none ? buffer : nullptr;
        const auto shape = shapes.find(numbering.names[i]);
        if (buffer != nullptr &&
            (shape == shapes.end() || buffer->kind != Kind::tensor || !is_momentum(buffer->tensor, *shape->second)))
        {
            return std::nullopt;
        }
        buffers.emplace_back(numbering.names[i], buffer);
    }
    return states.empty() ? std::optional(std::move(buffers)) : std::nullopt;
}
}  // namespace paws::io

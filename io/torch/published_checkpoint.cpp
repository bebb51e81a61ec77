#include "io/torch/published_checkpoint.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "io/base/error.hpp"
#include "io/torch/published_optimizer.hpp"
#include "io/torch/published_own.hpp"
#include "io/torch/published_progress.hpp"
#include "io/torch/torch_pickle.hpp"

namespace paws::io
{
namespace
{
using Kind = TorchValue::Kind;

const std::string module_prefix = "module.";

// Which arrays references name, before the slash.
const std::string encoder_part = "encoder/";
const std::string momentum_part = "momentum/";
const std::string other_part = "other/";

[[noreturn]] void refuse_published(const std::string& source, const std::string& what)
{
    throw Error(source + ": " + what);
}

bool holds_tensors(const TorchValue& value)
{
    return value.is_dict() && std::any_of(value.items.begin(), value.items.end(),
                                          [](const TorchValue& item) { return item.kind == Kind::tensor; });
}

/// The dict of the weights.
TorchValue& find_weights(TorchValue& root, const std::string& source)
{
    for (const char* key : {"encoder", "state_dict", "model_state_dict", "model"})
    {
        if (TorchValue* const found = root.find(key); found != nullptr && holds_tensors(*found))
        {
            return *found;
        }
    }
    if (!holds_tensors(root))
    {
        refuse_published(source,
                         "holds no weights: neither under 'encoder', 'state_dict' or 'model' nor by themselves; give a "
                         "checkpoint or the state_dict of a network");
    }
    return root;
}

/// What DistributedDataParallel and torch.compile put in front of all names.
std::size_t prefix_length(const TorchValue& weights)
{
    std::size_t length = 0;
    for (bool longer = true; longer;)
    {
        longer = false;
        for (const std::string& prefix : {module_prefix, std::string("_orig_mod.")})
        {
            const bool all =
                std::all_of(weights.keys.begin(), weights.keys.end(),
                            [&](const TorchValue& key)
                            { return key.text.size() > length && key.text.substr(length).starts_with(prefix); });
            if (all && !weights.keys.empty())
            {
                length += prefix.size();
                longer = true;
            }
        }
    }
    return length;
}

/// Puts the array that a tensor makes at the end of `arrays`, and a reference in the tensor's place.
void take(TorchValue& value, const std::string& part, const std::string& name, NamedArrays& arrays)
{
    const TorchType type = value.tensor.type;
    arrays.emplace_back(name, widened(std::move(value.tensor)));
    value = TorchValue::reference(part + name, type);
}

void take_weights(TorchValue& weights, NamedArrays& encoder, const std::string& source)
{
    const std::size_t prefix = prefix_length(weights);
    std::set<std::string> names;
    for (std::size_t i = 0; i < weights.keys.size(); ++i)
    {
        if (weights.items[i].kind != Kind::tensor)
        {
            continue;
        }
        const TorchValue& key = weights.keys[i];
        const std::string name = key.text.substr(std::min(prefix, key.text.size()));
        const bool is_name = std::all_of(name.begin(), name.end(), [](unsigned char c) { return c >= ' '; });
        if (key.kind != Kind::text || name.empty() || !is_name || !names.insert(name).second)
        {
            refuse_published(source, "has weights without a name of their own; give the state_dict of a network");
        }
        take(weights.items[i], encoder_part, name, encoder);
    }
}

void take_others(TorchValue& value, NamedArrays& others)
{
    if (value.kind == Kind::tensor)
    {
        take(value, other_part, std::to_string(others.size()), others);
    }
    for (auto* values : {&value.keys, &value.items, &value.state})
    {
        for (auto& one : *values)
        {
            take_others(one, others);
        }
    }
}

Array zeros_like(const Array& array)
{
    return {array.type, array.shape, std::vector<std::byte>(array.bytes.size())};
}

/// Momentum in the order of the network; what has none yet has zeros, with which SGD begins.
void take_momentum(const Buffers& buffers, const std::vector<std::string>& order, Checkpoint& checkpoint)
{
    std::map<std::string, TorchValue*> by_name(buffers.begin(), buffers.end());
    std::map<std::string, const Array*> weights;
    for (const auto& [name, array] : checkpoint.encoder)
    {
        weights[name] = &array;
    }
    for (const std::string& name : order)
    {
        if (TorchValue* const buffer = by_name.at(name))
        {
            take(*buffer, momentum_part, name, checkpoint.momentum);
        }
        else
        {
            checkpoint.momentum.emplace_back(name, zeros_like(*weights.at(name)));
        }
    }
}

std::vector<std::string> names_of(const NamedArrays& arrays)
{
    std::vector<std::string> names;
    for (const auto& [name, array] : arrays)
    {
        names.push_back(name);
    }
    return names;
}

/// The dictionary of a checkpoint that never was one of PyTorch, with references for tensors and without our key.
TorchValue published_layout(const Checkpoint& checkpoint, const PublishedRules& rules)
{
    const auto settings = rules.settings(checkpoint.config);
    const Progress& progress = checkpoint.progress;
    auto root = TorchValue::empty(Kind::dict);
    auto& encoder = root.add(TorchValue::of("encoder"), TorchValue::empty(Kind::ordered));
    for (const auto& [name, array] : checkpoint.encoder)
    {
        encoder.add(TorchValue::of(module_prefix + name),
                    TorchValue::reference(encoder_part + name, torch_type(array.type)));
    }
    const auto trained =
        checkpoint.momentum.empty() ? parameter_names(checkpoint.encoder) : names_of(checkpoint.momentum);
    root.add(TorchValue::of("opt"), published_optimizer(checkpoint.momentum, numbered(trained, rules), settings));
    root.add(TorchValue::of("epoch"), TorchValue::of(progress.epoch));
    root.add(TorchValue::of("unlabel_prob"), TorchValue::of(settings.unlabel_prob));
    const auto loss = progress.reals.find("loss");
    root.add(TorchValue::of("loss"), TorchValue::of(loss == progress.reals.end() ? 0 : loss->second));
    root.add(TorchValue::of("s_batch_size"), TorchValue::of(settings.s_batch_size));
    root.add(TorchValue::of("u_batch_size"), TorchValue::of(settings.u_batch_size));
    const auto world_size = progress.integers.find("world_size");
    root.add(TorchValue::of("world_size"),
             TorchValue::of(world_size == progress.integers.end() ? std::int64_t{1} : world_size->second));
    root.add(TorchValue::of("lr"), TorchValue::of(settings.lr));
    root.add(TorchValue::of("temperature"), TorchValue::of(settings.temperature));
    return root;
}

/// Puts tensors in the places of references.
void fill(TorchValue& value, const ArraysByName& arrays, const std::string& source)
{
    if (value.kind == Kind::reference)
    {
        const auto found = arrays.find(value.text);
        const auto type = static_cast<TorchType>(value.integer);
        if (found == arrays.end() || found->second->type != widened({type, {}, {}}).type)
        {
            refuse_published(source,
                             "lacks the array '" + value.text + "' of the checkpoint that it was; convert that again");
        }
        value = TorchValue::of(narrowed(*found->second, type));
        return;
    }
    for (auto* values : {&value.keys, &value.items, &value.state})
    {
        for (auto& one : *values)
        {
            fill(one, arrays, source);
        }
    }
}
}  // namespace

ReadCheckpoint from_published(TorchValue root, const std::string& source, const PublishedRules& rules)
{
    ReadCheckpoint read;
    Checkpoint& checkpoint = read.checkpoint;
    take_weights(find_weights(root, source), checkpoint.encoder, source);
    const TorchValue* const own = root.find(our_key);
    ArraysByName weights;
    for (const auto& [name, array] : checkpoint.encoder)
    {
        weights[encoder_part + name] = &array;
    }
    auto progress = published_progress(root, source, weights);
    checkpoint.progress = std::move(progress.progress);
    read.notes = std::move(progress.notes);
    if (TorchValue* const optimizer = root.find("opt"))
    {
        const auto trained = trained_names(own, checkpoint.encoder, source);
        const auto buffers = momentum_buffers(*optimizer, numbered(trained, rules), checkpoint.encoder);
        const bool has_momentum =
            buffers && std::any_of(buffers->begin(), buffers->end(), [](const auto& entry) { return entry.second; });
        if (has_momentum && progress.has_epoch)
        {
            take_momentum(*buffers, trained, checkpoint);
        }
        else if (has_momentum || !buffers)
        {
            read.notes.push_back(source +
                                 (buffers ? ": does not say after how many epochs ('epoch') it was saved"
                                          : ": the optimiser's state is not that of the weights") +
                                 "; it is kept, but training cannot resume from it");
        }
    }
    if (own != nullptr)
    {
        read_own(*own, checkpoint, source);
        remove_own(root);
    }
    take_others(root, checkpoint.pytorch.tensors);
    checkpoint.pytorch.structure = pickled_structure(root);
    if (own != nullptr && checkpoint.pytorch.tensors.empty() &&
        checkpoint.pytorch.structure == pickled_structure(published_layout(checkpoint, rules)))
    {
        checkpoint.pytorch.structure.clear();
    }
    return read;
}

TorchValue to_published(const Checkpoint& checkpoint, const std::string& source, const PublishedRules& rules)
{
    ArraysByName arrays;
    for (const auto& [part, named] :
         {std::pair{&encoder_part, &checkpoint.encoder}, std::pair{&momentum_part, &checkpoint.momentum},
          std::pair{&other_part, &checkpoint.pytorch.tensors}})
    {
        for (const auto& [name, array] : *named)
        {
            arrays[*part + name] = &array;
        }
    }
    const bool was_published = !checkpoint.pytorch.structure.empty();
    auto root =
        was_published ? read_structure(checkpoint.pytorch.structure, source) : published_layout(checkpoint, rules);
    const bool names_momentum =
        !checkpoint.momentum.empty() && names_of(checkpoint.momentum) != parameter_names(checkpoint.encoder);
    if (!was_published || names_momentum || published_progress(root, source, arrays).progress != checkpoint.progress ||
        !checkpoint.config.empty())
    {
        root.add(TorchValue::of(our_key), own_part(checkpoint, names_momentum));
    }
    fill(root, arrays, source);
    return root;
}
}  // namespace paws::io

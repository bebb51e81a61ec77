#include "io/published_checkpoint.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "io/error.hpp"
#include "io/published_optimizer.hpp"
#include "io/torch_pickle.hpp"

namespace paws::io
{
namespace
{
using Kind = TorchValue::Kind;

constexpr const char* our_key = "paws_hpc";
constexpr std::int64_t our_version = 1;
const std::string module_prefix = "module.";

// Which arrays references name, before the slash.
const std::string encoder_part = "encoder/";
const std::string momentum_part = "momentum/";
const std::string other_part = "other/";

[[noreturn]] void refuse(const std::string& source, const std::string& what)
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
        refuse(source,
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
            refuse(source, "has weights without a name of their own; give the state_dict of a network");
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

std::int64_t integer_or(const TorchValue* value, std::int64_t otherwise)
{
    return value != nullptr && value->kind == Kind::integer ? value->integer : otherwise;
}

/// What the published keys say.
Progress published_progress(const TorchValue& root)
{
    Progress progress;
    progress.epoch = std::max<std::int64_t>(0, integer_or(root.find("epoch"), 0));
    if (const auto* loss = root.find("loss"); loss != nullptr && loss->is_number())
    {
        progress.reals["loss"] = loss->kind == Kind::real ? loss->real : static_cast<double>(loss->integer);
    }
    if (const auto* world_size = root.find("world_size"); world_size != nullptr && world_size->kind == Kind::integer)
    {
        progress.integers["world_size"] = world_size->integer;
    }
    return progress;
}

/// What stands under our own key.
void read_own(const TorchValue& own, Checkpoint& checkpoint, const std::string& source)
{
    if (const auto version = integer_or(own.find("version"), 0); version != our_version)
    {
        refuse(source, "its part 'paws_hpc' is of version " + std::to_string(version) +
                           ", this program reads version 1; use a newer paws_hpc");
    }
    Progress& progress = checkpoint.progress;
    progress.iteration = integer_or(own.find("iteration"), 0);
    const auto read = [&](const char* key, Kind kind, auto& into, auto member)
    {
        into.clear();
        const auto* values = own.find(key);
        for (std::size_t i = 0; values != nullptr && i < values->keys.size(); ++i)
        {
            if (values->keys[i].kind != Kind::text || values->items[i].kind != kind)
            {
                refuse(source, std::string("its part 'paws_hpc' has something else than expected under '") + key +
                                   "'; convert the original again");
            }
            into[values->keys[i].text] = values->items[i].*member;
        }
    };
    read("integers", Kind::integer, progress.integers, &TorchValue::integer);
    read("reals", Kind::real, progress.reals, &TorchValue::real);
    read("texts", Kind::text, progress.texts, &TorchValue::text);
    if (const auto* config = own.find("config"); config != nullptr)
    {
        checkpoint.config = config->text;
    }
}

TorchValue own_part(const Checkpoint& checkpoint, bool names_momentum)
{
    auto own = TorchValue::empty(Kind::dict);
    own.add(TorchValue::of("version"), TorchValue::of(our_version));
    own.add(TorchValue::of("iteration"), TorchValue::of(checkpoint.progress.iteration));
    const auto write = [&](const char* key, const auto& values)
    {
        auto& dict = own.add(TorchValue::of(key), TorchValue::empty(Kind::dict));
        for (const auto& [name, value] : values)
        {
            dict.add(TorchValue::of(name), TorchValue::of(value));
        }
    };
    write("integers", checkpoint.progress.integers);
    write("reals", checkpoint.progress.reals);
    write("texts", checkpoint.progress.texts);
    own.add(TorchValue::of("config"), TorchValue::of(checkpoint.config));
    if (names_momentum)
    {
        auto& names = own.add(TorchValue::of("momentum"), TorchValue::empty(Kind::list));
        for (const auto& [name, array] : checkpoint.momentum)
        {
            names.items.push_back(TorchValue::of(name));
        }
    }
    return own;
}

/// The names of the trained parameters, if they are not all of the encoder's.
std::vector<std::string> trained_names(const TorchValue* own, const NamedArrays& encoder)
{
    std::vector<std::string> names;
    if (const auto* list = own == nullptr ? nullptr : own->find("momentum"))
    {
        for (const auto& name : list->items)
        {
            names.push_back(name.text);
        }
        return names;
    }
    return parameter_names(encoder);
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

void remove_own(TorchValue& root)
{
    for (std::size_t i = root.keys.size(); i-- > 0;)
    {
        if (root.keys[i].kind == Kind::text && root.keys[i].text == our_key)
        {
            root.keys.erase(root.keys.begin() + static_cast<std::ptrdiff_t>(i));
            root.items.erase(root.items.begin() + static_cast<std::ptrdiff_t>(i));
        }
    }
}

/// Puts tensors in the places of references.
void fill(TorchValue& value, const std::map<std::string, const Array*>& arrays, const std::string& source)
{
    if (value.kind == Kind::reference)
    {
        const auto found = arrays.find(value.text);
        const auto type = static_cast<TorchType>(value.integer);
        if (found == arrays.end() || found->second->type != widened({type, {}, {}}).type)
        {
            refuse(source, "lacks the array '" + value.text + "' of the checkpoint that it was; convert that again");
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
    if (TorchValue* const optimizer = root.find("opt"))
    {
        const auto trained = trained_names(own, checkpoint.encoder);
        if (const auto buffers = momentum_buffers(*optimizer, numbered(trained, rules), checkpoint.encoder))
        {
            if (std::any_of(buffers->begin(), buffers->end(), [](const auto& entry) { return entry.second; }))
            {
                take_momentum(*buffers, trained, checkpoint);
            }
        }
        else
        {
            read.notes.push_back(source +
                                 ": the optimiser's state is not that of the weights; it is kept, but training "
                                 "cannot go on from it");
        }
    }
    checkpoint.progress = published_progress(root);
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
    const bool was_published = !checkpoint.pytorch.structure.empty();
    auto root =
        was_published ? read_structure(checkpoint.pytorch.structure, source) : published_layout(checkpoint, rules);
    const bool names_momentum =
        !checkpoint.momentum.empty() && names_of(checkpoint.momentum) != parameter_names(checkpoint.encoder);
    if (!was_published || names_momentum || published_progress(root) != checkpoint.progress ||
        !checkpoint.config.empty())
    {
        root.add(TorchValue::of(our_key), own_part(checkpoint, names_momentum));
    }
    std::map<std::string, const Array*> arrays;
    for (const auto& [part, named] :
         {std::pair{&encoder_part, &checkpoint.encoder}, std::pair{&momentum_part, &checkpoint.momentum},
          std::pair{&other_part, &checkpoint.pytorch.tensors}})
    {
        for (const auto& [name, array] : *named)
        {
            arrays[*part + name] = &array;
        }
    }
    fill(root, arrays, source);
    return root;
}
}  // namespace paws::io

#include "io/torch/published_own.hpp"

#include <set>

#include "io/base/error.hpp"
#include "io/torch/published_optimizer.hpp"

namespace paws::io
{
namespace
{
using Kind = TorchValue::Kind;

constexpr std::int64_t our_version = 1;

[[noreturn]] void refuse_own_part(const std::string& source, const std::string& what)
{
    throw Error(source + ": " + what);
}
}  // namespace

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

void read_own(const TorchValue& own, Checkpoint& checkpoint, const std::string& source)
{
    const auto refuse_entry = [&](const char* key)
    {
        refuse_own_part(source, std::string("its part 'paws_hpc' has something else than expected under '") + key +
                                    "'; convert the original again");
    };
    const auto entry = [&](const char* key, Kind kind) -> const TorchValue&
    {
        const auto* const found = own.find(key);
        if (found == nullptr || found->kind != kind)
        {
            refuse_entry(key);
        }
        return *found;
    };
    if (const auto version = entry("version", Kind::integer).integer; version != our_version)
    {
        refuse_own_part(source, "its part 'paws_hpc' is of version " + std::to_string(version) +
                                    ", this program reads version 1; use a newer paws_hpc");
    }
    Progress& progress = checkpoint.progress;
    progress.iteration = entry("iteration", Kind::integer).integer;
    const auto read = [&](const char* key, Kind kind, auto& into, auto member)
    {
        into.clear();
        const TorchValue& values = entry(key, Kind::dict);
        for (std::size_t i = 0; i < values.keys.size(); ++i)
        {
            if (values.keys[i].kind != Kind::text || values.items[i].kind != kind)
            {
                refuse_entry(key);
            }
            into[values.keys[i].text] = values.items[i].*member;
        }
    };
    read("integers", Kind::integer, progress.integers, &TorchValue::integer);
    read("reals", Kind::real, progress.reals, &TorchValue::real);
    read("texts", Kind::text, progress.texts, &TorchValue::text);
    checkpoint.config = entry("config", Kind::text).text;
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

std::vector<std::string> trained_names(const TorchValue* own, const NamedArrays& encoder, const std::string& source)
{
    const auto* const list = own == nullptr ? nullptr : own->find("momentum");
    if (list == nullptr)
    {
        return parameter_names(encoder);
    }
    std::set<std::string> known;
    for (const auto& [name, array] : encoder)
    {
        known.insert(name);
    }
    std::vector<std::string> names;
    for (const auto& name : list->items)
    {
        // Taken out, so that none comes twice.
        if (name.kind != Kind::text || known.erase(name.text) == 0)
        {
            refuse_own_part(
                source, "its part 'paws_hpc' names momentum that belongs to no weights; convert the original again");
        }
        names.push_back(name.text);
    }
    return names;
}
}  // namespace paws::io

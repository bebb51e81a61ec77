#include "io/torch_legacy.hpp"

#include <cstring>
#include <map>

#include "io/error.hpp"
#include "io/torch_storage.hpp"

namespace paws::io
{
namespace
{
/// A pickle of the number 0x1950a86a20f9469cfc6c.
constexpr std::string_view beginning("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.", 15);
constexpr std::int64_t known_version = 1001;

[[noreturn]] void refuse(const std::string& source, const std::string& what)
{
    throw Error(source + ": " + what + "; load and save it again with PyTorch 1.6 or newer");
}

std::uint64_t take_count(std::string_view& bytes, const std::string& source)
{
    std::uint64_t count = 0;
    if (bytes.size() < sizeof count)
    {
        throw Error(source + ": is cut off; take another copy");
    }
    std::memcpy(&count, bytes.data(), sizeof count);
    bytes.remove_prefix(sizeof count);
    return count;
}

/// The bytes of the storages by their keys; `document` says how large the elements of each are.
std::map<std::string, std::string_view> find_storages(const pickle::Document& document, const pickle::Value& keys,
                                                      std::string_view bytes, const std::string& source)
{
    std::map<std::string, std::size_t> element_sizes;
    for (const auto& value : document.values())
    {
        if (value.kind == pickle::Kind::persistent)
        {
            const TensorPlace place = storage_of(value, source);
            element_sizes[place.storage] = element_size(place.type);
        }
    }
    std::map<std::string, std::string_view> storages;
    for (const auto* key : keys.items)
    {
        const auto size = element_sizes.find(key->text);
        if (size == element_sizes.end())
        {
            refuse(source, "has a storage that no tensor uses");
        }
        const std::uint64_t count = take_count(bytes, source);
        if (count > bytes.size() / size->second)
        {
            throw Error(source + ": is cut off; take another copy");
        }
        storages[key->text] = bytes.substr(0, count * size->second);
        bytes.remove_prefix(count * size->second);
    }
    return storages;
}
}  // namespace

bool is_legacy_torch(std::string_view bytes)
{
    return bytes.starts_with(beginning);
}

TorchValue read_legacy_torch(const std::string& bytes, const std::string& source)
{
    std::string_view left = std::string_view(bytes).substr(beginning.size());
    const auto version = pickle::read_first(left, {}, source);
    if (version.root().integer != known_version)
    {
        refuse(source, "is of an unknown version of PyTorch's old format");
    }
    const auto machine = pickle::read_first(left, {}, source);
    if (const auto* little_endian = machine.root().find("little_endian"); little_endian && little_endian->integer == 0)
    {
        refuse(source, "was written by a big-endian machine");
    }
    const auto document = pickle::read_first(left, torch_globals(), source);
    const auto keys = pickle::read_first(left, {}, source);
    const auto storages = find_storages(document, keys.root(), left, source);
    TensorMaker maker(source, bytes.size(),
                      [&](const TensorPlace& place)
                      {
                          const auto found = storages.find(place.storage);
                          if (found == storages.end())
                          {
                              throw Error(source + ": lacks its storage '" + place.storage + "'; take another copy");
                          }
                          const auto storage = std::as_bytes(std::span(found->second));
                          return std::vector<std::byte>(storage.begin(), storage.end());
                      });
    const TorchReader reader{[&](const TensorPlace& place) { return TorchValue::of(maker.make(place)); },
                             [&](const pickle::Value&) -> TorchValue
                             { refuse(source, "holds a storage without a tensor"); }};
    return from_pickle(document.root(), source, reader);
}
}  // namespace paws::io

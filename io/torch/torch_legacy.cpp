#include "io/torch/torch_legacy.hpp"

#include <cstring>
#include <map>

#include "io/base/error.hpp"
#include "io/torch/torch_storage.hpp"

namespace paws::io
{
namespace
{
/// The number 0x1950a86a20f9469cfc6c, as a pickle has it after its protocol (and its frame, from protocol 4 on).
constexpr std::string_view magic("\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.", 13);
constexpr std::int64_t known_version = 1001;

/// Bytes of the pickle of that number at the front; 0 if it is not there.
std::size_t length_of_magic(std::string_view bytes)
{
    constexpr char protocol = '\x80', frame = '\x95';
    constexpr std::size_t frame_size = 9;
    std::size_t length = 2;
    if (bytes.size() < length || bytes[0] != protocol || bytes[1] < 2 || bytes[1] > 5)
    {
        return 0;
    }
    if (bytes.size() > length && bytes[length] == frame)
    {
        length += frame_size;
    }
    return bytes.size() >= length && bytes.substr(length).starts_with(magic) ? length + magic.size() : 0;
}

[[noreturn]] void refuse_legacy(const std::string& source, const std::string& what)
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
            const TensorPlace place = storage_of(value, "", source);
            const auto [known, is_new] = element_sizes.emplace(place.storage, element_size(place.type));
            if (!is_new && known->second != element_size(place.type))
            {
                refuse_legacy(source, "has tensors of different types in one storage");
            }
        }
    }
    std::map<std::string, std::string_view> storages;
    for (const auto* key : keys.items)
    {
        const auto size = element_sizes.find(key->text);
        if (size == element_sizes.end())
        {
            refuse_legacy(source, "has a storage that no tensor uses");
        }
        const std::uint64_t count = take_count(bytes, source);
        if (count > bytes.size() / size->second)
        {
            throw Error(source + ": is cut off; take another copy");
        }
        if (!storages.emplace(key->text, bytes.substr(0, count * size->second)).second)
        {
            refuse_legacy(source, "has two storages of one name");
        }
        bytes.remove_prefix(count * size->second);
    }
    return storages;
}
}  // namespace

bool is_legacy_torch(std::string_view bytes)
{
    return length_of_magic(bytes) > 0;
}

TorchValue read_legacy_torch(const std::string& bytes, const std::string& source)
{
    std::string_view left = std::string_view(bytes).substr(length_of_magic(bytes));
    const auto version = pickle::read_first(left, {}, source);
    if (version.root().integer != known_version)
    {
        refuse_legacy(source, "is of an unknown version of PyTorch's old format");
    }
    const auto machine = pickle::read_first(left, {}, source);
    if (const auto* little_endian = machine.root().find("little_endian"); little_endian && little_endian->integer == 0)
    {
        refuse_legacy(source, "was written by a big-endian machine");
    }
    const auto document = read_torch_pickle(left, source);
    const auto keys = pickle::read_first(left, {}, source);
    std::map<std::string, std::string_view> storages;
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
    // First, since it names the tensors that it refuses.
    plan_tensors(document.root(), source, maker);
    storages = find_storages(document, keys.root(), left, source);
    return make_value(document.root(), source, maker);
}
}  // namespace paws::io

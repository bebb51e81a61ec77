#include "io/checkpoint/checkpoint_file.hpp"

#include <algorithm>
#include <bit>
#include <map>
#include <set>
#include <tuple>

#include "io/base/error.hpp"
#include "io/files/checksum.hpp"
#include "io/hdf5/format.hpp"
#include "io/hdf5/stored_checksum.hpp"

namespace paws::io
{
namespace
{
const std::string encoder_group = "encoder";
const std::string momentum_group = "optimizer/momentum";
const std::string pytorch_group = "pytorch";
const std::string structure_dataset = "structure";
const std::string tensors_group = pytorch_group + "/tensors";

/// Calls `use` with a null pointer to the C++ type of the elements.
template <typename Use>
auto with_type(ElementType type, Use use)
{
    switch (type)
    {
        case ElementType::float32:
            return use(static_cast<float*>(nullptr));
        case ElementType::float64:
            return use(static_cast<double*>(nullptr));
        case ElementType::int64:
            return use(static_cast<std::int64_t*>(nullptr));
        default:
            return use(static_cast<std::uint8_t*>(nullptr));
    }
}

ElementType type_of(const h5::Dataset& dataset)
{
    using Stored = std::tuple<h5::Kind, std::size_t, bool>;
    const Stored stored(dataset.kind(), dataset.element_size(), dataset.is_unsigned());
    for (const auto& [wanted, type] : {std::pair{Stored(h5::Kind::real, 4, false), ElementType::float32},
                                       std::pair{Stored(h5::Kind::real, 8, false), ElementType::float64},
                                       std::pair{Stored(h5::Kind::integer, 8, false), ElementType::int64},
                                       std::pair{Stored(h5::Kind::integer, 1, true), ElementType::uint8}})
    {
        if (stored == wanted)
        {
            return type;
        }
    }
    throw Error(dataset.where() +
                ": is not of type float32, float64, int64 or uint8; it is not from a checkpoint of paws_hpc");
}

void require_whole(const NamedArrays& arrays, const std::string& where)
{
    std::set<std::string> names;
    for (const auto& [name, array] : arrays)
    {
        if (array.bytes.size() != h5::element_count(array.shape) * element_size(array.type))
        {
            throw Error(where + ": the array '" + name + "' has " + std::to_string(array.bytes.size()) +
                        " bytes, which do not match its shape");
        }
        if (name.find('/') != std::string::npos || !names.insert(name).second)
        {
            throw Error(where + ": the array name '" + name +
                        "' has a slash or is there twice; give each array its own name");
        }
    }
}

void require_whole(const Progress& progress, const std::string& where)
{
    std::set<std::string> names = {"epoch", "iteration", checksum_attribute};
    const auto claim = [&](const auto& values)
    {
        for (const auto& [name, value] : values)
        {
            if (name.empty() || !names.insert(name).second)
            {
                throw Error(where + ": the progress name '" + name + "' is empty or taken; choose another");
            }
        }
    };
    claim(progress.integers);
    claim(progress.reals);
    claim(progress.texts);
}

h5::Dataset write_array(h5::Group& group, const std::string& path, const Array& array)
{
    return with_type(array.type,
                     [&]<typename T>(T*)
                     {
                         const T* first = reinterpret_cast<const T*>(array.bytes.data());
                         return group.write<T>(path, std::span(first, array.bytes.size() / sizeof(T)), array.shape);
                     });
}

void write_arrays(h5::File& file, const std::string& group_name, const NamedArrays& arrays)
{
    h5::Group group = file.create_group(group_name);
    group.set_attribute<std::int64_t>("count", static_cast<std::int64_t>(arrays.size()));
    std::int64_t position = 0;
    for (const auto& [name, array] : arrays)
    {
        std::string path = name;
        std::replace(path.begin(), path.end(), '.', '/');
        h5::Dataset dataset = write_array(group, path, array);
        dataset.set_attribute<std::int64_t>("position", position++);
        store_checksum(dataset, crc32(array.bytes));
    }
}

using Placed = std::map<std::int64_t, std::pair<std::string, Array>>;

Array read_array(const h5::Dataset& dataset)
{
    Array array{type_of(dataset), dataset.shape(), {}};
    with_type(array.type,
              [&]<typename T>(T*)
              {
                  const std::vector<T> values = dataset.read<T>();
                  const auto bytes = std::as_bytes(std::span(values));
                  array.bytes.assign(bytes.begin(), bytes.end());
              });
    require_checksum(dataset, crc32(array.bytes));
    return array;
}

/// Puts the arrays of a group, and of the groups in it, in their places.
void collect(const h5::Group& group, const std::string& prefix, std::int64_t count, Placed& arrays)
{
    for (const std::string& child : group.dataset_names())
    {
        const h5::Dataset dataset = group.dataset(child);
        const auto position = dataset.attribute<std::int64_t>("position");
        if (position < 0 || position >= count || arrays.contains(position))
        {
            throw Error(dataset.where() + ": has an impossible position; the file is damaged, use another checkpoint");
        }
        arrays.try_emplace(position, prefix + child, read_array(dataset));
    }
    for (const std::string& child : group.group_names())
    {
        collect(group.group(child), prefix + child + ".", count, arrays);
    }
}

NamedArrays read_arrays(const h5::File& file, const std::string& group_name)
{
    const h5::Group group = file.group(group_name);
    const auto count = group.attribute<std::int64_t>("count");
    Placed placed;
    collect(group, "", count, placed);
    if (static_cast<std::int64_t>(placed.size()) != count)
    {
        throw Error(group.where() + ": lacks one of its " + std::to_string(count) +
                    " arrays; the file is damaged, use another checkpoint");
    }
    NamedArrays arrays;
    for (auto& [position, array] : placed)
    {
        arrays.push_back(std::move(array));
    }
    return arrays;
}

/// All of it, in one order, as text.
std::uint32_t progress_checksum(const Progress& progress)
{
    std::vector<std::string> lines = {std::to_string(progress.epoch), std::to_string(progress.iteration)};
    for (const auto& [name, value] : progress.integers)
    {
        lines.insert(lines.end(), {name, std::to_string(value)});
    }
    for (const auto& [name, value] : progress.reals)
    {
        lines.insert(lines.end(), {name, std::to_string(std::bit_cast<std::uint64_t>(value))});
    }
    for (const auto& [name, value] : progress.texts)
    {
        lines.insert(lines.end(), {name, value});
    }
    return crc32(lines);
}

void write_progress(h5::File& file, const Progress& progress)
{
    h5::Group group = file.create_group("progress");
    group.set_attribute("epoch", progress.epoch);
    group.set_attribute("iteration", progress.iteration);
    const auto store = [&](const auto& values)
    {
        for (const auto& [name, value] : values)
        {
            group.set_attribute(name, value);
        }
    };
    store(progress.integers);
    store(progress.reals);
    store(progress.texts);
    store_checksum(group, progress_checksum(progress));
}

Progress read_progress(const h5::File& file)
{
    const h5::Group group = file.group("progress");
    Progress progress;
    progress.epoch = group.attribute<std::int64_t>("epoch");
    progress.iteration = group.attribute<std::int64_t>("iteration");
    for (const std::string& name : group.attribute_names())
    {
        if (name == "epoch" || name == "iteration" || name == checksum_attribute)
        {
            continue;
        }
        switch (group.attribute_kind(name))
        {
            case h5::Kind::integer:
                progress.integers[name] = group.attribute<std::int64_t>(name);
                break;
            case h5::Kind::real:
                progress.reals[name] = group.attribute<double>(name);
                break;
            default:
                progress.texts[name] = group.attribute<std::string>(name);
        }
    }
    require_checksum(group, progress_checksum(progress));
    return progress;
}
void write_rest(h5::File& file, const PytorchRest& rest)
{
    if (rest == PytorchRest())
    {
        return;
    }
    h5::Group group = file.create_group(pytorch_group);
    const auto* const first = reinterpret_cast<const std::uint8_t*>(rest.structure.data());
    h5::Dataset structure =
        group.write<std::uint8_t>(structure_dataset, std::span(first, rest.structure.size()), {rest.structure.size()});
    store_checksum(structure, crc32({rest.structure}));
    write_arrays(file, tensors_group, rest.tensors);
}

PytorchRest read_rest(const h5::File& file)
{
    PytorchRest rest;
    if (file.has_group(pytorch_group))
    {
        const h5::Dataset structure = file.group(pytorch_group).dataset(structure_dataset);
        const auto bytes = structure.read<std::uint8_t>();
        rest.structure.assign(bytes.begin(), bytes.end());
        require_checksum(structure, crc32({rest.structure}));
        rest.tensors = read_arrays(file, tensors_group);
    }
    return rest;
}
}  // namespace

std::size_t element_size(ElementType type)
{
    return with_type(type, []<typename T>(T*) { return sizeof(T); });
}

void write_checkpoint(const std::filesystem::path& path, const Checkpoint& checkpoint)
{
    require_whole(checkpoint.encoder, path.string());
    require_whole(checkpoint.momentum, path.string());
    require_whole(checkpoint.pytorch.tensors, path.string());
    require_whole(checkpoint.progress, path.string());
    h5::File file = h5::File::create(path);
    write_format(file, checkpoint_format);
    write_arrays(file, encoder_group, checkpoint.encoder);
    write_arrays(file, momentum_group, checkpoint.momentum);
    write_rest(file, checkpoint.pytorch);
    write_progress(file, checkpoint.progress);
    h5::Dataset config = file.write_string("config", checkpoint.config);
    store_checksum(config, crc32({checkpoint.config}));
    file.save();
}

Checkpoint read_checkpoint(const std::filesystem::path& path)
{
    const h5::File file = open_verified(path, checkpoint_format);
    Checkpoint checkpoint;
    checkpoint.encoder = read_arrays(file, encoder_group);
    checkpoint.momentum = read_arrays(file, momentum_group);
    checkpoint.pytorch = read_rest(file);
    checkpoint.progress = read_progress(file);
    const h5::Dataset config = file.dataset("config");
    checkpoint.config = config.read_scalar<std::string>();
    require_checksum(config, crc32({checkpoint.config}));
    return checkpoint;
}
}  // namespace paws::io

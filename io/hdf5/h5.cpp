#include "io/hdf5/h5.hpp"

#include <algorithm>
#include <limits>

#include "io/hdf5/h5_type.hpp"

namespace paws::io::h5
{
namespace
{
std::string join(const std::vector<std::string>& names)
{
    std::string text;
    for (const std::string& name : names)
    {
        text += (text.empty() ? "" : ", ") + name;
    }
    return text.empty() ? "nothing" : text;
}

/// The parts of "a/b/c". Throws for an empty one, as in "a//b".
std::vector<std::string> components(const std::string& path, const std::string& where)
{
    std::vector<std::string> parts(1);
    for (const char c : path)
    {
        if (c == '/')
        {
            parts.emplace_back();
        }
        else
        {
            parts.back() += c;
        }
    }
    if (std::any_of(parts.begin(), parts.end(), [](const std::string& part) { return part.empty() || part == "."; }))
    {
        throw Error(where + ": '" + path +
                    "' is not a name for something in an HDF5 file; use words joined by single slashes");
    }
    return parts;
}
}  // namespace

std::size_t element_count(const Shape& shape)
{
    std::size_t count = 1;
    for (const std::size_t length : shape)
    {
        if (length == 0)
        {
            return 0;
        }
        count = count > std::numeric_limits<std::size_t>::max() / length ? std::numeric_limits<std::size_t>::max()
                                                                         : count * length;
    }
    return count;
}

std::string Group::below(const std::string& path) const
{
    return where_ + (where_.back() == '/' ? "" : "/") + path;
}

namespace
{
/// Throws where links lead in a circle.
bool leads_somewhere(hid_t group, const std::string& path, const std::string& where)
{
    try
    {
        return call("H5Oexists_by_name", where, H5Oexists_by_name, group, path.c_str(), H5P_DEFAULT) > 0;
    }
    catch (const SystemError& error)
    {
        throw Error(where + ": is a link that cannot be followed, to itself perhaps (" + error.reason() +
                    "); put what it should lead to in its place");
    }
}
}  // namespace

bool Group::is_a(const std::string& path, H5I_type_t type) const
{
    std::string so_far;
    for (const std::string& part : components(path, where_))
    {
        so_far += (so_far.empty() ? "" : "/") + part;
        // A link may lead nowhere.
        if (call("H5Lexists", where_, H5Lexists, id_.get(), so_far.c_str(), H5P_DEFAULT) == 0 ||
            !leads_somewhere(id_.get(), so_far, below(so_far)))
        {
            return false;
        }
        const Id object = open_object(id_.get(), so_far, below(so_far));
        const bool last = so_far.size() == path.size();
        if (call("H5Iget_type", where_, H5Iget_type, object.get()) != (last ? type : H5I_GROUP))
        {
            return false;
        }
    }
    return true;
}

bool Group::has_group(const std::string& path) const
{
    return is_a(path, H5I_GROUP);
}

bool Group::has_dataset(const std::string& path) const
{
    return is_a(path, H5I_DATASET);
}

std::vector<std::string> Group::children() const
{
    H5G_info_t info{};
    call("H5Gget_info", where_, H5Gget_info, id_.get(), &info);
    std::vector<std::string> names;
    for (hsize_t i = 0; i < info.nlinks; ++i)
    {
        const auto name_of = [&](char* buffer, std::size_t size)
        {
            return call("H5Lget_name_by_idx", where_, H5Lget_name_by_idx, id_.get(), ".", H5_INDEX_NAME, H5_ITER_INC, i,
                        buffer, size, H5P_DEFAULT);
        };
        std::string name(static_cast<std::size_t>(name_of(nullptr, 0)), '\0');
        name_of(name.data(), name.size() + 1);
        names.push_back(std::move(name));
    }
    return names;
}

std::vector<std::string> Group::children_of(H5I_type_t type) const
{
    std::vector<std::string> names = children();
    std::erase_if(names, [&](const std::string& name) { return !is_a(name, type); });
    return names;
}

std::vector<std::string> Group::group_names() const
{
    return children_of(H5I_GROUP);
}

std::vector<std::string> Group::dataset_names() const
{
    return children_of(H5I_DATASET);
}

Group Group::group(const std::string& path) const
{
    if (!has_group(path))
    {
        throw Error(where_ + ": has no group '" + path + "'; there is " + join(children()));
    }
    return {Id(call("H5Gopen2", below(path), H5Gopen2, id_.get(), path.c_str(), H5P_DEFAULT), H5Gclose), below(path)};
}

Dataset Group::dataset(const std::string& path) const
{
    if (!has_dataset(path))
    {
        throw Error(where_ + ": has no data set '" + path + "'; there is " + join(children()));
    }
    return {Id(call("H5Dopen2", below(path), H5Dopen2, id_.get(), path.c_str(), H5P_DEFAULT), H5Dclose), below(path)};
}

Group Group::create_group(const std::string& path)
{
    std::string so_far;
    for (const std::string& part : components(path, where_))
    {
        so_far += (so_far.empty() ? "" : "/") + part;
        if (!has_group(so_far))
        {
            const Id creation = creation_without_times(H5P_GROUP_CREATE, where_);
            const Id made(call("H5Gcreate2", below(so_far), H5Gcreate2, id_.get(), so_far.c_str(), H5P_DEFAULT,
                               creation.get(), H5P_DEFAULT),
                          H5Gclose);
        }
    }
    return group(path);
}

Dataset Group::create(const std::string& path, hid_t type, hid_t space, const Shape& chunk, int compression)
{
    const std::vector<std::string> parts = components(path, where_);
    if (parts.size() > 1)
    {
        create_group(path.substr(0, path.size() - parts.back().size() - 1));
    }
    const std::string where = below(path);
    const Id creation = creation_without_times(H5P_DATASET_CREATE, where);
    // What is written follows at once, so filling with zeros first would write everything twice.
    call("H5Pset_fill_time", where, H5Pset_fill_time, creation.get(), H5D_FILL_TIME_NEVER);
    if (!chunk.empty())
    {
        const std::vector<hsize_t> lengths(chunk.begin(), chunk.end());
        call("H5Pset_chunk", where, H5Pset_chunk, creation.get(), static_cast<int>(lengths.size()), lengths.data());
        if (compression > 0)
        {
            call("H5Pset_shuffle", where, H5Pset_shuffle, creation.get());
            call("H5Pset_deflate", where, H5Pset_deflate, creation.get(), static_cast<unsigned>(compression));
        }
    }
    return {Id(call("H5Dcreate2", where, H5Dcreate2, id_.get(), path.c_str(), type, space, H5P_DEFAULT, creation.get(),
                    H5P_DEFAULT),
               H5Dclose),
            where};
}

template <typename T>
Dataset Group::create_dataset(const std::string& path, const Shape& shape, std::size_t chunk_rows, int compression)
{
    Shape chunk;
    if (chunk_rows > 0 && !shape.empty() && element_count(shape) > 0)
    {
        chunk = shape;
        chunk[0] = std::min(chunk_rows, shape[0]);
    }
    const Id space = make_space(shape, below(path));
    return create(path, native_type<T>(), space.get(), chunk, compression);
}

void Group::link(const std::string& path, const std::string& other_name)
{
    call("H5Lcreate_hard", below(other_name), H5Lcreate_hard, id_.get(), path.c_str(), id_.get(), other_name.c_str(),
         H5P_DEFAULT, H5P_DEFAULT);
}

template <typename T>
Dataset Group::write(const std::string& path, std::span<const T> values, const Shape& shape, std::size_t chunk_rows)
{
    Dataset dataset = create_dataset<T>(path, shape, chunk_rows);
    dataset.write(values);
    return dataset;
}

Dataset Group::write_strings(const std::string& path, const std::vector<std::string>& values)
{
    return write_fixed_strings(path, values, make_space({values.size()}, below(path)).get());
}

Dataset Group::write_string(const std::string& path, const std::string& value)
{
    return write_fixed_strings(path, {&value, 1}, make_space({}, below(path)).get());
}

Dataset Group::write_fixed_strings(const std::string& path, std::span<const std::string> values, hid_t space)
{
    std::size_t width = 1;
    for (const std::string& value : values)
    {
        require_no_zero_byte(value, below(path));
        width = std::max(width, value.size());
    }
    std::vector<char> characters = make_values<char>(width * values.size(), below(path));
    for (std::size_t i = 0; i < values.size(); ++i)
    {
        std::copy(values[i].begin(), values[i].end(), characters.begin() + static_cast<std::ptrdiff_t>(i * width));
    }
    const Id type = make_string_type(width, below(path));
    Dataset dataset = create(path, type.get(), space, {});
    if (!values.empty())
    {
        call("H5Dwrite", below(path), H5Dwrite, dataset.id_.get(), type.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT,
             static_cast<const void*>(characters.data()));
    }
    return dataset;
}

#define PAWS_IO_NUMBERS(T)                                                                         \
    template Dataset Group::create_dataset<T>(const std::string&, const Shape&, std::size_t, int); \
    template Dataset Group::write(const std::string&, std::span<const T>, const Shape&, std::size_t);
PAWS_IO_NUMBERS(float)
PAWS_IO_NUMBERS(double)
PAWS_IO_NUMBERS(Half)
PAWS_IO_NUMBERS(std::int32_t)
PAWS_IO_NUMBERS(std::int64_t)
PAWS_IO_NUMBERS(std::uint8_t)
PAWS_IO_NUMBERS(std::uint32_t)
PAWS_IO_NUMBERS(std::uint64_t)
#undef PAWS_IO_NUMBERS
}  // namespace paws::io::h5

#include <algorithm>

#include "io/hdf5/h5.hpp"
#include "io/hdf5/h5_type.hpp"

namespace paws::io::h5
{
namespace
{
/// An attribute that is open for reading.
struct OpenAttribute
{
    Id attribute;
    std::string where;
    Id type = {call("H5Aget_type", where, H5Aget_type, attribute.get()), H5Tclose};
    Id space = {call("H5Aget_space", where, H5Aget_space, attribute.get()), H5Sclose};
    std::size_t count = element_count(shape_of(space.get(), where));
    Kind kind = kind_of(type.get(), where);

    [[noreturn]] void refuse(const char* wanted) const
    {
        throw Error(where + ": holds " + kind_name(kind) + " where " + wanted + " was expected");
    }

    template <typename T>
    std::vector<T> read_numbers() const
    {
        std::vector<T> values = make_values<T>(count, where);
        if (count > 0)
        {
            call("H5Aread", where, H5Aread, attribute.get(), native_type<T>(), static_cast<void*>(values.data()));
        }
        return values;
    }
};

template <typename T>
std::vector<T> read(const OpenAttribute& open);

template <>
std::vector<std::int64_t> read(const OpenAttribute& open)
{
    if (open.kind != Kind::integer && open.kind != Kind::boolean)
    {
        open.refuse("a whole number");
    }
    return open.read_numbers<std::int64_t>();
}

template <>
std::vector<double> read(const OpenAttribute& open)
{
    if (open.kind != Kind::integer && open.kind != Kind::real)
    {
        open.refuse("a number");
    }
    return open.read_numbers<double>();
}

template <>
std::vector<std::string> read(const OpenAttribute& open)
{
    if (open.kind != Kind::text)
    {
        open.refuse("text");
    }
    return read_strings(open.type.get(), open.space.get(), open.count, open.where,
                        [&](hid_t type, void* buffer)
                        { call("H5Aread", open.where, H5Aread, open.attribute.get(), type, buffer); });
}

template <typename T>
T read_one(const OpenAttribute& open)
{
    std::vector<T> values = read<T>(open);
    if (values.size() != 1)
    {
        throw Error(open.where + ": has " + std::to_string(values.size()) + " elements where one was expected");
    }
    return std::move(values.front());
}

template <>
bool read_one(const OpenAttribute& open)
{
    const auto value = read_one<std::int64_t>(open);
    if (value != 0 && value != 1)
    {
        throw Error(open.where + ": holds " + std::to_string(value) + " where true or false was expected");
    }
    return value == 1;
}

std::string attribute_place(const std::string& where, const std::string& name)
{
    return where + ", attribute '" + name + "'";
}

/// The strings as HDF5 wants those of variable length.
std::vector<const char*> pointers_to(std::span<const std::string> values, const std::string& where)
{
    std::vector<const char*> pointers;
    for (const std::string& value : values)
    {
        require_no_zero_byte(value, where);
        pointers.push_back(value.c_str());
    }
    return pointers;
}
}  // namespace

std::vector<std::string> Object::attribute_names() const
{
    std::vector<std::string> names;
    std::string name(256, '\0');
    for (hsize_t i = 0;; ++i)
    {
        const detail::Session session;
        // The end of the attributes shows as an index that does not exist.
        const ssize_t length =
            H5Aget_name_by_idx(id_.get(), ".", H5_INDEX_NAME, H5_ITER_INC, i, name.data(), name.size(), H5P_DEFAULT);
        if (length < 0)
        {
            return names;
        }
        if (static_cast<std::size_t>(length) >= name.size())
        {
            name.resize(static_cast<std::size_t>(length) + 1);
            H5Aget_name_by_idx(id_.get(), ".", H5_INDEX_NAME, H5_ITER_INC, i, name.data(), name.size(), H5P_DEFAULT);
        }
        names.emplace_back(name.c_str());
    }
}

bool Object::has_attribute(const std::string& name) const
{
    return call("H5Aexists", where_, H5Aexists, id_.get(), name.c_str()) > 0;
}

Id Object::open_attribute(const std::string& name) const
{
    if (!has_attribute(name))
    {
        throw Error(where_ + ": has no attribute '" + name + "'; the file was made by another program or version");
    }
    return {call("H5Aopen", where_, H5Aopen, id_.get(), name.c_str(), H5P_DEFAULT), H5Aclose};
}

Kind Object::attribute_kind(const std::string& name) const
{
    return OpenAttribute{open_attribute(name), attribute_place(where_, name)}.kind;
}

template <typename T>
T Object::attribute(const std::string& name) const
{
    return read_one<T>(OpenAttribute{open_attribute(name), attribute_place(where_, name)});
}

template <typename T>
std::vector<T> Object::attribute_array(const std::string& name) const
{
    return read<T>(OpenAttribute{open_attribute(name), attribute_place(where_, name)});
}

void Object::replace_attribute(const std::string& name, hid_t type, hid_t space, const void* value)
{
    const std::string where = attribute_place(where_, name);
    if (has_attribute(name))
    {
        call("H5Adelete", where, H5Adelete, id_.get(), name.c_str());
    }
    const Id attribute(
        call("H5Acreate2", where, H5Acreate2, id_.get(), name.c_str(), type, space, H5P_DEFAULT, H5P_DEFAULT),
        H5Aclose);
    call("H5Awrite", where, H5Awrite, attribute.get(), type, value);
}

template <typename T>
void Object::set_attribute(const std::string& name, const T& value)
{
    const std::string where = attribute_place(where_, name);
    const Id space = make_space({}, where);
    if constexpr (std::is_same_v<T, std::string>)
    {
        const auto pointers = pointers_to({&value, 1}, where);
        replace_attribute(name, make_string_type(0, where).get(), space.get(), pointers.data());
    }
    else if constexpr (std::is_same_v<T, bool>)
    {
        const std::int8_t stored = value ? 1 : 0;
        replace_attribute(name, make_boolean_type(where).get(), space.get(), &stored);
    }
    else
    {
        replace_attribute(name, native_type<T>(), space.get(), &value);
    }
}

void Object::set_fixed_attribute(const std::string& name, const std::string& value)
{
    const std::string where = attribute_place(where_, name);
    require_no_zero_byte(value, where);
    const std::string padded = value.empty() ? std::string(1, '\0') : value;
    replace_attribute(name, make_string_type(padded.size(), where).get(), make_space({}, where).get(), padded.data());
}

void Object::update_attribute(const std::string& name, std::int64_t value)
{
    const Id attribute = open_attribute(name);
    call("H5Awrite", attribute_place(where_, name), H5Awrite, attribute.get(), native_type<std::int64_t>(),
         static_cast<const void*>(&value));
}

template <typename T>
void Object::set_attribute_array(const std::string& name, const std::vector<T>& values)
{
    const std::string where = attribute_place(where_, name);
    const Id space = make_space({values.size()}, where);
    if constexpr (std::is_same_v<T, std::string>)
    {
        const auto pointers = pointers_to(values, where);
        replace_attribute(name, make_string_type(0, where).get(), space.get(), pointers.data());
    }
    else
    {
        replace_attribute(name, native_type<T>(), space.get(), values.data());
    }
}

template bool Object::attribute(const std::string&) const;
template double Object::attribute(const std::string&) const;
template std::int64_t Object::attribute(const std::string&) const;
template std::string Object::attribute(const std::string&) const;
template std::vector<double> Object::attribute_array(const std::string&) const;
template std::vector<std::int64_t> Object::attribute_array(const std::string&) const;
template std::vector<std::string> Object::attribute_array(const std::string&) const;
template void Object::set_attribute(const std::string&, const bool&);
template void Object::set_attribute(const std::string&, const double&);
template void Object::set_attribute(const std::string&, const std::int64_t&);
template void Object::set_attribute(const std::string&, const std::string&);
template void Object::set_attribute_array(const std::string&, const std::vector<double>&);
template void Object::set_attribute_array(const std::string&, const std::vector<std::int64_t>&);
template void Object::set_attribute_array(const std::string&, const std::vector<std::string>&);
}  // namespace paws::io::h5

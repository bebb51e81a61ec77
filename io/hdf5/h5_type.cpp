#include "io/hdf5/h5_type.hpp"

#include <algorithm>
#include <cstring>

namespace paws::io::h5
{
namespace
{
/// Gives back the memory that HDF5 allocated for strings of variable length.
class VariableStrings
{
public:
    VariableStrings(hid_t type, hid_t space, std::size_t count) : pointers(count, nullptr), type_(type), space_(space)
    {
    }
    VariableStrings(const VariableStrings&) = delete;
    VariableStrings& operator=(const VariableStrings&) = delete;
    ~VariableStrings()
    {
        const detail::Session session;
#if H5_VERSION_GE(1, 12, 0)
        H5Treclaim(type_, space_, H5P_DEFAULT, pointers.data());
#else
        H5Dvlen_reclaim(type_, space_, H5P_DEFAULT, pointers.data());
#endif
    }

    std::vector<char*> pointers;

private:
    hid_t type_;
    hid_t space_;
};

std::size_t size_of(hid_t type, const std::string& where)
{
    const detail::Session session;
    const std::size_t size = H5Tget_size(type);
    if (size == 0)
    {
        detail::fail("H5Tget_size", where);
    }
    return size;
}
}  // namespace

Kind kind_of(hid_t type, const std::string& where)
{
    switch (call("H5Tget_class", where, H5Tget_class, type))
    {
        case H5T_INTEGER:
            return Kind::integer;
        case H5T_FLOAT:
            return Kind::real;
        case H5T_STRING:
            return Kind::text;
        case H5T_ENUM:
            return size_of(type, where) == 1 && call("H5Tget_nmembers", where, H5Tget_nmembers, type) == 2
                       ? Kind::boolean
                       : Kind::other;
        default:
            return Kind::other;
    }
}

const char* kind_name(Kind kind)
{
    switch (kind)
    {
        case Kind::integer:
            return "whole numbers";
        case Kind::real:
            return "real numbers";
        case Kind::text:
            return "text";
        case Kind::boolean:
            return "true or false";
        default:
            return "something other than numbers or text";
    }
}

Shape shape_of(hid_t space, const std::string& where)
{
    if (call("H5Sget_simple_extent_type", where, H5Sget_simple_extent_type, space) == H5S_NULL)
    {
        return {0};
    }
    const int rank = call("H5Sget_simple_extent_ndims", where, H5Sget_simple_extent_ndims, space);
    std::vector<hsize_t> lengths(static_cast<std::size_t>(rank));
    call("H5Sget_simple_extent_dims", where, H5Sget_simple_extent_dims, space, lengths.data(),
         static_cast<hsize_t*>(nullptr));
    return {lengths.begin(), lengths.end()};
}

Id make_space(const Shape& shape, const std::string& where)
{
    if (shape.empty())
    {
        return {call("H5Screate", where, H5Screate, H5S_SCALAR), H5Sclose};
    }
    const std::vector<hsize_t> lengths(shape.begin(), shape.end());
    return {call("H5Screate_simple", where, H5Screate_simple, static_cast<int>(lengths.size()), lengths.data(),
                 static_cast<const hsize_t*>(nullptr)),
            H5Sclose};
}

Id make_string_type(std::size_t size, const std::string& where)
{
    Id type(call("H5Tcopy", where, H5Tcopy, H5T_C_S1), H5Tclose);
    call("H5Tset_size", where, H5Tset_size, type.get(), size == 0 ? H5T_VARIABLE : size);
    call("H5Tset_cset", where, H5Tset_cset, type.get(), H5T_CSET_UTF8);
    call("H5Tset_strpad", where, H5Tset_strpad, type.get(), size == 0 ? H5T_STR_NULLTERM : H5T_STR_NULLPAD);
    return type;
}

Id make_boolean_type(const std::string& where)
{
    Id type(call("H5Tenum_create", where, H5Tenum_create, H5T_NATIVE_INT8), H5Tclose);
    for (const std::int8_t value : {std::int8_t{0}, std::int8_t{1}})
    {
        call("H5Tenum_insert", where, H5Tenum_insert, type.get(), value == 0 ? "FALSE" : "TRUE",
             static_cast<const void*>(&value));
    }
    return type;
}

Id make_properties(hid_t kind, const std::string& where)
{
    return {call("H5Pcreate", where, H5Pcreate, kind), H5Pclose};
}

Id creation_without_times(hid_t kind, const std::string& where)
{
    Id creation = make_properties(kind, where);
    call("H5Pset_obj_track_times", where, H5Pset_obj_track_times, creation.get(), false);
    return creation;
}

std::vector<std::string> read_strings(hid_t type, hid_t space, std::size_t count, const std::string& where,
                                      const std::function<void(hid_t, void*)>& read)
{
    std::vector<std::string> strings = make_values<std::string>(count, where);
    if (count == 0)
    {
        return strings;
    }
    // In memory the strings keep the stored character set: HDF5 does not convert between ASCII and UTF-8, which agree
    // where both apply.
    Id memory_type(call("H5Tcopy", where, H5Tcopy, type), H5Tclose);
    if (call("H5Tis_variable_str", where, H5Tis_variable_str, type) > 0)
    {
        VariableStrings variable(memory_type.get(), space, count);
        read(memory_type.get(), variable.pointers.data());
        // HDF5 gives a null pointer for a string that was never written.
        std::transform(variable.pointers.begin(), variable.pointers.end(), strings.begin(),
                       [](const char* text) { return text ? std::string(text) : std::string(); });
        return strings;
    }
    const std::size_t width = size_of(type, where);
    std::vector<char> characters = make_values<char>(element_count({count, width}), where);
    read(memory_type.get(), characters.data());
    const bool spaces = call("H5Tget_strpad", where, H5Tget_strpad, type) == H5T_STR_SPACEPAD;
    for (std::size_t i = 0; i < count; ++i)
    {
        const char* text = characters.data() + i * width;
        strings[i].assign(text, strnlen(text, width));
        if (spaces)
        {
            strings[i].erase(strings[i].find_last_not_of(' ') + 1);
        }
    }
    return strings;
}

void require_no_zero_byte(const std::string& text, const std::string& where)
{
    if (text.find('\0') != std::string::npos)
    {
        throw Error(where + ": text with a zero byte inside cannot be stored; write it as numbers");
    }
}
}  // namespace paws::io::h5

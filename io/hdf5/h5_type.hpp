#pragma once

// HDF5 types and extents as the rest of h5 needs them.

#include <functional>

#include "io/base/error.hpp"
#include "io/hdf5/h5.hpp"

namespace paws::io::h5
{
/// What a stored type is.
Kind kind_of(hid_t type, const std::string& where);
/// "whole numbers", "text", ... for messages.
const char* kind_name(Kind kind);

/// The lengths of the dimensions of a data space.
Shape shape_of(hid_t space, const std::string& where);
Id make_space(const Shape& shape, const std::string& where);

/// UTF-8 strings of any length (size 0), as h5py writes `str`, or of one fixed size padded with zero bytes.
Id make_string_type(std::size_t size, const std::string& where);
/// An enumeration FALSE = 0, TRUE = 1 of one byte: numpy's bool in h5py.
Id make_boolean_type(const std::string& where);

/// Throws if the elements of a data set are not in its own file, or pass through a filter that this program has not.
void require_own_elements(hid_t dataset, const std::string& where);

/// A property list of HDF5's class `kind`.
Id make_properties(hid_t kind, const std::string& where);
/// That for making files, groups and data sets without times in them, so that equal contents give equal files.
Id creation_without_times(hid_t kind, const std::string& where);

/// Decodes `count` strings of the stored type `type`, of fixed or variable length.
/// `read(memory_type, buffer)` fetches all of them with H5Dread or H5Aread.
std::vector<std::string> read_strings(hid_t type, hid_t space, std::size_t count, const std::string& where,
                                      const std::function<void(hid_t, void*)>& read);

/// Strings in HDF5 end at a zero byte, so one inside would lose the rest.
void require_no_zero_byte(const std::string& text, const std::string& where);

/// So many elements; throws Error, instead of std::bad_alloc, when a damaged size asks for too many.
template <typename T>
std::vector<T> make_values(std::size_t count, const std::string& where)
{
    try
    {
        return std::vector<T>(count);
    }
    catch (const std::exception&)
    {
        throw Error(where + ": its " + std::to_string(count) +
                    " elements do not fit into memory; the file is damaged, or needs a machine with more");
    }
}
}  // namespace paws::io::h5

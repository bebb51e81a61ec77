#pragma once

// HDF5 files as no program of ours writes them, made by the library's own calls. A call that fails gives an identifier
// below 0, on which all others fail, so that the file is not what the test wants and the test fails.

#include <hdf5.h>

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "tests/io/files.hpp"

namespace paws::test::raw
{
inline void put_attribute(hid_t object, const char* name, const std::string& text)
{
    const hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, text.size());
    const hid_t space = H5Screate(H5S_SCALAR);
    const hid_t attribute = H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    H5Awrite(attribute, type, text.data());
    H5Aclose(attribute);
    H5Sclose(space);
    H5Tclose(type);
}

inline void put_attribute(hid_t object, const char* name, std::int64_t number)
{
    const hid_t space = H5Screate(H5S_SCALAR);
    const hid_t attribute = H5Acreate2(object, name, H5T_NATIVE_INT64, space, H5P_DEFAULT, H5P_DEFAULT);
    H5Awrite(attribute, H5T_NATIVE_INT64, &number);
    H5Aclose(attribute);
    H5Sclose(space);
}

struct Layout
{
    std::vector<hsize_t> chunk = {};                 ///< in one piece where there is none
    std::function<void(hid_t)> more = [](hid_t) {};  ///< changes to the creation properties
};

/// A data set; what is not written has no place in the file. Makes the groups on the way.
template <typename T>
void put(hid_t file, const std::string& path, hid_t type, const std::vector<hsize_t>& shape,
         const std::vector<T>& values = {}, const Layout& layout = {})
{
    const hid_t links = H5Pcreate(H5P_LINK_CREATE);
    H5Pset_create_intermediate_group(links, 1);
    const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
    if (!layout.chunk.empty())
    {
        H5Pset_chunk(creation, static_cast<int>(layout.chunk.size()), layout.chunk.data());
    }
    layout.more(creation);
    const hid_t space = H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr);
    const hid_t dataset = H5Dcreate2(file, path.c_str(), type, space, links, creation, H5P_DEFAULT);
    CHECK(dataset >= 0);
    if (!values.empty())
    {
        CHECK(H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()) >= 0);
    }
    H5Dclose(dataset);
    H5Sclose(space);
    H5Pclose(creation);
    H5Pclose(links);
}

/// Strings of `width` bytes.
inline void put_strings(hid_t file, const std::string& path, hsize_t count, std::size_t width, const std::string& bytes,
                        const Layout& layout = {})
{
    const hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, width);
    put(file, path, type, {count}, std::vector<char>(bytes.begin(), bytes.end()), layout);
    H5Tclose(type);
}

/// A file of one of our formats with nothing in it but what `fill` puts there.
inline std::filesystem::path make(const std::filesystem::path& path, const std::string& format,
                                  const std::function<void(hid_t file)>& fill)
{
    const hid_t file = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    put_attribute(file, "format", format);
    put_attribute(file, "version", 1);
    fill(file);
    CHECK(H5Fclose(file) >= 0);
    return path;
}

/// The parts of a data set of two images of 2x2 pixels, but for those named in `without`.
inline void put_dataset(hid_t file, const std::string& without = "")
{
    const auto wanted = [&](const char* name) { return without.find(name) == std::string::npos; };
    if (wanted("class_names"))
    {
        put_strings(file, "class_names", 2, 1, "ab");
    }
    if (wanted("train/labels"))
    {
        put(file, "train/labels", H5T_NATIVE_INT64, {2}, std::vector<std::int64_t>{0, 1});
    }
    if (wanted("train/names"))
    {
        put_strings(file, "train/names", 2, 1, "xy");
    }
    if (wanted("train/images"))
    {
        put(file, "train/images", H5T_NATIVE_UINT8, {2, 2, 2, 3}, std::vector<std::uint8_t>(24, 7));
    }
}
}  // namespace paws::test::raw

#include <algorithm>

#include "io/hdf5/h5.hpp"
#include "io/hdf5/h5_type.hpp"

namespace paws::io::h5
{
Dataset::Dataset(Id id, std::string where) : Object(std::move(id), std::move(where))
{
    const Id space(call("H5Dget_space", where_, H5Dget_space, id_.get()), H5Sclose);
    const Id type(call("H5Dget_type", where_, H5Dget_type, id_.get()), H5Tclose);
    shape_ = shape_of(space.get(), where_);
    kind_ = kind_of(type.get(), where_);
    const detail::Session session;
    element_size_ = H5Tget_size(type.get());
    is_unsigned_ = kind_ == Kind::integer && H5Tget_sign(type.get()) == H5T_SGN_NONE;
}

void Dataset::require_numbers() const
{
    if (kind_ == Kind::text || kind_ == Kind::other)
    {
        throw Error(where_ + ": holds " + kind_name(kind_) + " where numbers were expected");
    }
}

namespace
{
void require_size(std::size_t given, std::size_t wanted, const std::string& where)
{
    if (given != wanted)
    {
        throw Error(where + ": " + std::to_string(given) + " elements given for " + std::to_string(wanted));
    }
}
}  // namespace

/// The part of the file's data space that the rows take.
Id Dataset::select_rows(std::size_t first, std::size_t count, std::size_t given) const
{
    if (shape_.empty() || first > shape_[0] || count > shape_[0] - first)
    {
        throw Error(where_ + ": rows " + std::to_string(first) + " to " + std::to_string(first + count) +
                    " were asked for; it has " + std::to_string(shape_.empty() ? 1 : shape_[0]));
    }
    std::vector<hsize_t> start(shape_.size(), 0);
    std::vector<hsize_t> extent(shape_.begin(), shape_.end());
    start[0] = first;
    extent[0] = count;
    require_size(given, element_count({extent.begin(), extent.end()}), where_);
    Id space(call("H5Dget_space", where_, H5Dget_space, id_.get()), H5Sclose);
    const hsize_t* none = nullptr;
    call("H5Sselect_hyperslab", where_, H5Sselect_hyperslab, space.get(), H5S_SELECT_SET,
         static_cast<const hsize_t*>(start.data()), none, static_cast<const hsize_t*>(extent.data()), none);
    return space;
}

template <typename T>
void Dataset::read_into(std::span<T> out) const
{
    require_numbers();
    require_size(out.size(), size(), where_);
    if (!out.empty())
    {
        call("H5Dread", where_, H5Dread, id_.get(), native_type<T>(), H5S_ALL, H5S_ALL, H5P_DEFAULT,
             static_cast<void*>(out.data()));
    }
}

template <typename T>
void Dataset::read_rows(std::size_t first, std::size_t count, std::span<T> out) const
{
    require_numbers();
    const Id file_space = select_rows(first, count, out.size());
    if (out.empty())
    {
        return;
    }
    const Id memory_space = make_space({out.size()}, where_);
    call("H5Dread", where_, H5Dread, id_.get(), native_type<T>(), memory_space.get(), file_space.get(), H5P_DEFAULT,
         static_cast<void*>(out.data()));
}

template <typename T>
std::vector<T> Dataset::read() const
{
    require_numbers();
    std::vector<T> values = make_values<T>(size(), where_);
    read_into(std::span<T>(values));
    return values;
}

template <>
std::vector<std::string> Dataset::read() const
{
    if (kind_ != Kind::text)
    {
        throw Error(where_ + ": holds " + kind_name(kind_) + " where text was expected");
    }
    const Id type(call("H5Dget_type", where_, H5Dget_type, id_.get()), H5Tclose);
    const Id space(call("H5Dget_space", where_, H5Dget_space, id_.get()), H5Sclose);
    // HDF5 1.10 writes past the end of its memory when it adds up the one string of a data set without dimensions.
    if (size() > 1 && call("H5Tis_variable_str", where_, H5Tis_variable_str, type.get()) > 0)
    {
        require_texts_held(type.get(), space.get());
    }
    return read_strings(
        type.get(), space.get(), size(), where_,
        [&](hid_t memory_type, void* buffer)
        { call("H5Dread", where_, H5Dread, id_.get(), memory_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, buffer); });
}

template <typename T>
T Dataset::read_scalar() const
{
    require_size(1, size(), where_);
    return read<T>().front();
}

template <typename T>
void Dataset::write(std::span<const T> values)
{
    require_numbers();
    require_size(values.size(), size(), where_);
    if (!values.empty())
    {
        call("H5Dwrite", where_, H5Dwrite, id_.get(), native_type<T>(), H5S_ALL, H5S_ALL, H5P_DEFAULT,
             static_cast<const void*>(values.data()));
    }
}

template <typename T>
void Dataset::write_rows(std::size_t first, std::size_t count, std::span<const T> values)
{
    require_numbers();
    const Id file_space = select_rows(first, count, values.size());
    if (values.empty())
    {
        return;
    }
    const Id memory_space = make_space({values.size()}, where_);
    call("H5Dwrite", where_, H5Dwrite, id_.get(), native_type<T>(), memory_space.get(), file_space.get(), H5P_DEFAULT,
         static_cast<const void*>(values.data()));
}

template <typename T>
void Dataset::write_rows_together(std::size_t first, std::size_t count, std::span<const T> values)
{
    require_numbers();
    const Id file_space = select_rows(first, count, values.size());
    const Id memory_space = make_space({values.size()}, where_);
    const Id transfer = make_properties(H5P_DATASET_XFER, where_);
    call("H5Pset_dxpl_mpio", where_, H5Pset_dxpl_mpio, transfer.get(), H5FD_MPIO_COLLECTIVE);
    // Each rank's rows lie in one piece, so there is nothing to gather before writing; and where MPI gathers, a failed
    // write of one rank can go unreported, or leave the others waiting for ever (Open MPI 4.1).
    call("H5Pset_dxpl_mpio_collective_opt", where_, H5Pset_dxpl_mpio_collective_opt, transfer.get(),
         H5FD_MPIO_INDIVIDUAL_IO);
    call("H5Dwrite", where_, H5Dwrite, id_.get(), native_type<T>(), memory_space.get(), file_space.get(),
         transfer.get(), static_cast<const void*>(values.data()));
}

Shape Dataset::chunk() const
{
    const Id creation(call("H5Dget_create_plist", where_, H5Dget_create_plist, id_.get()), H5Pclose);
    if (call("H5Pget_layout", where_, H5Pget_layout, creation.get()) != H5D_CHUNKED)
    {
        return {};
    }
    std::vector<hsize_t> lengths(shape_.size());
    call("H5Pget_chunk", where_, H5Pget_chunk, creation.get(), static_cast<int>(lengths.size()), lengths.data());
    return {lengths.begin(), lengths.end()};
}

std::uint64_t Dataset::place_in_file() const
{
    const detail::Session session;
    const haddr_t place = H5Dget_offset(id_.get());
    if (place == HADDR_UNDEF)
    {
        detail::fail("H5Dget_offset", where_);
    }
    return place;
}

#define PAWS_IO_NUMBERS(T)                                                           \
    template void Dataset::read_into(std::span<T>) const;                            \
    template void Dataset::read_rows(std::size_t, std::size_t, std::span<T>) const;  \
    template std::vector<T> Dataset::read() const;                                   \
    template T Dataset::read_scalar() const;                                         \
    template void Dataset::write(std::span<const T>);                                \
    template void Dataset::write_rows(std::size_t, std::size_t, std::span<const T>); \
    template void Dataset::write_rows_together(std::size_t, std::size_t, std::span<const T>);
PAWS_IO_NUMBERS(float)
PAWS_IO_NUMBERS(double)
PAWS_IO_NUMBERS(Half)
PAWS_IO_NUMBERS(std::int32_t)
PAWS_IO_NUMBERS(std::int64_t)
PAWS_IO_NUMBERS(std::uint8_t)
PAWS_IO_NUMBERS(std::uint32_t)
PAWS_IO_NUMBERS(std::uint64_t)
#undef PAWS_IO_NUMBERS
template std::string Dataset::read_scalar() const;
}  // namespace paws::io::h5

// Where a data set's elements are, what they pass through, and whether there can be as many as it claims.

#include <algorithm>
#include <array>
#include <limits>

#include "io/hdf5/h5.hpp"
#include "io/hdf5/h5_type.hpp"

namespace paws::io::h5
{
namespace
{
/// Memory that a data set may take whatever it has in the file: elements that were never written cost nothing there.
constexpr std::uint64_t always_granted = std::uint64_t{16} << 20;
/// Deflate makes no byte of more.
constexpr std::uint64_t most_from_a_byte = 1032;

/// The largest number there is where the product is larger.
std::uint64_t product(std::uint64_t a, std::uint64_t b)
{
    std::uint64_t result = 0;
    return __builtin_mul_overflow(a, b, &result) ? std::numeric_limits<std::uint64_t>::max() : result;
}

std::uint64_t file_size_of(hid_t object, const std::string& where)
{
    const Id file(call("H5Iget_file_id", where, H5Iget_file_id, object), H5Fclose);
    hsize_t size = 0;
    call("H5Fget_filesize", where, H5Fget_filesize, file.get(), &size);
    return size;
}

[[noreturn]] void refuse_claim(const std::string& where, std::uint64_t claimed, std::uint64_t stored)
{
    throw Error(where + ": claims " +
                (claimed == std::numeric_limits<std::uint64_t>::max() ? std::string("more than 2^64")
                                                                      : std::to_string(claimed)) +
                " bytes, but the file holds only " + std::to_string(stored) +
                " of it; it is damaged or was never written to its end, make it again");
}

/// A filter of a data set's chunks.
struct Filter
{
    H5Z_filter_t id = 0;
    std::string name;
    unsigned first_value = 0;
};

std::vector<Filter> filters_of(hid_t creation, const std::string& where)
{
    const int count = call("H5Pget_nfilters", where, H5Pget_nfilters, creation);
    std::vector<Filter> filters(static_cast<std::size_t>(count));
    for (std::size_t i = 0; i < filters.size(); ++i)
    {
        unsigned flags = 0;
        unsigned config = 0;
        std::size_t values = 1;
        std::array<char, 64> name{};
        filters[i].id = call("H5Pget_filter2", where, H5Pget_filter2, creation, static_cast<unsigned>(i), &flags,
                             &values, &filters[i].first_value, name.size() - 1, name.data(), &config);
        filters[i].name = name.data();
    }
    return filters;
}

bool changes_no_size(const Filter& filter)
{
    return filter.id == H5Z_FILTER_SHUFFLE || filter.id == H5Z_FILTER_FLETCHER32;
}

bool is_compressed(const std::vector<Filter>& filters)
{
    return !std::all_of(filters.begin(), filters.end(), changes_no_size);
}

/// Plug-ins are code from outside, which this program never loads (see detail::Session).
void require_known_filters(const std::vector<Filter>& filters, const std::string& where)
{
    for (const Filter& filter : filters)
    {
        if (call("H5Zfilter_avail", where, H5Zfilter_avail, filter.id) == 0)
        {
            throw Error(where + ": is compressed by filter " + std::to_string(filter.id) +
                        (filter.name.empty() ? "" : " (" + filter.name + ")") +
                        ", which needs a plug-in of HDF5; write it again with gzip or without compression (h5repack "
                        "-f NONE)");
        }
    }
    // Compressed twice, some bytes could become a million times as many.
    if (std::count_if(filters.begin(), filters.end(), [](const Filter& f) { return !changes_no_size(f); }) > 1)
    {
        throw Error(where + ": is compressed more than once; write it again with gzip alone or without compression");
    }
}

#if H5_VERSION_GE(1, 10, 5)
/// Where the chunks of a data set are; none if they are many: HDF5 1.10 finds each by passing all those before it.
std::vector<Piece> chunks_of(hid_t dataset, std::uint64_t count, const std::string& where)
{
    constexpr std::uint64_t most = 10'000;
    std::vector<Piece> pieces;
    const Id space(call("H5Dget_space", where, H5Dget_space, dataset), H5Sclose);
    for (hsize_t i = 0; count <= most && i < count; ++i)
    {
        haddr_t place = 0;
        hsize_t length = 0;
        call("H5Dget_chunk_info", where, H5Dget_chunk_info, dataset, space.get(), i, static_cast<hsize_t*>(nullptr),
             static_cast<unsigned*>(nullptr), &place, &length);
        pieces.push_back({place, length});
    }
    return pieces;
}
#else
/// Older versions do not say where chunks are.
std::vector<Piece> chunks_of(hid_t, std::uint64_t, const std::string&)
{
    return {};
}
#endif
}  // namespace

void require_own_elements(hid_t dataset, const std::string& where)
{
    const Id creation(call("H5Dget_create_plist", where, H5Dget_create_plist, dataset), H5Pclose);
    if (call("H5Pget_external_count", where, H5Pget_external_count, creation.get()) > 0)
    {
        throw Error(where +
                    ": has its elements in another file (external storage), which is never read; write them "
                    "into this file (h5repack)");
    }
    if (call("H5Pget_layout", where, H5Pget_layout, creation.get()) == H5D_VIRTUAL)
    {
        throw Error(where +
                    ": takes its elements from other data sets (a virtual data set), which are never read; "
                    "write them into this file (h5repack)");
    }
    require_known_filters(filters_of(creation.get(), where), where);
}

int Dataset::compression() const
{
    const Id creation(call("H5Dget_create_plist", where_, H5Dget_create_plist, id_.get()), H5Pclose);
    const auto filters = filters_of(creation.get(), where_);
    const auto deflate = std::find_if(filters.begin(), filters.end(),
                                      [](const Filter& filter) { return filter.id == H5Z_FILTER_DEFLATE; });
    return deflate == filters.end() ? 0 : static_cast<int>(deflate->first_value);
}

std::uint64_t Dataset::stored_bytes() const
{
    const detail::Session session;
    return H5Dget_storage_size(id_.get());
}

#if H5_VERSION_GE(1, 10, 5)
std::uint64_t Dataset::chunk_count() const
{
    const Id space(call("H5Dget_space", where_, H5Dget_space, id_.get()), H5Sclose);
    hsize_t count = 0;
    call("H5Dget_num_chunks", where_, H5Dget_num_chunks, id_.get(), space.get(), &count);
    return count;
}
#else
std::uint64_t Dataset::chunk_count() const
{
    const Shape chunk_shape = chunk();
    std::uint64_t count = 1;
    for (std::size_t i = 0; i < chunk_shape.size(); ++i)
    {
        count = product(count, (shape_[i] + chunk_shape[i] - 1) / chunk_shape[i]);
    }
    return count;
}
#endif

std::uint64_t Dataset::bytes_in_memory() const
{
    const std::uint64_t element =
        kind_ == Kind::text ? element_size_ + sizeof(std::string) : std::max(element_size_, sizeof(std::int64_t));
    return product(size(), element);
}

void Dataset::require_held() const
{
    const std::uint64_t stored = stored_bytes();
    const std::uint64_t in_file = std::min(stored, file_size_of(id_.get(), where_));
    const Id creation(call("H5Dget_create_plist", where_, H5Dget_create_plist, id_.get()), H5Pclose);
    const bool compressed = is_compressed(filters_of(creation.get(), where_));
    const std::uint64_t most = std::max(always_granted, compressed ? product(in_file, most_from_a_byte) : in_file);
    const std::uint64_t bytes = product(size(), element_size_);
    // Numbers become wider in memory, but no more than eight times; texts can be as short as one byte.
    const std::uint64_t claimed = kind_ == Kind::text && compressed ? bytes_in_memory() : bytes;
    if (bytes_in_memory() > always_granted && claimed > most)
    {
        refuse_claim(where_, claimed, in_file);
    }
    const Shape chunk_shape = chunk();
    if (chunk_shape.empty())
    {
        return;
    }
    // A chunk is read as a whole.
    const std::uint64_t chunk_bytes = product(element_count(chunk_shape), element_size_);
    if (chunk_bytes > most)
    {
        refuse_claim(where_, chunk_bytes, in_file);
    }
    // And one whose bytes become far more than it has elements would take the memory for all of them.
    constexpr std::uint64_t overhead = 4096;
    if (compressed && stored > product(chunk_count(), product(2, chunk_bytes) + overhead))
    {
        throw Error(where_ + ": its chunks are larger than their elements; the file is damaged, make it again");
    }
}

/// The same for strings of variable length, whose sizes only the strings themselves tell.
void Dataset::require_texts_held(hid_t type, hid_t space) const
{
    hsize_t bytes = 0;
    call("H5Dvlen_get_buf_size", where_, H5Dvlen_get_buf_size, id_.get(), type, space, &bytes);
    const std::uint64_t in_file = file_size_of(id_.get(), where_);
    if (bytes > std::max(always_granted, product(in_file, most_from_a_byte)))
    {
        refuse_claim(where_, bytes, in_file);
    }
}

std::vector<Piece> Dataset::pieces_in_file() const
{
    const Id creation(call("H5Dget_create_plist", where_, H5Dget_create_plist, id_.get()), H5Pclose);
    const auto layout = call("H5Pget_layout", where_, H5Pget_layout, creation.get());
    if (stored_bytes() > 0 && layout == H5D_CONTIGUOUS)
    {
        return {{place_in_file(), stored_bytes()}};
    }
    return stored_bytes() > 0 && layout == H5D_CHUNKED ? chunks_of(id_.get(), chunk_count(), where_)
                                                       : std::vector<Piece>();
}
}  // namespace paws::io::h5

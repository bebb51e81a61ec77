#pragma once

// HDF5 files as this program uses them: groups, numeric data sets, strings and attributes, all checked.
//
//     const auto file = h5::File::open("losses.h5");
//     for (const std::string& name : file.group("paws").group_names()) ...
//     const h5::Dataset views = file.dataset("paws/case0/rank0/anchor_views");   // views.shape() is [B, D]
//     const std::vector<double> values = views.read<double>();                   // row-major, converted from what is
//     stored const double temperature = file.group("paws/case0").attribute<double>("temperature");
//
// Every function throws paws::io::Error that names the file and the object. Calls from several threads are serialised.
// What is written here is readable with HDF5 1.8 and newer and with h5py, and equal contents give equal files.

#include <mpi.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io/hdf5/h5_call.hpp"
#include "io/hdf5/header_seal.hpp"

namespace paws::io::h5
{
using Shape = std::vector<std::size_t>;

/// A number of 16 bits as IEEE 754 has it (5 of exponent, 10 of fraction), h5py's float16: for storage alone.
struct Half
{
    std::uint16_t bits = 0;
};

/// What a data set or an attribute holds. `boolean` is h5py's: an enumeration of FALSE and TRUE.
enum class Kind
{
    integer,
    real,
    text,
    boolean,
    other
};

/// The number of elements of a shape; 1 for that of a scalar, which is empty; the largest number there is for a product
/// that is larger.
std::size_t element_count(const Shape& shape);

/// What groups and data sets share: a place in a file, and attributes.
class Object
{
public:
    /// "FILE:/path/in/file", for messages.
    const std::string& where() const { return where_; }

    std::vector<std::string> attribute_names() const;
    bool has_attribute(const std::string& name) const;
    Kind attribute_kind(const std::string& name) const;

    /// A scalar attribute, or one of a single element. T: std::int64_t (stored as an integer or a boolean), double (any
    /// number), bool (a boolean, or an integer 0 or 1), std::string.
    /// Throws if there is none of that name, if it is of another kind or has several elements.
    template <typename T>
    T attribute(const std::string& name) const;

    /// An attribute of any shape, row-major. T: std::int64_t, double, std::string. Throws as attribute() does.
    template <typename T>
    std::vector<T> attribute_array(const std::string& name) const;

    /// Replaces what was there. T: std::int64_t, double, bool (as h5py stores it), std::string (UTF-8 without zero
    /// bytes; of variable length, which h5py gives as `str`, in the file's global heap).
    template <typename T>
    void set_attribute(const std::string& name, const T& value);

    /// The same text with its length fixed, beside the object itself: up to 64 kB. h5py gives `bytes`.
    void set_fixed_attribute(const std::string& name, const std::string& value);

    /// A new value for a number that is there, in the place of the old one: nothing else of the file changes.
    void update_attribute(const std::string& name, std::int64_t value);

    /// The same with one dimension. T: std::int64_t, double, std::string.
    template <typename T>
    void set_attribute_array(const std::string& name, const std::vector<T>& values);

protected:
    Object(Id id, std::string where) : id_(std::move(id)), where_(std::move(where)) {}
    Id open_attribute(const std::string& name) const;
    void replace_attribute(const std::string& name, hid_t type, hid_t space, const void* value);

    Id id_;
    std::string where_;
};

/// A data set of numbers or of strings, of any number of dimensions, row-major.
class Dataset : public Object
{
public:
    const Shape& shape() const { return shape_; }
    std::size_t size() const { return element_count(shape_); }
    Kind kind() const { return kind_; }
    /// Bytes of one element in the file.
    std::size_t element_size() const { return element_size_; }
    /// The lengths of a chunk; empty if the elements are stored in one piece.
    Shape chunk() const;
    /// The level of deflate that chunks are compressed with; 0: none.
    int compression() const;
    /// Whether the numbers are unsigned.
    bool is_unsigned() const { return is_unsigned_; }

    /// Everything, converted to T by HDF5, which clips numbers that T cannot hold.
    /// T: float, double, Half, std::int32_t, std::int64_t, std::uint8_t, std::uint32_t, std::uint64_t, std::string.
    /// Throws when strings are asked for and numbers are there, or the other way round.
    template <typename T>
    std::vector<T> read() const;

    /// The one element of a data set that has one.
    template <typename T>
    T read_scalar() const;

    /// Everything into `out`, which has size() elements.
    template <typename T>
    void read_into(std::span<T> out) const;

    /// Rows [first, first + count) of the first dimension into `out`, which has as many elements as they have.
    template <typename T>
    void read_rows(std::size_t first, std::size_t count, std::span<T> out) const;

    /// Numbers only; `values` has size() elements.
    template <typename T>
    void write(std::span<const T> values);

    /// Rows [first, first + count) of the first dimension.
    template <typename T>
    void write_rows(std::size_t first, std::size_t count, std::span<const T> values);

    /// The same by all ranks at once, each its own rows, for a file from File::open_together. Collective: a rank
    /// without rows gives none; where rows are compressed, a rank gives whole chunks. MPI may report success for a
    /// write that was cut short, so read what was written again.
    template <typename T>
    void write_rows_together(std::size_t first, std::size_t count, std::span<const T> values);

    /// Where in the file its elements begin, which are stored in one piece. Throws if they are not.
    std::uint64_t place_in_file() const;
    /// Where its elements are, whether in one piece or in chunks; not those of more than 10,000 chunks, nor those that
    /// were never written.
    std::vector<Piece> pieces_in_file() const;
    /// Bytes of its elements in the file.
    std::uint64_t stored_bytes() const;
    /// Bytes of its elements when they are read as std::int64_t or std::string, without the characters of long strings.
    std::uint64_t bytes_in_memory() const;
    /// Throws if it claims more elements than the file can hold: memory is taken for what is read, and sizes in a file
    /// may be anything.
    void require_held() const;

private:
    friend class Group;
    Dataset(Id id, std::string where);
    Id select_rows(std::size_t first, std::size_t count, std::size_t given) const;
    void require_numbers() const;
    std::uint64_t chunk_count() const;
    void require_texts_held(hid_t type, hid_t space) const;

    Shape shape_;
    Kind kind_ = Kind::other;
    std::size_t element_size_ = 0;
    bool is_unsigned_ = false;
};

/// A folder in a file. Paths may have several components ("paws/case0/rank0").
class Group : public Object
{
public:
    bool has(const std::string& path) const { return has_group(path) || has_dataset(path); }
    bool has_group(const std::string& path) const;
    bool has_dataset(const std::string& path) const;
    /// Names of the children, in the order of their bytes.
    std::vector<std::string> children() const;
    std::vector<std::string> group_names() const;
    std::vector<std::string> dataset_names() const;

    /// Calls `visit` for each data set in this group and those in it, once, however many names it has. Throws if any
    /// link leads out of the file, if a data set's elements are elsewhere (external storage, virtual data sets) or need
    /// a plug-in of HDF5, and if groups are nested in each other in a way that a walk does not end.
    void visit_datasets(const std::function<void(const Dataset&)>& visit) const;

    /// Throws, listing the children that there are.
    Group group(const std::string& path) const;
    Dataset dataset(const std::string& path) const;

    /// Makes the groups on the way as well; what is there already is opened.
    Group create_group(const std::string& path);

    /// A new data set, its contents undefined until written. `chunk_rows` > 0: stored in pieces of so many rows.
    /// `compression` 1 to 9: each of these is deflated at that level, the bytes of its numbers sorted by their weight.
    /// Makes the groups on the way. Throws if something of that name is there.
    template <typename T>
    Dataset create_dataset(const std::string& path, const Shape& shape, std::size_t chunk_rows = 0,
                           int compression = 0);

    /// Another name for what `path` names.
    void link(const std::string& path, const std::string& other_name);

    /// create_dataset and write.
    template <typename T>
    Dataset write(const std::string& path, std::span<const T> values, const Shape& shape, std::size_t chunk_rows = 0);

    /// Strings of one width, that of the longest, padded with zero bytes: compact and without pointers into a heap.
    /// UTF-8; h5py gives `str` with `.asstr()`. Throws if one holds a zero byte.
    Dataset write_strings(const std::string& path, const std::vector<std::string>& values);
    /// The same, one string without a dimension.
    Dataset write_string(const std::string& path, const std::string& value);

protected:
    using Object::Object;
    std::string below(const std::string& path) const;
    bool is_a(const std::string& path, H5I_type_t type) const;
    std::vector<std::string> children_of(H5I_type_t type) const;
    Dataset create(const std::string& path, hid_t type, hid_t space, const Shape& chunk, int compression = 0);
    Dataset write_fixed_strings(const std::string& path, std::span<const std::string> values, hid_t space);
};

/// An open file, which is its root group.
class File : public Group
{
public:
    /// For reading. Before HDF5 sees anything of it, what HDF5 parses is verified: by the header seal
    /// (io/hdf5/header_seal.hpp) that files of ours have, by the seal of those from before there were header seals, up
    /// to 256 MiB, and in others at least the heap (io/hdf5/heap_check.hpp). Throws if it is missing, is not HDF5, is
    /// cut off or damaged; if it leads out of itself (see visit_datasets), and if a data set claims more than the file
    /// can hold.
    static File open(const std::filesystem::path& path);

    /// The same for what this program has just written and not sealed yet: nothing is verified.
    static File open_unsealed(const std::filesystem::path& path);

    /// A new file for writing, which grows in memory until save(). So it reaches the disk in one piece, in order, and
    /// never through HDF5, which cannot close a file, nor end its process in peace, once a disk was full.
    static File create(const std::filesystem::path& path);

    /// For reading and writing by all ranks of `comm`. Collective, as is whatever changes the file, and its end.
    /// Data sets that were created without being written find their place in the file when they are opened.
    static File open_together(const std::filesystem::path& path, MPI_Comm comm);

    /// Writes a file from create() to its path, atomically (see AtomicFile) and with its seals (see make_header_seal,
    /// make_seal). Throws SystemError.
    void save();

    /// The bytes that save() would write, without the seal. They go with the file, and with the next change to it.
    std::string_view image();

    /// Where the elements of all data sets are.
    std::vector<Piece> pieces_in_file() const;

    /// Hands everything to the operating system, for files from open_together().
    void flush();

private:
    File(Id id, const std::filesystem::path& path) : Group(std::move(id), path.string() + ":/"), path_(path) {}

    std::filesystem::path path_;
};
}  // namespace paws::io::h5

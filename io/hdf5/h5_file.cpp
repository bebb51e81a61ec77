#include <fcntl.h>

#include <array>
#include <cstdlib>
#include <fstream>

#include "io/files/atomic_file.hpp"
#include "io/files/checksum.hpp"
#include "io/files/descriptor.hpp"
#include "io/files/input_path.hpp"
#include "io/files/seal.hpp"
#include "io/hdf5/h5.hpp"
#include "io/hdf5/h5_type.hpp"
#include "io/hdf5/header_seal.hpp"
#include "io/hdf5/heap_check.hpp"

// H5Pset_file_locking came with 1.10.7 and, in the next line of versions, with 1.12.1.
#if H5_VERSION_GE(1, 12, 1) || (H5_VERSION_GE(1, 10, 7) && !H5_VERSION_GE(1, 12, 0))
#define PAWS_IO_HAS_FILE_LOCKING 1
#else
#define PAWS_IO_HAS_FILE_LOCKING 0
#endif

namespace paws::io::h5
{
namespace
{
/// Access to a file. Formats from HDF5 1.8 on carry checksums of their own structure.
Id file_access(const std::string& where)
{
    Id access = make_properties(H5P_FILE_ACCESS, where);
    call("H5Pset_libver_bounds", where, H5Pset_libver_bounds, access.get(), H5F_LIBVER_V18, H5F_LIBVER_LATEST);
#if PAWS_IO_HAS_FILE_LOCKING
    // Files appear whole, by a rename, so locks protect nothing; parallel file systems often do not have them.
    call("H5Pset_file_locking", where, H5Pset_file_locking, access.get(), false, true);
#endif
    return access;
}

/// Throws if what HDF5 parses is damaged, as far as that can be told without it.
void require_sound(const std::filesystem::path& path)
{
    // Reading this much takes a moment; larger files from before there were header seals are not read through for it.
    constexpr std::uint64_t most = std::uint64_t{256} << 20;
    std::error_code error;
    if (verify_header(path) || (std::filesystem::file_size(path, error) <= most && !error && verify_seal(path)))
    {
        return;
    }
    require_sound_heap(path);
}

/// Why HDF5 could not open a file, in a user's terms.
[[noreturn]] void refuse(const std::filesystem::path& path, const std::string& reason)
{
    const std::string name = path.string();
    std::ifstream stream(path, std::ios::binary);
    constexpr std::array<char, 8> signature = {'\x89', 'H', 'D', 'F', '\r', '\n', '\x1a', '\n'};
    std::array<char, 8> begin{};
    stream.read(begin.data(), begin.size());
    if (begin != signature)
    {
        throw Error(name + ": is not an HDF5 file; give one that paws_hpc wrote");
    }
    // What a user asks of HDF5 by this variable comes before what this program asks of it.
    const bool locks = PAWS_IO_HAS_FILE_LOCKING == 0 || std::getenv("HDF5_USE_FILE_LOCKING") != nullptr;
    if (locks && Descriptor(path, O_RDONLY).try_lock() != Descriptor::Lock::taken)
    {
        throw Error(name + ": cannot be locked (" + reason +
                    "); files of paws_hpc need no locks, set HDF5_USE_FILE_LOCKING=FALSE");
    }
    throw Error(name + ": is cut off or damaged; copy or make it again (" + reason + ")");
}
}  // namespace

File File::open(const std::filesystem::path& path)
{
    require_file(path);
    require_sound(path);
    try
    {
        File file = open_unsealed(path);
        file.visit_datasets([](const Dataset& dataset) { dataset.require_held(); });
        return file;
    }
    catch (const SystemError& error)
    {
        refuse(path, error.reason());
    }
}

File File::open_unsealed(const std::filesystem::path& path)
{
    const std::string name = path.string();
    const Id access = file_access(name);
    return {Id(call("H5Fopen", name, H5Fopen, name.c_str(), H5F_ACC_RDONLY, access.get()), H5Fclose), path};
}

File File::open_together(const std::filesystem::path& path, MPI_Comm comm)
{
    const std::string name = path.string();
    const Id access = file_access(name);
    call("H5Pset_fapl_mpio", name, H5Pset_fapl_mpio, access.get(), comm, MPI_INFO_NULL);
    return {Id(call("H5Fopen", name, H5Fopen, name.c_str(), H5F_ACC_RDWR, access.get()), H5Fclose), path};
}

File File::create(const std::filesystem::path& path)
{
    const std::string name = path.string();
    const Id access = file_access(name);
    constexpr std::size_t growth = std::size_t{16} << 20;
    call("H5Pset_fapl_core", name, H5Pset_fapl_core, access.get(), growth, false);
    const Id creation = creation_without_times(H5P_FILE_CREATE, name);
    return {Id(call("H5Fcreate", name, H5Fcreate, name.c_str(), H5F_ACC_TRUNC, creation.get(), access.get()), H5Fclose),
            path};
}

void File::save()
{
    const std::string_view bytes = image();
    const std::string header = make_header_seal(bytes, pieces_in_file());
    const std::uint32_t sum = crc32(std::as_bytes(std::span(header)), crc32(std::as_bytes(std::span(bytes))));
    write_atomically(path_, {bytes, header, make_seal(Seal{bytes.size() + header.size(), sum})});
}

std::vector<Piece> File::pieces_in_file() const
{
    std::vector<Piece> all;
    visit_datasets(
        [&](const Dataset& dataset)
        {
            const auto pieces = dataset.pieces_in_file();
            all.insert(all.end(), pieces.begin(), pieces.end());
        });
    return all;
}

std::string_view File::image()
{
    flush();
    const ssize_t size =
        call("H5Fget_file_image", where_, H5Fget_file_image, id_.get(), static_cast<void*>(nullptr), std::size_t{0});
    // For a file in memory the handle is the place of the pointer to its first byte.
    void* handle = nullptr;
    call("H5Fget_vfd_handle", where_, H5Fget_vfd_handle, id_.get(), H5P_DEFAULT, &handle);
    return {*static_cast<const char**>(handle), static_cast<std::size_t>(size)};
}

void File::flush()
{
    call("H5Fflush", where_, H5Fflush, id_.get(), H5F_SCOPE_GLOBAL);
}
}  // namespace paws::io::h5

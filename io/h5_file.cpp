#include <array>
#include <fstream>

#include "io/atomic_file.hpp"
#include "io/h5.hpp"
#include "io/h5_type.hpp"
#include "io/input_path.hpp"
#include "io/seal.hpp"

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
    throw Error(name + ": is cut off or damaged; copy or make it again (" + reason + ")");
}

}  // namespace

File File::open(const std::filesystem::path& path)
{
    require_file(path);
    const std::string name = path.string();
    const Id access = file_access(name);
    try
    {
        return {Id(call("H5Fopen", name, H5Fopen, name.c_str(), H5F_ACC_RDONLY, access.get()), H5Fclose), path};
    }
    catch (const SystemError& error)
    {
        refuse(path, error.reason());
    }
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
    write_atomically(path_, {bytes, make_seal(bytes)});
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

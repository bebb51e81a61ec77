#include "io/hdf5/h5_call.hpp"

#include <algorithm>
#include <atomic>
#include <cstdint>

#include "io/base/error.hpp"
#include "io/hdf5/h5.hpp"

namespace paws::io::h5
{
namespace
{
/// Whether the library is initialised. A thread that is inside a Session finds it so.
std::atomic<bool> is_open = false;

std::mutex& library_mutex()
{
    static std::mutex mutex;
    return mutex;
}

extern "C" herr_t keep_innermost(unsigned depth, const H5E_error2_t* error, void* text)
{
    if (depth == 0 && error->desc)
    {
        *static_cast<std::string*>(text) = error->desc;
    }
    return 0;
}

/// HDF5's reason as a user wants it: the system's own words where it quotes them, on one line.
std::string readable(std::string reason)
{
    constexpr std::string_view quoted = "error message = '";
    const auto begin = reason.find(quoted);
    if (begin != std::string::npos)
    {
        const auto end = reason.find('\'', begin + quoted.size());
        reason = reason.substr(begin + quoted.size(), end - begin - quoted.size());
    }
    std::replace(reason.begin(), reason.end(), '\n', ' ');
    return reason.empty() ? "no reason given" : reason;
}
}  // namespace

namespace detail
{
Session::Session() noexcept : lock_(library_mutex())
{
    if (!is_open)
    {
        H5open();
        // Plug-ins for filters are code that a file could ask for; files that need one are refused by name.
        H5PLset_loading_state(0);
        // Of damaged files HDF5 keeps parts that it cannot close when it ends, and would say so after all is said.
        H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
        is_open = true;
    }
    H5Eget_auto2(H5E_DEFAULT, &print_, &print_data_);
    H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
}

Session::~Session()
{
    H5Eset_auto2(H5E_DEFAULT, print_, print_data_);
}

int opened() noexcept
{
    if (!is_open)
    {
        const Session session;
    }
    return 0;
}

void fail(const char* name, const std::string& where)
{
    std::string reason;
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, keep_innermost, &reason);
    throw SystemError(where, std::string(name) + " failed: " + readable(reason));
}
}  // namespace detail

Id& Id::operator=(Id&& other) noexcept
{
    if (this != &other)
    {
        reset();
        id_ = std::exchange(other.id_, H5I_INVALID_HID);
        close_ = other.close_;
    }
    return *this;
}

void Id::reset() noexcept
{
    if (id_ >= 0)
    {
        const detail::Session session;
        close_(id_);
        id_ = H5I_INVALID_HID;
    }
}

Id open_object(hid_t location, const std::string& path, const std::string& where)
{
    return {call("H5Oopen", where, H5Oopen, location, path.c_str(), H5P_DEFAULT), H5Oclose};
}

template <>
hid_t native_type<float>()
{
    return H5T_NATIVE_FLOAT;
}
template <>
hid_t native_type<double>()
{
    return H5T_NATIVE_DOUBLE;
}
template <>
hid_t native_type<Half>()
{
    // HDF5 1.10 has none; it ends with the library.
    static const hid_t half = []
    {
        const detail::Session session;
        const hid_t type = H5Tcopy(H5T_IEEE_F32LE);
        if (type < 0 || H5Tset_fields(type, 15, 10, 5, 0, 10) < 0 || H5Tset_size(type, sizeof(Half)) < 0 ||
            H5Tset_ebias(type, 15) < 0 || H5Tlock(type) < 0)
        {
            detail::fail("H5Tset_fields", "float16");
        }
        return type;
    }();
    return half;
}
template <>
hid_t native_type<std::int32_t>()
{
    return H5T_NATIVE_INT32;
}
template <>
hid_t native_type<std::int64_t>()
{
    return H5T_NATIVE_INT64;
}
template <>
hid_t native_type<std::uint8_t>()
{
    return H5T_NATIVE_UINT8;
}
template <>
hid_t native_type<std::uint32_t>()
{
    return H5T_NATIVE_UINT32;
}
template <>
hid_t native_type<std::uint64_t>()
{
    return H5T_NATIVE_UINT64;
}
}  // namespace paws::io::h5

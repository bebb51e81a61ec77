#pragma once

// How this layer calls HDF5: one checked wrapper, and one owner of identifiers.

#include <hdf5.h>

#include <mutex>
#include <string>
#include <utility>

// HDF5's names for types and property lists (H5T_NATIVE_INT32, H5P_FILE_ACCESS) call H5open() first: as arguments,
// outside of any Session, where another thread may just be initialising the library.
#undef H5OPEN
#define H5OPEN paws::io::h5::detail::opened(),

namespace paws::io::h5
{
namespace detail
{
/// While it lives, this thread alone is inside HDF5 and HDF5 does not print its error stack.
/// The parallel builds of HDF5 are not thread-safe, and loaders and checkpoint writers run in threads of their own.
class Session
{
public:
    Session() noexcept;
    ~Session();
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

private:
    std::unique_lock<std::mutex> lock_;
    H5E_auto2_t print_ = nullptr;
    void* print_data_ = nullptr;
};

/// The library has been initialised when this returns. Inside a Session or outside of one.
int opened() noexcept;

/// Throws Error with the name of the call, where it happened and HDF5's innermost reason. Inside a Session only.
[[noreturn]] void fail(const char* call, const std::string& where);
}  // namespace detail

/// Calls `function(arguments...)` of HDF5 and throws paws::io::SystemError when it reports failure by a negative
/// result. `name` is the function's name, `where` the file and object, both for the message.
template <typename Function, typename... Arguments>
auto call(const char* name, const std::string& where, Function function, Arguments... arguments)
{
    const detail::Session session;
    const auto result = function(arguments...);
    if (result < 0)
    {
        detail::fail(name, where);
    }
    return result;
}

/// Owns one HDF5 identifier; closes it when it goes, and says nothing if that fails.
class Id
{
public:
    using Close = herr_t (*)(hid_t);

    Id() = default;
    Id(hid_t id, Close closer) noexcept : id_(id), close_(closer) {}
    Id(Id&& other) noexcept : id_(std::exchange(other.id_, H5I_INVALID_HID)), close_(other.close_) {}
    Id& operator=(Id&& other) noexcept;
    ~Id() { reset(); }

    hid_t get() const noexcept { return id_; }

private:
    void reset() noexcept;

    hid_t id_ = H5I_INVALID_HID;
    Close close_ = nullptr;
};

/// The identifier of what a path names and the way to close it: H5Gclose, H5Dclose, ...
Id open_object(hid_t location, const std::string& path, const std::string& where);

struct Half;

/// The type in memory of C++'s `T`. Built in: never closed.
template <typename T>
hid_t native_type();
template <>
hid_t native_type<float>();
template <>
hid_t native_type<double>();
template <>
hid_t native_type<Half>();
template <>
hid_t native_type<std::int32_t>();
template <>
hid_t native_type<std::int64_t>();
template <>
hid_t native_type<std::uint8_t>();
template <>
hid_t native_type<std::uint32_t>();
template <>
hid_t native_type<std::uint64_t>();
}  // namespace paws::io::h5

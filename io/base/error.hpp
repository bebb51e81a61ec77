#pragma once

#include <string>
#include <utility>

#include "io/ranks/bad_input.hpp"

namespace paws::io
{
/// Anything that files can do wrong: missing, cut off, of another format, unwritable.
/// The message is one line that says what is wrong, in which file, and what to do about it.
class Error : public ranks::BadInput
{
public:
    using ranks::BadInput::BadInput;
};

/// A call of the operating system or of HDF5 that failed.
class SystemError : public Error
{
public:
    /// `reason`: the call and why it failed; `where`: the file, and the place in it.
    SystemError(const std::string& where, std::string reason) : Error(where + ": " + reason), reason_(std::move(reason))
    {
    }

    const std::string& reason() const noexcept { return reason_; }

private:
    std::string reason_;
};
}  // namespace paws::io

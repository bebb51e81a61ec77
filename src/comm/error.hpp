#pragma once

#include <stdexcept>

namespace paws::comm
{
/// A call of a message-passing library that failed, or that other ranks did not answer in time; the message quotes the
/// call and says what the library says.
struct Error : std::runtime_error
{
    using std::runtime_error::runtime_error;
};
}  // namespace paws::comm

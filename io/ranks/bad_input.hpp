#pragma once

#include <stdexcept>

namespace paws::ranks
{
/// The base of all errors that the user can do something about: settings, files, data. The message is one line that
/// says what is wrong, where, and what to do. A program that ends with one has changed nothing.
struct BadInput : std::runtime_error
{
    using std::runtime_error::runtime_error;
};
}  // namespace paws::ranks

#pragma once

#include <string>

#include "io/ranks/agreed.hpp"
#include "io/ranks/failure.hpp"

namespace paws::comm
{
using ranks::bad_input;
using ranks::failed;
using ranks::Failure;
using ranks::rank_on_host;
using ranks::success;

/// The text up to its first line break.
std::string first_line(const std::string& text);
}  // namespace paws::comm

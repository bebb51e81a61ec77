#pragma once

#include <string>

namespace paws::ranks
{
/// The name of this machine, as it calls itself.
std::string host_name();
}  // namespace paws::ranks

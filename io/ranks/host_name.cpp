#include "io/ranks/host_name.hpp"

#include <unistd.h>

namespace paws::ranks
{
std::string host_name()
{
    std::string name(256, '\0');
    return ::gethostname(name.data(), name.size() - 1) == 0 ? name.substr(0, name.find('\0')) : "unknown-host";
}
}  // namespace paws::ranks

#include "io/base/host_name.hpp"

#include <unistd.h>

namespace paws::io
{
std::string host_name()
{
    std::string name(256, '\0');
    return ::gethostname(name.data(), name.size() - 1) == 0 ? name.substr(0, name.find('\0')) : "unknown-host";
}
}  // namespace paws::io

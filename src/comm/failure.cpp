#include "src/comm/failure.hpp"

#include "io/base/printable.hpp"

namespace paws::comm
{
std::string first_line(const std::string& text)
{
    return io::printable(text.substr(0, text.find_first_of("\r\n")));
}
}  // namespace paws::comm

#include "src/data/corrupt_report.hpp"

#include <fmt/format.h>

#include <sstream>

#include "io/base/printable.hpp"

namespace paws::data
{
namespace
{
constexpr std::size_t most_lines = 10;
}  // namespace

std::vector<std::string> corrupt_report(const std::set<std::string>& mine, comm::Communicator& communicator)
{
    std::string text;
    for (const auto& line : mine)
    {
        text += io::printable(line) + "\n";
    }
    std::set<std::string> all;
    for (const auto& lines : communicator.group().gather_texts(text))
    {
        std::istringstream stream(lines);
        for (std::string line; std::getline(stream, line);)
        {
            all.insert(line);
        }
    }
    std::vector<std::string> report;
    for (const auto& line : all)
    {
        if (report.size() == most_lines)
        {
            report.push_back(fmt::format("replaced (data.skip_broken): {} more", all.size() - most_lines));
            break;
        }
        report.push_back("replaced (data.skip_broken): " + line);
    }
    return report;
}
}  // namespace paws::data

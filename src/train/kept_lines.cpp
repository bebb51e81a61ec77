#include "src/train/kept_lines.hpp"

#include "io/read_file.hpp"

namespace paws::train
{
std::string kept_lines(const std::filesystem::path& path, const LogStart& start,
                       const std::function<std::optional<LoggedPlace>(const std::string& line)>& place_of)
{
    std::string kept;
    if (start.fresh || !std::filesystem::exists(path))
    {
        return kept;
    }
    const std::string all = io::read_file(path);
    for (std::size_t begin = 0; begin < all.size();)
    {
        const auto end = all.find('\n', begin);
        if (end == std::string::npos)
        {
            break;  // a line that was cut off
        }
        const std::string line = all.substr(begin, end - begin);
        if (const auto place = place_of(line); place && start.keeps(place->epoch, place->step))
        {
            kept += line + '\n';
        }
        begin = end + 1;
    }
    return kept;
}
}  // namespace paws::train

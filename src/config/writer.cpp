#include "src/config/config.hpp"
#include "src/config/enums.hpp"
#include "src/config/keys.hpp"
#include "src/config/paths.hpp"
#include "src/config/yaml_value.hpp"

namespace paws::config
{
namespace
{
/// What reads as this path.
std::string to_path(const std::string& path)
{
    return to_scalar(written_path(path));
}

std::string to_path(const std::optional<std::string>& path)
{
    return path ? to_path(*path) : "null";
}

template <typename T>
std::string to_path(const T& value)
{
    return to_value(value);
}
}  // namespace

std::string Config::to_yaml() const
{
    std::string yaml = "task: " + word_from_enum(task) + "\n";
    std::string open_section;
    for_each_key(*this,
                 [&](const std::string& key, const auto& member, TaskSet tasks, const About&)
                 {
                     if (!tasks.contains(task))
                     {
                         return;
                     }
                     const auto dot = key.find('.');
                     if (key.substr(0, dot) != open_section)
                     {
                         open_section = key.substr(0, dot);
                         yaml += open_section + ":\n";
                     }
                     yaml +=
                         "  " + key.substr(dot + 1) + ": " + (is_path(key) ? to_path(member) : to_value(member)) + "\n";
                 });
    return yaml;
}
}  // namespace paws::config

#include "src/config/keys.hpp"

#include <algorithm>

namespace paws::config
{
namespace
{
/// Calls visit(key, tasks) for every row of the table, whatever the members.
template <typename Visitor>
void for_each_row(Visitor&& visit)
{
    static const Config any;
    for_each_key(any, [&](const char* key, const auto&, TaskSet tasks, const About&) { visit(key, tasks); });
}
}  // namespace

bool is_section(const std::string& name)
{
    constexpr std::array sections{"meta", "criterion", "data", "optimization", "logging", "embed"};
    return std::find(sections.begin(), sections.end(), name) != sections.end();
}

std::vector<std::string> all_keys()
{
    std::vector<std::string> keys{"task"};
    for_each_row([&](const char* key, TaskSet) { keys.emplace_back(key); });
    for (const InertKey& inert : inert_keys)
    {
        keys.emplace_back(inert.key);
    }
    for (const MovedKey& moved : moved_keys)
    {
        keys.emplace_back(moved.published);
    }
    return keys;
}

std::string moved_key(const std::string& key)
{
    const auto* const found = std::find_if(moved_keys.begin(), moved_keys.end(),
                                           [&](const MovedKey& moved) { return key == moved.published; });
    return found == moved_keys.end() ? key : found->key;
}

bool applies(const std::string& key, Task task)
{
    bool result = false;
    for_each_row([&](const char* name, TaskSet tasks) { result = result || (key == name && tasks.contains(task)); });
    return result;
}
}  // namespace paws::config

#include <algorithm>

#include "src/config/config.hpp"
#include "src/config/defaults.hpp"
#include "src/config/enums.hpp"
#include "src/config/keys.hpp"
#include "src/config/nearest.hpp"
#include "src/config/overrides.hpp"
#include "src/config/paths.hpp"
#include "src/config/task.hpp"
#include "src/config/validate.hpp"
#include "src/config/yaml_reader.hpp"

namespace paws::config
{
namespace
{
void check_keys(const Document& document)
{
    const auto known = all_keys();
    for (const Entry& entry : document.entries())
    {
        if (std::find(known.begin(), known.end(), entry.key) == known.end())
        {
            fail(entry.where, entry.key, "unknown key" + did_you_mean(entry.key, known));
        }
    }
}

/// Reads what is given into the members that mean something for the task; the others are checked for their type alone.
void read_members(Config& config, const Document& document)
{
    for_each_key(config,
                 [&](const char* key, auto& member, TaskSet tasks, const About&)
                 {
                     if (const Entry* entry = document.find(key))
                     {
                         auto value = member;
                         read_value(*entry, value);
                         if (tasks.contains(config.task))
                         {
                             member = value;
                         }
                     }
                 });
}

void collect_notices(Config& config, const Document& document)
{
    for (const InertKey& inert : inert_keys)
    {
        if (document.has(inert.key))
        {
            config.notices.push_back(document.where(inert.key) + ": " + inert.key + ": no effect here; " +
                                     inert.reason);
        }
    }
    // The file of a training run is full of keys that its evaluation does not need; that is nothing to talk about.
    if (!all_training.contains(config.task))
    {
        return;
    }
    for_each_key(config,
                 [&](const char* key, const auto&, TaskSet tasks, const About&)
                 {
                     if (document.has(key) && !tasks.contains(config.task))
                     {
                         config.notices.push_back(document.where(key) + ": " + key + ": is not used by " +
                                                  word_from_enum(config.task));
                     }
                 });
}

Config resolve(Document document, const std::vector<std::string>& overrides, const std::string& selected_task)
{
    for (const MovedKey& moved : moved_keys)
    {
        document.move(moved.published, moved.key);
    }
    apply_overrides(document, overrides);
    check_keys(document);

    Config config;
    config.task = decide_task(document, selected_task);
    check_required(document, config.task);
    // Twice: some defaults depend on what is given, and what is given goes over the defaults.
    read_members(config, document);
    set_defaults(config);
    read_members(config, document);
    expand_paths(config, document);
    check_values(config, document);
    collect_notices(config, document);
    return config;
}
}  // namespace

Config load(const std::string& path, const std::vector<std::string>& overrides, const std::string& selected_task)
{
    return resolve(Document::from_file(path), overrides, selected_task);
}

Config parse(const std::string& text, const std::string& name, const std::vector<std::string>& overrides,
             const std::string& selected_task)
{
    return resolve(Document::from_text(text, name), overrides, selected_task);
}
}  // namespace paws::config

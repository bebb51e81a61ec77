#include "src/config/reference.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include "src/config/enums.hpp"
#include "src/config/keys.hpp"
#include "src/config/paths.hpp"
#include "src/config/validate.hpp"
#include "src/config/yaml_value.hpp"

namespace paws::config
{
namespace
{
constexpr std::string_view introduction = R"(# Configuration reference

This page is the output of `paws_hpc --print-settings markdown`.

A configuration is a YAML file with one mapping per section, and `task:` at the top level:
{every_task}.
Where it is missing, it is inferred from the keys. On the command line, a key is `--set section.key=value`.
[Commands](commands.md#configuration-files) describes paths, merged sections and unknown keys.

- **Default**: *required* keys have none. *Small images* are CIFAR-10 and packed files (`dataset: hdf5`), *photographs* ImageNet and
  folders. *Pre-training* is {pre_training}, *fine-tuning* is {fine_tuning}.
- **Tasks**: those in which the key has a meaning. *Training* is pre-training and fine-tuning. Other tasks ignore the key.
)";

struct SectionTitle
{
    const char* name;
    const char* holds;
};

constexpr std::array sections{
    SectionTitle{"meta", "Network, device, arithmetic, ranks."},
    SectionTitle{"criterion", "Batches, which are per rank, and losses."},
    SectionTitle{"data", "Images, labels, augmentation."},
    SectionTitle{"optimization", "Optimiser and schedule: see [Methods](methods.md#optimiser-and-schedule)."},
    SectionTitle{"logging", "Files, and how often they are written. `TAG` is the value of `write_tag`."},
    SectionTitle{"embed", "What the task `embed` writes."},
};

std::string code(const std::string& text)
{
    return "`" + text + "`";
}

// Types in words, one function for each type of a member.
std::string type_of(const bool&)
{
    return "true or false";
}
std::string type_of(const std::int64_t&)
{
    return "whole number";
}
std::string type_of(const double&)
{
    return "number";
}
std::string type_of(const std::string&)
{
    return "text";
}
template <typename Enum>
requires std::is_enum_v<Enum> std::string type_of(const Enum&)
{
    std::vector<std::string> words;
    for (const auto& word : all_words<Enum>())
    {
        words.push_back(code(word));
    }
    return fmt::format("{}", fmt::join(words, ", "));
}
template <typename T>
std::string type_of(const std::optional<T>&)
{
    return type_of(T{}) + " or `null`";
}
template <typename T>
std::string type_of(const std::vector<T>&)
{
    return "list";
}
template <typename T, std::size_t N>
std::string type_of(const std::array<T, N>&)
{
    return fmt::format("{} numbers", N);
}

template <typename T>
std::string type_of_key(const char* key, const T& member)
{
    auto type = type_of(member);
    if (is_path(key))
    {
        type.replace(0, std::string_view("text").size(), "path");
    }
    return type;
}

/// Those of `tasks`.
std::vector<Task> tasks_in(TaskSet tasks)
{
    std::vector<Task> found;
    for (const auto& [word, task] : words_of<Task>)
    {
        if (tasks.contains(task))
        {
            found.push_back(task);
        }
    }
    return found;
}

std::vector<std::string> names_of(const std::vector<Task>& tasks)
{
    std::vector<std::string> names;
    for (const auto task : tasks)
    {
        names.push_back(code(word_from_enum(task)));
    }
    return names;
}

/// "`a`, `b` and `c`".
std::string sentence_of(TaskSet tasks, const char* conjunction)
{
    auto names = names_of(tasks_in(tasks));
    const auto last = names.back();
    names.pop_back();
    return names.empty() ? last : fmt::format("{} {} {}", fmt::join(names, ", "), conjunction, last);
}

std::string listed(const std::vector<Task>& tasks)
{
    struct Name
    {
        TaskSet tasks;
        const char* name;
    };
    constexpr std::array names{Name{every_task, "all"}, Name{all_training, "training"},
                               Name{pre_training, "pre-training"}, Name{fine_tuning, "fine-tuning"}};
    for (const auto& [set, name] : names)
    {
        if (tasks_in(set) == tasks)
        {
            return name;
        }
    }
    return fmt::format("{}", fmt::join(names_of(tasks), ", "));
}

template <typename T>
std::string default_of(const char* key, const T& member, TaskSet tasks, const About& about)
{
    const std::string_view in_words = about.default_value;
    // An empty text says nothing.
    const auto literal = to_value(member) == "\"\"" ? std::string("empty") : code(to_value(member));
    const auto otherwise = in_words.empty() ? literal : std::string(in_words);
    auto requiring = tasks_in(tasks);
    const auto all = requiring.size();
    std::erase_if(requiring, [&](Task task) { return !is_required(key, task); });
    if (requiring.size() == all)
    {
        return "*required*";
    }
    return requiring.empty() ? otherwise : fmt::format("*required* for {}; otherwise {}", listed(requiring), otherwise);
}
}  // namespace

std::string reference_markdown()
{
    static const Config defaults;
    auto page = fmt::format(introduction, fmt::arg("every_task", sentence_of(every_task, "or")),
                            fmt::arg("pre_training", sentence_of(pre_training, "and")),
                            fmt::arg("fine_tuning", sentence_of(fine_tuning, "and")));
    for (const auto& section : sections)
    {
        page +=
            fmt::format("\n## {}\n{}\n\n| key | type | unit | default | meaning | tasks |\n|---|---|---|---|---|---|\n",
                        section.name, section.holds);
        const auto prefix = std::string(section.name) + ".";
        for_each_key(defaults,
                     [&](const char* key, const auto& member, TaskSet tasks, const About& about)
                     {
                         const std::string name = key;
                         if (name.starts_with(prefix))
                         {
                             page += fmt::format("| `{}` | {} | {} | {} | {} | {} |\n", name.substr(prefix.size()),
                                                 type_of_key(key, member), about.unit,
                                                 default_of(key, member, tasks, about), about.meaning,
                                                 listed(tasks_in(tasks)));
                         }
                     });
    }
    page += "\n## Keys without effect\nThey are accepted in published files, with a notice.\n\n";
    for (const InertKey& inert : inert_keys)
    {
        page += fmt::format("- `{}`: {}\n", inert.key, inert.reason);
    }
    page += "\nOther names of keys:\n\n";
    for (const MovedKey& moved : moved_keys)
    {
        page += fmt::format("- `{}` means `{}`\n", moved.published, moved.key);
    }
    return page;
}
}  // namespace paws::config

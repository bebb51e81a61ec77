#include "src/config/task.hpp"

#include <fmt/format.h>

#include <set>

#include "src/config/enums.hpp"
#include "src/config/nearest.hpp"

namespace paws::config
{
namespace
{
/// Keys that one task alone has.
struct Clue
{
    const char* key;
    Task task;
};

constexpr std::array clues{
    Clue{"criterion.me_max", Task::paws_train},
    Clue{"criterion.sharpen", Task::paws_train},
    Clue{"data.multicrop", Task::paws_train},
    Clue{"criterion.supervised_epochs", Task::suncet_train},
    Clue{"criterion.supervised_batch_size", Task::snn_fine_tune},
    Clue{"meta.training", Task::fine_tune},
    Clue{"optimization.zero_init", Task::fine_tune},
};

Task task_from_selection(const std::string& selected)
{
    const auto task = enum_from_word<Task>(selected);
    if (!task)
    {
        throw Error(fmt::format("--sel {}: unknown task{}; there are {}", selected,
                                did_you_mean(selected, all_words<Task>()), listed_words<Task>()));
    }
    return *task;
}

Task infer_task(const Document& document)
{
    std::set<Task> candidates;
    for (const Clue& clue : clues)
    {
        if (document.has(clue.key))
        {
            candidates.insert(clue.task);
        }
    }
    if (candidates.size() != 1)
    {
        fail(document.name(), "task",
             fmt::format("missing, and the other keys {}; write `task: NAME` or use --sel NAME with one of {}",
                         candidates.empty() ? "do not tell" : "contradict each other", listed_words<Task>()));
    }
    return *candidates.begin();
}
}  // namespace

std::string hint_of_other_task(const Document& document, Task task)
{
    const Clue* other = nullptr;
    for (const Clue& clue : clues)
    {
        if (document.has(clue.key))
        {
            if (clue.task == task)
            {
                return "";
            }
            other = &clue;
        }
    }
    return other ? fmt::format("; {} is a key of {}", other->key, word_from_enum(other->task)) : "";
}

Task decide_task(const Document& document, const std::string& selected)
{
    const Entry* written = document.find("task");
    if (selected.empty() && !written)
    {
        return infer_task(document);
    }
    if (!written)
    {
        return task_from_selection(selected);
    }
    Task task{};
    read_value(*written, task);
    if (selected.empty())
    {
        return task;
    }
    const Task chosen = task_from_selection(selected);
    const bool only_reads = chosen == Task::snn_eval || chosen == Task::embed;
    if (chosen != task && !only_reads)
    {
        fail(written->where, "task",
             fmt::format("says {}, but --sel says {}; leave one out", word_from_enum(task), selected));
    }
    return chosen;
}
}  // namespace paws::config

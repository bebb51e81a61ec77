#include "src/config/task.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <vector>

#include "src/config/enums.hpp"
#include "src/config/nearest.hpp"

namespace paws::config
{
namespace
{
/// A key of the document that one task alone has.
struct Clue
{
    const char* key;
    Task task;
};

std::vector<Clue> clues_in(const Document& document)
{
    std::vector<Clue> found;
    for (const auto& row : task_table)
    {
        for (const auto* const key : row.clues)
        {
            if (key != nullptr && document.has(key))
            {
                found.push_back({key, row.task});
            }
        }
    }
    return found;
}

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
    for (const auto& clue : clues_in(document))
    {
        candidates.insert(clue.task);
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
    const auto clues = clues_in(document);
    const bool is_of_task =
        std::any_of(clues.begin(), clues.end(), [&](const Clue& clue) { return clue.task == task; });
    return clues.empty() || is_of_task
               ? ""
               : fmt::format("; {} is a key of {}", clues.back().key, word_from_enum(clues.back().task));
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
    if (chosen != task && all_training.contains(chosen))
    {
        fail(written->where, "task",
             fmt::format("says {}, but --sel says {}; leave one out", word_from_enum(task), selected));
    }
    return chosen;
}
}  // namespace paws::config

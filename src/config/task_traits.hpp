#pragma once

// What tells the tasks apart wherever code serves several of them: one row a task. Code that asks for a property goes
// on working when a task is added.

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>

#include "src/config/config.hpp"

namespace paws::config
{
enum class TaskKind
{
    pre_training,
    fine_tuning,  // starts from a checkpoint
    evaluation    // reads a checkpoint, and trains nothing
};

struct TaskTraits
{
    Task task;
    const char* word;  ///< in YAML files and on the command line
    TaskKind kind;
    const char* batch_key;               ///< what makes a step's batch smaller, where memory is short
    std::array<const char*, 3> clues{};  ///< keys that this task alone has, which say the task where a file does not

    /// Class-stratified supports: the key of the images of each class in a rank's batch, and its member; none without.
    const char* key_of_supports = nullptr;
    std::int64_t Criterion::*images_per_class = nullptr;
    /// Epochs with supports, from the first on; none: all.
    std::int64_t Criterion::*supervised_epochs = nullptr;

    bool has_classifier = false;  ///< the network ends in a layer of classes, and not in a projection head
    /// Whether images are classified among the classes of the labelled ones, which may be without some.
    bool (*classifies)(const Config& config) = [](const Config&) { return false; };
};

inline constexpr std::array task_table{
    TaskTraits{.task = Task::paws_train,
               .word = "paws_train",
               .kind = TaskKind::pre_training,
               .batch_key = "criterion.unsupervised_batch_size",
               .clues = {"criterion.me_max", "criterion.sharpen", "data.multicrop"},
               .key_of_supports = "criterion.supervised_imgs_per_class",
               .images_per_class = &Criterion::supervised_imgs_per_class},
    TaskTraits{.task = Task::suncet_train,
               .word = "suncet_train",
               .kind = TaskKind::pre_training,
               .batch_key = "criterion.unsupervised_batch_size",
               .clues = {"criterion.supervised_epochs"},
               .key_of_supports = "criterion.supervised_imgs_per_class",
               .images_per_class = &Criterion::supervised_imgs_per_class,
               .supervised_epochs = &Criterion::supervised_epochs},
    TaskTraits{.task = Task::snn_fine_tune,
               .word = "snn_fine_tune",
               .kind = TaskKind::fine_tuning,
               .batch_key = "criterion.supervised_batch_size",
               .clues = {"criterion.supervised_batch_size"},
               .key_of_supports = "criterion.supervised_batch_size",
               .images_per_class = &Criterion::supervised_batch_size},
    TaskTraits{.task = Task::fine_tune,
               .word = "fine_tune",
               .kind = TaskKind::fine_tuning,
               .batch_key = "optimization.batch_size",
               .clues = {"meta.training", "optimization.zero_init"},
               .has_classifier = true,
               .classifies = [](const Config&) { return true; }},
    TaskTraits{.task = Task::snn_eval,
               .word = "snn_eval",
               .kind = TaskKind::evaluation,
               .batch_key = "data.evaluation_batch_size",
               .classifies = [](const Config&) { return true; }},
    TaskTraits{.task = Task::embed,
               .word = "embed",
               .kind = TaskKind::evaluation,
               .batch_key = "data.evaluation_batch_size",
               .classifies = [](const Config& config) { return config.embed.probabilities; }},
};

/// The rows stand in the enumeration's order.
constexpr const TaskTraits& traits_of(Task task)
{
    return task_table.at(static_cast<std::size_t>(task));
}
static_assert(
    []
    {
        for (std::size_t row = 0; row < task_table.size(); ++row)
        {
            if (task_table.at(row).task != static_cast<Task>(row))
            {
                return false;
            }
        }
        return true;
    }(),
    "the rows of task_table stand in the order of Task");

class TaskSet
{
public:
    constexpr TaskSet(std::initializer_list<Task> tasks)
    {
        for (const Task task : tasks)
        {
            add(task);
        }
    }
    /// Those for which `has(traits)`.
    template <typename Property>
    static constexpr TaskSet where(Property has)
    {
        TaskSet set({});
        for (const TaskTraits& row : task_table)
        {
            if (has(row))
            {
                set.add(row.task);
            }
        }
        return set;
    }
    constexpr bool contains(Task task) const { return (bits_ & bit(task)) != 0; }

private:
    static constexpr std::uint32_t bit(Task task) { return 1U << static_cast<unsigned>(task); }
    constexpr void add(Task task) { bits_ |= bit(task); }
    std::uint32_t bits_ = 0;
};

inline constexpr auto every_task = TaskSet::where([](const TaskTraits&) { return true; });
inline constexpr auto pre_training =
    TaskSet::where([](const TaskTraits& row) { return row.kind == TaskKind::pre_training; });
inline constexpr auto fine_tuning =
    TaskSet::where([](const TaskTraits& row) { return row.kind == TaskKind::fine_tuning; });
inline constexpr auto all_training =
    TaskSet::where([](const TaskTraits& row) { return row.kind != TaskKind::evaluation; });
inline constexpr auto from_checkpoint =
    TaskSet::where([](const TaskTraits& row) { return row.kind != TaskKind::pre_training; });
inline constexpr auto with_supports =
    TaskSet::where([](const TaskTraits& row) { return row.images_per_class != nullptr; });
inline constexpr auto without_classifier = TaskSet::where([](const TaskTraits& row) { return !row.has_classifier; });

/// Whether what `config` asks for is training: a task that trains, and not fine_tune with meta.training: false.
bool trains(const Config& config);

/// Labelled images of each class in a rank's batch; 0 for tasks without class-stratified supports.
std::int64_t supports_per_class(const Config& config);

/// Classes among the supports of a step, those of all `world_size` ranks.
std::int64_t classes_of_step(const Config& config, std::int64_t world_size);

/// Epochs with supports, from the first on; nothing where the task has them in all.
std::optional<std::int64_t> epochs_with_supports(const Config& config);

/// Whether classes are learned from the labels.
bool learns_classes(const Config& config);
}  // namespace paws::config

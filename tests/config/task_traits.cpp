// What the tasks have in common, and what tells them apart.
#include "src/config/task_traits.hpp"

#include <string>

#include "src/config/enums.hpp"
#include "src/config/keys.hpp"
#include "tests/config/config_samples.hpp"
#include "tests/support/catch.hpp"

namespace
{
using namespace paws;
using config::Task;

config::Config parsed(const std::string& yaml, const std::vector<std::string>& overrides = {})
{
    return config::parse(yaml, "run.yaml", overrides);
}

std::string words_in(config::TaskSet tasks)
{
    std::string words;
    for (const auto& [word, task] : config::words_of<Task>)
    {
        words += tasks.contains(task) ? std::string(words.empty() ? "" : " ") + word : "";
    }
    return words;
}
}  // namespace

TEST_CASE("each task has its word, and its place among pre-training, fine-tuning and evaluation", "[config]")
{
    CHECK(words_in(config::every_task) == "paws_train suncet_train snn_fine_tune fine_tune snn_eval embed");
    CHECK(words_in(config::pre_training) == "paws_train suncet_train");
    CHECK(words_in(config::fine_tuning) == "snn_fine_tune fine_tune");
    CHECK(words_in(config::all_training) == "paws_train suncet_train snn_fine_tune fine_tune");
    CHECK(words_in(config::with_supports) == "paws_train suncet_train snn_fine_tune");
    CHECK(words_in(config::without_classifier) == "paws_train suncet_train snn_fine_tune snn_eval embed");
    CHECK(words_in(config::from_checkpoint) == "snn_fine_tune fine_tune snn_eval embed");
    CHECK(config::to_string(Task::snn_fine_tune) == "snn_fine_tune");
}

TEST_CASE("keys that a task's row names are keys of the task, and those that tell it are of no other", "[config]")
{
    for (const auto& row : config::task_table)
    {
        INFO(row.word);
        CHECK(config::applies(row.batch_key, row.task));
        CHECK((row.key_of_supports == nullptr) == (row.images_per_class == nullptr));
        if (row.key_of_supports != nullptr)
        {
            CHECK(config::applies(row.key_of_supports, row.task));
        }
        for (const auto* const clue : row.clues)
        {
            for (const auto& other : config::task_table)
            {
                CHECK((clue == nullptr || config::applies(clue, other.task) == (other.task == row.task)));
            }
        }
    }
}

TEST_CASE("the supports of a step are those that the task's key says", "[config]")
{
    CHECK(config::supports_per_class(parsed(test::paws_yaml)) == 64);
    CHECK(config::supports_per_class(parsed(test::suncet_yaml)) == 2);
    CHECK(config::supports_per_class(parsed(test::snn_fine_tune_yaml)) == 64);
    CHECK(config::supports_per_class(parsed(test::fine_tune_yaml)) == 0);
    CHECK(config::supports_per_class(parsed(test::snn_eval_yaml)) == 0);
    CHECK(config::classes_of_step(parsed(test::suncet_yaml), 3) == 20);
    CHECK(config::classes_of_step(parsed(test::suncet_yaml, {"data.unique_classes_per_rank=true"}), 3) == 60);
    CHECK_FALSE(config::epochs_with_supports(parsed(test::paws_yaml)));
    CHECK(config::epochs_with_supports(parsed(test::suncet_yaml)) == 100);
}

TEST_CASE("what trains, learns classes and classifies follows from task and settings", "[config]")
{
    const auto without_labels = parsed(test::suncet_yaml, {"criterion.supervised_epochs=0"});
    const auto only_evaluated = parsed(test::fine_tune_yaml, {"meta.training=false"});
    const auto with_probabilities = parsed(test::embed_yaml, {"embed.probabilities=true", "data.unlabeled_frac=0"});
    for (const auto& yaml : {test::paws_yaml, test::suncet_yaml, test::snn_fine_tune_yaml, test::fine_tune_yaml})
    {
        CHECK(config::trains(parsed(yaml)));
        CHECK(config::learns_classes(parsed(yaml)));
    }
    CHECK(config::trains(without_labels));
    CHECK_FALSE(config::learns_classes(without_labels));
    for (const auto& config : {only_evaluated, parsed(test::embed_yaml), parsed(test::snn_eval_yaml)})
    {
        CHECK_FALSE(config::trains(config));
        CHECK_FALSE(config::learns_classes(config));
    }
    const auto classifies = [](const config::Config& config)
    { return config::traits_of(config.task).classifies(config); };
    CHECK(classifies(only_evaluated));
    CHECK(classifies(parsed(test::snn_eval_yaml)));
    CHECK(classifies(with_probabilities));
    CHECK_FALSE(classifies(parsed(test::embed_yaml)));
    CHECK_FALSE(classifies(parsed(test::paws_yaml)));
    CHECK_FALSE(classifies(parsed(test::snn_fine_tune_yaml)));
}

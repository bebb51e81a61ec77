// The configuration reference says what the program does.
#include "src/config/reference.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "src/config/config.hpp"
#include "src/config/keys.hpp"
#include "src/config/yaml_value.hpp"
#include "tests/config/config_samples.hpp"
#include "tests/support/catch.hpp"

namespace
{
using namespace paws;
using config::About;
using config::Config;
using config::TaskSet;

std::map<std::string, std::string> values_of_keys(const Config& config)
{
    std::map<std::string, std::string> values;
    config::for_each_key(config, [&](const char* key, const auto& member, TaskSet, const About&)
                         { values[key] = config::to_value(member); });
    return values;
}

/// The row of a key in the table of its section.
std::string reference_row(const std::string& page, const std::string& key)
{
    const auto dot = key.find('.');
    const auto section = page.find("\n## " + key.substr(0, dot) + "\n");
    REQUIRE(section != page.npos);
    const auto row = page.find("\n| `" + key.substr(dot + 1) + "` |", section);
    REQUIRE(row != page.npos);
    return page.substr(row + 1, page.find('\n', row + 1) - row - 1);
}
}  // namespace

TEST_CASE("the configuration reference has a row of six cells for every key", "[config]")
{
    const auto page = config::reference_markdown();
    const Config any;
    config::for_each_key(any,
                         [&](const std::string& key, const auto&, TaskSet, const About& about)
                         {
                             const auto row = reference_row(page, key);
                             INFO(row);
                             CHECK(std::count(row.begin(), row.end(), '|') == 7);
                             CHECK_THAT(row, Catch::Contains(std::string("| ") + about.meaning + " |"));
                             CHECK(std::string(about.meaning).size() > 3);
                         });
    CHECK(reference_row(page, "meta.comm_timeout") ==
          "| `comm_timeout` | number | seconds | `60.0` | time without a sign of life after which a rank counts as "
          "lost; 1 or more | all |");
    CHECK_THAT(reference_row(page, "meta.output_dim"),
               Catch::Contains("*required* for `paws_train`, `suncet_train`, `snn_fine_tune`; otherwise `0`"));
    CHECK_THAT(reference_row(page, "data.multicrop"), Catch::Contains("| *required* |"));
    CHECK_THAT(reference_row(page, "data.subset"), Catch::Contains("| path or `null` |"));
    CHECK_THAT(reference_row(page, "criterion.embedding"), Catch::Contains("`backbone`, `projection`, `prediction`"));
}

TEST_CASE("defaults that depend on task or data set are described in words", "[config]")
{
    const auto initial = values_of_keys(Config());
    const std::set<std::string> given{"meta.model_name", "data.subset",    "data.subset_path",
                                      "data.file",       "data.root_path", "data.unlabeled_frac"};
    for (const auto* yaml : {&test::paws_yaml, &test::suncet_yaml, &test::snn_fine_tune_yaml, &test::fine_tune_yaml,
                             &test::snn_eval_yaml, &test::embed_yaml})
    {
        const auto config = config::parse(*yaml, "sample.yaml");
        const auto values = values_of_keys(config);
        config::for_each_key(config,
                             [&](const std::string& key, const auto&, TaskSet tasks, const About& about)
                             {
                                 const auto row = reference_row(config::reference_markdown(), key);
                                 INFO(key << ": " << values.at(key) << "\n" << row);
                                 const bool is_default =
                                     !given.contains(key) &&
                                     yaml->find(key.substr(key.find('.') + 1) + ":") == std::string::npos;
                                 if (tasks.contains(config.task) && is_default && values.at(key) != initial.at(key))
                                 {
                                     CHECK(std::string(about.default_value) != "");
                                 }
                             });
    }
}

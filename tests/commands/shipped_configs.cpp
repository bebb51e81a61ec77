// The configurations that come with the program are found by their names.
#include "src/commands/shipped_configs.hpp"

#include <fstream>

#include "src/config/config.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/run_program.hpp"
#include "tests/support/small_run.hpp"

namespace
{
using namespace paws;

std::vector<std::string> names_of(const std::vector<commands::ShippedConfig>& configs)
{
    std::vector<std::string> names;
    for (const auto& one : configs)
    {
        names.push_back(one.name);
    }
    return names;
}

/// The program in a folder of its own.
test::Result run_in(const std::filesystem::path& folder, const std::string& arguments, const std::string& before = "")
{
    return test::run(arguments, "env -C " + folder.string() + " " + before);
}
}  // namespace

TEST_CASE("the first sentence of a configuration's comment describes it", "[cli]")
{
    CHECK(commands::first_comment("# PAWS on a.yaml's images\n# in two lines; more\nmeta:\n") ==
          "PAWS on a.yaml's images in two lines");
    CHECK(commands::first_comment("# One: two\n") == "One");
    CHECK(commands::first_comment("# One.\n#\n#     command\n") == "One");
    CHECK(commands::first_comment("meta:\n") == "");
}

TEST_CASE("configurations are found by the end of their paths", "[cli]")
{
    const auto all = commands::shipped_configs(PAWS_SOURCE_DIR "/configs");
    CHECK(all.size() >= 12);
    for (const auto& one : all)
    {
        INFO(one.name);
        CHECK(one.about.size() > 10);
        CHECK(one.about.find(':') == std::string::npos);
    }
    const auto named = [&](const char* name) { return names_of(commands::configs_named(all, name)); };
    CHECK(named("imgnt_train.yaml") == std::vector<std::string>{"paws/imgnt_train.yaml", "suncet/imgnt_train.yaml"});
    CHECK(named("configs/suncet/imgnt_train.yaml") == std::vector<std::string>{"suncet/imgnt_train.yaml"});
    CHECK(named("paws/imgnt_train.yaml") == std::vector<std::string>{"paws/imgnt_train.yaml"});
    CHECK(named("train.yaml").empty());
}

TEST_CASE("a bare name is a configuration of the program where the working folder has none", "[cli]")
{
    const test::Folder folder;
    const std::string more = " --dry-run --set meta.device=cpu";
    const auto found = run_in(folder / "", "imgnt_train.yaml" + more);
    INFO(found.output);
    CHECK(found.code == 0);
    CHECK_THAT(found.output, Catch::Contains("configuration   " PAWS_SOURCE_DIR "/configs/paws/imgnt_train.yaml (not "
                                             "suncet/imgnt_train.yaml)\n"));
    const auto of_task = run_in(folder / "", "imgnt_train.yaml --sel suncet_train" + more, test::mpirun(2));
    CHECK(of_task.code == 0);
    CHECK(test::lines_with(of_task.output, "configuration   ").size() == 1);
    CHECK_THAT(of_task.output, Catch::Contains("/configs/suncet/imgnt_train.yaml (not paws/imgnt_train.yaml)"));
    const auto refused = run_in(folder / "", "imgnt_train.yaml --sel embed" + more);
    CHECK(refused.code == 2);
    CHECK_THAT(refused.output, Catch::Contains("paws_hpc: imgnt_train.yaml: may be paws/imgnt_train.yaml, "
                                               "suncet/imgnt_train.yaml; name one of them"));
    // One's own comes first, and is not announced.
    test::write(folder / "imgnt_train.yaml", "nonsense: 1\n");
    const auto own = run_in(folder / "", "imgnt_train.yaml" + more);
    CHECK(own.code == 2);
    CHECK_THAT(own.output, Catch::Contains("imgnt_train.yaml:1"));
    CHECK_THAT(own.output, !Catch::Contains("configuration   "));
}

TEST_CASE("configurations are listed and copied, never over a file", "[cli]")
{
    const test::Folder folder;
    const auto listed = run_in(folder / "", "configs");
    INFO(listed.output);
    CHECK(listed.code == 0);
    CHECK_THAT(listed.output, Catch::Contains("paws/cifar10_train.yaml    PAWS on CIFAR-10 with 4000 labels\n"));
    const auto copied = run_in(folder / "", "configs --copy folder.yaml");
    CHECK(copied.code == 0);
    CHECK_NOTHROW(config::load((folder / "folder.yaml").string()));
    test::write(folder / "folder.yaml", "mine");
    const auto again = run_in(folder / "", "configs --copy folder.yaml");
    CHECK(again.code == 2);
    CHECK_THAT(again.output, Catch::Contains("paws_hpc: folder.yaml: is there already"));
    CHECK(std::filesystem::file_size(folder / "folder.yaml") == 4);
    test::check_bad_input("configs --copy floder.yaml",
                          {"no configuration 'floder.yaml'", "did you mean folder.yaml?"});
    test::check_bad_input("configs --copy imgnt_train.yaml", {"may be paws/imgnt_train.yaml, suncet/imgnt_train.yaml"});
    test::check_bad_input("configs --set meta.seed=1", {"configs has no configuration"});
}

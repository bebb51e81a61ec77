// Paths as shells read them, merged sections, and files that are no configuration.
#include "src/config/paths.hpp"

#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "src/config/compare.hpp"
#include "src/config/config.hpp"
#include "tests/config/config_samples.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/small_run.hpp"

namespace
{
using namespace paws;
using config::expanded_path;
using config::parse;

/// Variables of the process, as they were afterwards.
class Variable
{
public:
    Variable(const char* name, const char* value) : name_(name), had_(std::getenv(name) != nullptr)
    {
        before_ = had_ ? std::getenv(name) : "";
        value == nullptr ? unsetenv(name) : setenv(name, value, 1);
    }
    ~Variable() { had_ ? setenv(name_, before_.c_str(), 1) : unsetenv(name_); }
    Variable(const Variable&) = delete;
    Variable& operator=(const Variable&) = delete;

private:
    const char* name_;
    bool had_;
    std::string before_;
};
}  // namespace

TEST_CASE("paths are read as shells read them", "[config]")
{
    const Variable home("HOME", "/home/me"), scratch("PAWS_TEST_SCRATCH", "/scratch/$me"), empty("PAWS_TEST_EMPTY", ""),
        none("PAWS_TEST_NONE", nullptr);
    CHECK(expanded_path("~") == "/home/me");
    CHECK(expanded_path("~/x") == "/home/me/x");
    CHECK(expanded_path("~root/x").ends_with("root/x"));
    CHECK(expanded_path("a/~/b~") == "a/~/b~");
    // What stands in a variable is not read again.
    CHECK(expanded_path("$PAWS_TEST_SCRATCH/x") == "/scratch/$me/x");
    CHECK(expanded_path("/a${PAWS_TEST_SCRATCH}b") == "/a/scratch/$meb");
    CHECK(expanded_path("~/$PAWS_TEST_SCRATCH.h5") == "/home/me//scratch/$me.h5");
    for (const auto* literal : {"", "x", "/a/b.h5", "5$", "a$ b", "$", "$1", "x$/y", "back\\slash"})
    {
        CHECK(expanded_path(literal) == literal);
    }
    CHECK(expanded_path("\\$PAWS_TEST_NONE") == "$PAWS_TEST_NONE");
    CHECK(expanded_path("\\~/x") == "~/x");
    CHECK_THROWS_WITH(expanded_path("$PAWS_TEST_NONE/x"), Catch::Contains("$PAWS_TEST_NONE: the variable is not set"));
    CHECK_THROWS_WITH(expanded_path("${PAWS_TEST_EMPTY}/x"),
                      Catch::Contains("$PAWS_TEST_EMPTY: the variable is empty"));
    CHECK_THROWS_WITH(expanded_path("~no-such-user/x"), Catch::Contains("no user of this name"));
    for (const auto* shell : {"${PAWS_TEST_SCRATCH:-x}", "${", "${}", "$(pwd)/x"})
    {
        CHECK_THROWS_WITH(expanded_path(shell), Catch::Contains("only $NAME and ${NAME}"));
    }
    for (const auto* path : {"~", "~/x", "$HOME", "a\\b", "a\\$b\\\\", "\\~", "plain"})
    {
        CHECK(expanded_path(config::written_path(path)) == path);
    }
}

TEST_CASE("~ and $NAME work in every path of a file and of --set, and nowhere else", "[config]")
{
    const Variable home("HOME", "/home/me"), scratch("PAWS_TEST_SCRATCH", "/s"), none("PAWS_TEST_NONE", nullptr);
    const auto config = parse(paws::test::paws_yaml, "x.yaml",
                              {"logging.folder=~/runs", "logging.write_tag=a$HOME", "data.root_path=$PAWS_TEST_SCRATCH",
                               "data.file=${PAWS_TEST_SCRATCH}/f.h5", "data.subset=~/l.txt", "data.scratch=~",
                               "data.image_folder=$PAWS_TEST_SCRATCH/i", "meta.init_backbone=~/b.h5",
                               "meta.read_checkpoint=$PAWS_TEST_SCRATCH/c.h5", "data.train_split=$x"});
    CHECK(config.logging.folder == "/home/me/runs");
    CHECK(config.logging.write_tag == "a$HOME");
    CHECK(config.data.root_path == "/s");
    CHECK(config.data.file == "/s/f.h5");
    CHECK(config.data.subset == "/home/me/l.txt");
    CHECK_FALSE(config.data.scratch.has_value());  // YAML's null
    CHECK(config.data.image_folder == "/s/i");
    CHECK(config.meta.init_backbone == "/home/me/b.h5");
    CHECK(config.meta.read_checkpoint == "/s/c.h5");
    CHECK(config.data.train_split == "$x");
    CHECK_THROWS_WITH(parse(paws::test::paws_yaml, "x.yaml", {"data.file=$PAWS_TEST_NONE/f.h5"}),
                      Catch::Contains("--set: data.file: $PAWS_TEST_NONE: the variable is not set"));
    // What is written reads as the same path, whatever the variables are by then.
    auto literal = config;
    literal.data.file = "/data/$PAWS_TEST_NONE/a\\b.h5";
    literal.logging.folder = "~x";
    CHECK(parse(literal.to_yaml(), "again") == literal);
}

TEST_CASE("a text that is not UTF-8 is refused where it stands", "[config]")
{
    CHECK_THROWS_WITH(parse(paws::test::paws_yaml, "x.yaml", {"data.image_folder=caf\xe9"}),
                      Catch::Contains("data.image_folder") && Catch::Contains("not UTF-8"));
}

TEST_CASE("merged sections are merged", "[config]")
{
    const std::string text = R"(x-common: &common {seed: 7, threads: 3}
x-more: &more {seed: 8, use_fp16: true}
task: embed
meta:
  <<: [*common, *more]
  model_name: resnet18
  threads: 2
data: {dataset: folder, root_path: /d, image_folder: i}
logging: {folder: l}
)";
    const auto config = parse(text, "x.yaml");
    CHECK(config.meta.seed == 7);
    CHECK(config.meta.threads == 2);
    CHECK(config.meta.use_fp16);
    CHECK(config.meta.model_name == "resnet18");
    // At the top level too: a section of one's own goes before a merged one as a whole.
    const auto top = parse(
        "x-base: &base\n  meta: {model_name: resnet18, seed: 5}\n  logging: {folder: l}\n<<: *base\n"
        "task: embed\nmeta: {model_name: resnet50}\n"
        "data: {dataset: folder, root_path: /d, image_folder: i}\n",
        "x.yaml");
    CHECK(top.meta.model_name == "resnet50");
    CHECK(top.meta.seed == 0);
    CHECK(top.logging.folder == "l");
    CHECK_THROWS_WITH(parse("task: embed\nmeta:\n  <<: 5\n", "x.yaml"),
                      Catch::Contains("x.yaml:3: <<: expected a section to merge") && Catch::Contains("found '5'"));
    CHECK_THROWS_WITH(parse("meta: &m\n  <<: *m\n", "x.yaml"),
                      Catch::Contains("x.yaml:2: <<: more than 1000 sections are merged"));
    CHECK_THROWS_WITH(parse("x-m: &m {sede: 1}\ntask: embed\nmeta:\n  <<: *m\n", "x.yaml"),
                      Catch::Contains("x.yaml:1: meta.sede: unknown key"));
    CHECK_THROWS_WITH(parse("task: embed\nmeta: {seed: 1, seed: 2}\n", "x.yaml"), Catch::Contains("given twice"));
}

TEST_CASE("files that are no configuration are said to be what they are", "[config]")
{
    const test::Folder folder;
    const auto refuses = [&](const char* name, const std::string& content, const std::vector<std::string>& parts)
    {
        const auto path = (folder / name).string();
        std::ofstream(path, std::ios::binary) << content;
        for (const auto& part : parts)
        {
            CHECK_THROWS_WITH(config::load(path), Catch::Contains(path + ": is ") && Catch::Contains(part));
        }
    };
    refuses("run.h5", "\x89HDF\r\n\x1a\n and more",
            {"an HDF5 file, no YAML", "inspect " + (folder / "run.h5").string()});
    refuses("x.yaml", "\x89HDF\r\n\x1a\n and more", {"an HDF5 file"});
    refuses("a.pth", "PK\x03\x04zip", {"checkpoints of PyTorch", "snn-eval --checkpoint"});
    refuses("b.pth", "\x80\x02pickle", {"checkpoints of PyTorch"});
    refuses("c.png", "\x89PNG\r\n\x1a\n", {"an image (PNG)", "paws_hpc pack"});
    refuses("d.jpg", "\xff\xd8\xff\xe0", {"an image (JPEG)"});
    refuses("e.bin", std::string("text\0text", 9), {"no text"});
    CHECK_THROWS_WITH(config::load((folder / ".").string()), Catch::Contains("is a folder"));
}

TEST_CASE("numbers that are out of any range are refused", "[config]")
{
    const auto refuses = [](const std::string& change, const std::string& part)
    { CHECK_THROWS_WITH(parse(paws::test::paws_yaml, "x.yaml", {change}), Catch::Contains(part)); };
    refuses("meta.seed=1000000000000000000000000",
            "the least is -9223372036854775808, the largest 9223372036854775807");
    refuses("meta.seed=9223372036854775807", "meta.seed: must be at most");
    refuses("criterion.unsupervised_batch_size=9223372036854775807", "must be at most 2147483647");
}

TEST_CASE("where data lie is no setting of a run, which data they are is", "[config]")
{
    const auto one = parse(paws::test::paws_yaml, "x.yaml", {"data.file=/a/x.h5", "meta.init_backbone=/a/b.h5"});
    const auto moved =
        parse(paws::test::paws_yaml, "x.yaml",
              {"data.file=/b/y.h5", "data.root_path=/c", "data.subset=/l", "meta.init_backbone=/z/b.h5"});
    CHECK(config::differing_keys(one, moved).empty());
    const auto other = parse(paws::test::paws_yaml, "x.yaml",
                             {"data.file=/a/x.h5", "data.train_split=other", "meta.init_backbone=/a/c.h5"});
    CHECK(config::differing_keys(one, other) == std::vector<std::string>{"data.train_split", "meta.init_backbone"});
}

// What the program makes of words, numbers and names that it is given.

#include <fstream>
#include <nlohmann/json.hpp>

#include "io/torch/published_checkpoint.hpp"
#include "io/torch/torch_file.hpp"
#include "src/checkpoint/stored_checkpoint.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/run_program.hpp"
#include "tests/support/small_run.hpp"

namespace
{
using namespace paws;
using test::check_bad_input;
using test::run;
using test::write;
namespace fs = std::filesystem;

/// Whether there is anything in it that a terminal would obey.
bool is_plain(const std::string& text)
{
    return std::all_of(text.begin(), text.end(),
                       [](char c) { return static_cast<unsigned char>(c) >= 0x20 || c == '\n'; });
}

/// A folder of images with files and classes of odd names.
struct OddNames
{
    test::Folder folder;
    fs::path input = folder / "images";
    std::string packed = (folder / "packed.h5").string();

    void add(const std::string& name) const
    {
        fs::create_directories((input / name).parent_path());
        fs::copy_file(PAWS_SOURCE_DIR "/tests/inputs/pictures/grey.jpg", input / name);
    }
    std::string pack() const { return "pack --format imagefolder --input " + input.string() + " --output " + packed; }
};
}  // namespace

TEST_CASE("a word that is no command is answered with the one that was meant", "[cli]")
{
    check_bad_input("train c.yaml", {"train: there is no such command", "a run needs no command: paws_hpc c.yaml"});
    check_bad_input("snn_eval --checkpoint c.h5", {"did you mean paws_hpc snn-eval?"});
    check_bad_input("embd --output c.h5", {"did you mean paws_hpc embed?"});
    check_bad_input("Inspect c.h5", {"did you mean paws_hpc inspect?"});
    check_bad_input("evaluate c.h5", {"did you mean paws_hpc snn-eval?"});
    check_bad_input("paws_train c.yml", {"paws_hpc c.yml --sel paws_train"});
    check_bad_input("help", {"paws_hpc --help"});
    check_bad_input("xyzzy", {"commands are pack, subset,", "paws_hpc CONFIG.yaml"});
    check_bad_input("c.yaml --resme never", {"--resme", "did you mean --resume?"});
    check_bad_input("subset --data d.h5 --perclass 3 --output l", {"--perclass", "did you mean --per-class?"});
    check_bad_input("--sede 3 c.yaml", {"--sede"});
    // What may be a file is one.
    check_bad_input("nowhere.yaml", {"nowhere.yaml", "no such configuration file"});
    check_bad_input("nowhere.yaml", {"nowhere.yaml"}, test::mpirun(2));
    check_bad_input("train c.yaml", {"a run needs no command"}, test::mpirun(2));
}

TEST_CASE("what a command would not use is refused, not dropped", "[cli]")
{
    const test::SmallRun small;
    const auto output = (small.folder / "out").string();
    const auto subset = "subset --data " + small.data().string() + " --per-class 2 --output " + output;
    const auto inspect = "inspect " + small.data().string();
    for (const std::string& line : {subset, inspect, std::string("pack --format cifar10 --input . --output ") + output})
    {
        check_bad_input(line + " --set data.subset=x",
                        {"--set: ", line.substr(0, line.find(' ')) + " has no configuration", "leave it out"});
    }
    check_bad_input(inspect + " --set nonsense.key=1", {"--set: inspect has no configuration"}, test::mpirun(2));
    for (const auto* option : {"--dry-run", "--resume never", "--stop-after 3ep", "--sel embed", "--fname c.yaml"})
    {
        const std::string text(option);
        check_bad_input(subset + " " + text, {text.substr(0, text.find(' ')) + ": is not used by subset"});
    }
    check_bad_input(inspect + " second.h5", {"'second.h5': inspect has no use for this argument"});
    CHECK_FALSE(fs::exists(output));
    // Those that have a configuration look at its keys.
    const auto config = write(small.folder / "small.yaml", small.yaml("run"));
    check_bad_input("views " + config + " --output v.png --set data.crop_sise=3", {"data.crop_sise", "data.crop_size"});
    const auto sheet = (small.folder / "sheet.png").string();
    CHECK(run("views " + config + " --sel paws_train --images 1 --set data.multicrop=0 --output " + sheet).code == 0);
}

TEST_CASE("an error on the command line names the help that explains it, and options as they are called now", "[cli]")
{
    check_bad_input("subset --data d.h5 --perclass 3 --output l", {"(see paws_hpc subset --help)"});
    check_bad_input("subset --per-class 3", {"(see paws_hpc subset --help)"});
    check_bad_input("c.yaml --resme never", {"(see paws_hpc --help)"});
    check_bad_input("views c.yaml --output v.png --picture 3", {"did you mean --images?"});
    for (const auto* command : {"pack", "subset", "inspect", "convert", "snn-eval", "embed", "views", "demo"})
    {
        const auto help = run(std::string(command) + " --help");
        INFO(help.output);
        CHECK(help.code == 0);
        CHECK_THAT(help.output, Catch::Contains("--summary FILE.json"));
        const bool has_settings = std::string("pack subset inspect").find(command) == std::string::npos;
        CHECK((help.output.find("--set section.key=value") != std::string::npos) == has_settings);
    }
}

TEST_CASE("how many images are drawn is said once, as a number or a share", "[cli]")
{
    const test::SmallRun small;
    const auto list = (small.folder / "list.txt").string();
    const auto subset = "subset --data " + small.data().string() + " --output " + list;
    check_bad_input(subset + " --per-class 2 --fraction 0.5", {"--per-class N or --fraction F, not both"});
    check_bad_input(subset, {"give --per-class N or --fraction F"});
    for (const auto* share : {"1.5", "0", "-0.25"})
    {
        check_bad_input(subset + " --fraction " + share,
                        {fmt::format("--fraction: {} is not a share", share), "more than 0 and at most 1"});
    }
    CHECK_FALSE(fs::exists(list));
    CHECK(run(subset + " --fraction 0.5").code == 0);
}

TEST_CASE("a file that is no checkpoint of either kind is refused as that", "[cli]")
{
    const test::SmallRun small;
    const auto text = write(small.folder / "notes.txt", "my notes\n");
    const auto config = write(small.folder / "small.yaml", small.yaml("run"));
    for (const auto& line : {"inspect " + text, "convert " + text + " " + (small.folder / "o.pth").string(),
                             config + " --resume " + text, "snn-eval --checkpoint " + text})
    {
        check_bad_input(line, {"notes.txt: is neither an HDF5 file nor a checkpoint of PyTorch"});
    }
}

TEST_CASE("a checkpoint that is found under another ending is named in what is printed", "[cli]")
{
    const test::SmallRun small;
    const auto config = write(small.folder / "small.yaml", small.yaml("run"));
    REQUIRE(run(config + " --stop-after 1steps").code == 0);
    const auto named = (small.folder / "run/small-latest.pth.tar").string();
    const auto read = (small.folder / "run/small-latest.h5").string();
    const auto evaluated = run("snn-eval --checkpoint " + named);
    INFO(evaluated.output);
    CHECK(evaluated.code == 0);
    CHECK_THAT(evaluated.output, Catch::Contains(named + ": is not there; " + read + " is used instead\n") &&
                                     Catch::Contains(read + ": epoch 0, 12 images of 'val'"));
    const auto resumed = run(config + " --stop-after 2steps --resume " + named);
    INFO(resumed.output);
    CHECK_THAT(resumed.output, Catch::Contains("resumed from    " + read + ", 0 epochs and 1 of 3 steps done"));
}

TEST_CASE("a whole number that does not fit is refused, not wrapped around", "[cli]")
{
    const test::SmallRun small;
    const auto list = (small.folder / "list.txt").string();
    const auto subset = "subset --data " + small.data().string() + " --output " + list;
    for (const auto* seed : {"-1", "1000000000000000000000000", "18446744073709551616", "1.5", "0x10", "1e3", "'1 '"})
    {
        check_bad_input(subset + " --per-class 2 --seed " + seed,
                        {"--seed: ", "is not a whole number of 0 or more (at most 18446744073709551615)"});
    }
    check_bad_input(subset + " --per-class 1000000000000000000000000", {"--per-class: ", "of 1 or more"});
    check_bad_input(subset + " --per-class -3", {"--per-class: -3", "of 1 or more"});
    check_bad_input("embed --checkpoint c.h5 --output o.h5 --compression 1000000000000000000000000",
                    {"--compression: ", "is not a whole number of 64 bits"});
    check_bad_input("embed --checkpoint c.h5 --output o.h5 --chunk-rows 2.5", {"--chunk-rows: 2.5"});
    check_bad_input("pack --format imagefolder --input i --output o.h5 --shorter-side 99999999999999999999",
                    {"--shorter-side: 99999999999999999999"});
    check_bad_input("views c.yaml --output o.png --images 101", {"--images: 101", "from 1 to 100"});
    CHECK_FALSE(fs::exists(list));
    // Decimal, with or without zeros before it, up to the last one.
    CHECK(run(subset + " --per-class 2 --seed 18446744073709551615").code == 0);
    const auto ten = run(subset + " --per-class 2 --seed 010");
    CHECK_THAT(ten.output, Catch::Contains("seed 10\n"));
}

TEST_CASE("a class that has too few images to draw is named", "[cli]")
{
    const test::SmallRun small;
    check_bad_input(
        "subset --data " + small.data().string() + " --per-class 9 --output " + (small.folder / "list.txt").string(),
        {"class 'c' has 8 images in split 'train', fewer than the 9 to draw"});
}

TEST_CASE("a split that is not there is named with the settings that say so", "[cli]")
{
    const test::SmallRun small;
    const auto config = write(small.folder / "small.yaml", small.yaml("run"));
    check_bad_input(config + " --set data.validation_split=test",
                    {"no split 'test', only train, val", "data.validation_split", "logging.eval_every: 0"});
    check_bad_input(config + " --set data.train_split=test", {"no split 'test'", "set data.train_split"});
    const auto checkpoint = " --checkpoint " + (small.folder / "run/small-latest.h5").string();
    REQUIRE(run(config + " --set logging.eval_every=0 --stop-after 1steps").code == 0);
    check_bad_input("snn-eval" + checkpoint + " --split test", {"no split 'test'", "--split"});
    check_bad_input("embed" + checkpoint + " --split test --output " + (small.folder / "e.h5").string(),
                    {"no split 'test'", "--split (embed.split)"});
}

TEST_CASE("a checkpoint without settings takes the classes of the data", "[cli]")
{
    const test::SmallRun small;
    const auto config = write(small.folder / "small.yaml", small.yaml("run"));
    REQUIRE(run(config + " --set logging.eval_every=0 --stop-after 1steps").code == 0);
    // What others would write: the weights alone.
    auto stored = checkpoint::read_stored_checkpoint(small.folder / "run/small-latest.h5").content;
    stored.config.clear();
    stored.progress = {};
    const auto bare = (small.folder / "bare.pth").string();
    checkpoint::write_stored_checkpoint(bare, stored);
    const auto evaluated = run("snn-eval --checkpoint " + bare + " --data " + small.data().string());
    INFO(evaluated.output);
    CHECK(evaluated.code == 0);
    CHECK_THAT(evaluated.output, Catch::Contains("top-1"));
    check_bad_input("snn-eval --checkpoint " + bare, {"does not say which data it was trained on", "--data FILE.h5"});
    // Settings that nobody gave are not to be corrected, but those of the published data sets are known.
    check_bad_input(config + " --set data.dataset=cifar10",
                    {"has 3 classes, but data.num_classes: 10 (data.dataset: cifar10 brings it along); set it to 3"});
}

TEST_CASE("a checkpoint of synthetic images is evaluated on data of a file", "[cli]")
{
    const test::SmallRun small;
    const auto config = write(small.folder / "small.yaml", small.yaml("run"));
    // As many classes as the file has; the labelled images are drawn from all.
    auto stored = checkpoint::read_stored_checkpoint(
                      [&]
                      {
                          REQUIRE(run(config + " --set logging.eval_every=0 --stop-after 1steps").code == 0);
                          return small.folder / "run/small-latest.h5";
                      }())
                      .content;
    auto settings = config::parse(stored.config, "stored", {}, "");
    settings.data.dataset = config::Dataset::synthetic;
    settings.data.file.reset();
    settings.data.subset.reset();
    settings.data.num_classes = 3;
    settings.data.synthetic_train = settings.data.synthetic_validation = 30;
    settings.data.synthetic_height = settings.data.synthetic_width = 32;
    stored.config = settings.to_yaml();
    const auto synthetic = (small.folder / "synthetic.h5").string();
    checkpoint::write_stored_checkpoint(synthetic, stored);
    const auto evaluated = run("snn-eval --checkpoint " + synthetic + " --data " + small.data().string());
    INFO(evaluated.output);
    CHECK(evaluated.code == 0);
    CHECK_THAT(evaluated.output, Catch::Contains("top-1"));
}

TEST_CASE("names that are not text are written as text", "[cli]")
{
    const OddNames odd;
    odd.add("train/a/1.jpg");
    odd.add("train/b\xff/2\xfe.jpg");
    odd.add("train/c\x1b[2J/3\n.jpg");
    std::ofstream(odd.input / "train/a" / "x\xff.jpg") << "junk";
    std::ofstream(odd.input / "train/a" / "x\ny.jpg") << "junk";
    check_bad_input(odd.pack(),
                    {"2 of 5 images are corrupt", "train/a/x\\ny.jpg", "train/a/x\\xff.jpg", "--skip-broken"});
    const auto summary_path = (odd.folder / "summary.json").string();
    const auto packed = run(odd.pack() + " --skip-broken --summary " + summary_path);
    INFO(packed.output);
    REQUIRE(packed.code == 0);
    CHECK(is_plain(packed.output));
    CHECK_THAT(packed.output, Catch::Contains("left out train/a/x\\xff.jpg: "));
    const auto summary = nlohmann::json::parse(std::ifstream(summary_path));
    REQUIRE(summary["skipped"].size() == 2);
    CHECK_THAT(summary["skipped"][0].get<std::string>(), Catch::Contains("train/a/x\\ny.jpg: "));
    const auto inspected = run("inspect " + odd.packed + " --summary " + summary_path);
    CHECK(inspected.code == 0);
    CHECK(is_plain(inspected.output));
    CHECK_THAT(inspected.output, Catch::Contains("a, b\\xff, c\\x1b[2J"));
    CHECK(nlohmann::json::parse(std::ifstream(summary_path))["description"].is_string());
    // A list may have the name as the file has it, or as the data set does.
    const io::DatasetFile file(odd.packed);
    CHECK(file.names("train") == std::vector<std::string>{"a/1.jpg", "b\\xff/2\\xfe.jpg", "c\\x1b[2J/3\\n.jpg"});
    const auto names = file.names("train");
    CHECK(io::read_subset(write(odd.folder / "raw.txt", "b\xff/2\xfe.jpg\na/1.jpg\n"), names) ==
          std::vector<std::size_t>{1, 0});
    CHECK(io::read_subset(write(odd.folder / "escaped.txt", "c\\x1b[2J/3\\n.jpg\n"), names) ==
          std::vector<std::size_t>{2});
}

TEST_CASE("an odd name of a file is said whole, in one line", "[cli]")
{
    const test::Folder folder;
    const auto quoted = [](const std::string& path) { return "'" + path + "'"; };
    check_bad_input("inspect " + quoted((folder / "x\ny\x1b[31m.h5").string()), {"x\\ny\\x1b[31m.h5: "});
    check_bad_input(quoted((folder / "x\ny\xff.yaml").string()), {"x\\ny\\xff.yaml: ", "no such configuration file"});
    const test::SmallRun small;
    const auto list = (folder / "li\xffst\n.txt").string();
    const auto summary_path = (folder / "summary.json").string();
    const auto drawn = run("subset --data " + small.data().string() + " --per-class 2 --output " + quoted(list) +
                           " --summary " + summary_path);
    INFO(drawn.output);
    REQUIRE(drawn.code == 0);
    CHECK_THAT(drawn.output, Catch::Contains("li\\xffst\\n.txt: 6 labelled"));
    CHECK(fs::exists(list));
    // JSON has escapes of its own for the line's end, none for other bytes.
    CHECK_THAT(nlohmann::json::parse(std::ifstream(summary_path))["files"][0].get<std::string>(),
               Catch::Contains("li\\xffst\n.txt"));
}

// A run resumes with the data that it began with, wherever they lie, and with no others.

#include <fstream>
#include <sstream>

#include "io/base/error.hpp"
#include "io/checkpoint/checkpoint_file.hpp"
#include "src/comm/communicator.hpp"
#include "src/commands/classifier_evaluation.hpp"
#include "src/commands/evaluation.hpp"
#include "src/commands/training.hpp"
#include "src/data/content.hpp"
#include "src/data/dataset.hpp"
#include "src/methods/registry.hpp"
#include "src/observers/collapse_watch.hpp"
#include "src/train/trainer.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/run_program.hpp"
#include "tests/support/small_run.hpp"

namespace
{
using namespace paws;
namespace fs = std::filesystem;

const std::vector<std::string> quick{"logging.eval_every=0", "optimization.epochs=2"};

config::Config quick_config(const test::SmallRun& small, std::vector<std::string> more = {})
{
    more.insert(more.begin(), quick.begin(), quick.end());
    return small.config("run", more);
}

commands::Summary train_for(const config::Config& config, std::optional<std::int64_t> epochs = {})
{
    return commands::run_training(config, {"auto", {epochs, {}, {}}, {}, true});
}

fs::path latest_path(const test::SmallRun& small)
{
    return small.folder / "run/small-latest.h5";
}

/// What a run that resumes from the checkpoint would say first; throws as it would.
std::vector<std::string> notes_of_resuming(const config::Config& config, const fs::path& checkpoint)
{
    const auto dataset = data::load_dataset(config, data::Splits::train);
    train::Trainer trainer(config, dataset, device::Precision::fp32);
    trainer.resume(checkpoint);
    return trainer.progress().notes;
}

/// The data set of SmallRun, with other classes or a changed training split.
struct OtherData
{
    std::vector<std::string> class_names{"a", "b", "c"};
    std::size_t count = 26;
    std::uint8_t flip = 0;  ///< bits of the first byte

    void write(const fs::path& path) const
    {
        io::DatasetContent content;
        content.class_names = class_names;
        content.splits["train"] = test::striped_images(count, 3, 16);
        content.splits["train"].pixels.front() ^= flip;
        content.splits["val"] = test::striped_images(12, 3, 16);
        io::write_dataset(path, content);
    }
};

/// A run of one epoch of two, whose files lie in a folder.
struct BegunRun : test::SmallRun
{
    BegunRun() { train_for(quick_config(*this), 1); }

    void refuses(const std::vector<std::string>& parts) const
    {
        for (const auto& part : parts)
        {
            CHECK_THROWS_WITH(notes_of_resuming(quick_config(*this), latest_path(*this)),
                              Catch::Contains(part) && Catch::Contains("--resume never"));
        }
        CHECK_THROWS_AS(notes_of_resuming(quick_config(*this), latest_path(*this)), io::Error);
    }
};
}  // namespace

TEST_CASE("a run does not resume with other images, classes or labels", "[tasks]")
{
    const BegunRun run;
    const auto draw = [&](std::size_t images, std::size_t per_class, std::uint64_t seed)
    {
        const auto labels = test::striped_images(images, 3, 16).labels;
        io::write_subset(run.subset(), io::draw_subset_per_class(labels, 3, per_class, seed));
    };
    CHECK(notes_of_resuming(quick_config(run), latest_path(run)).empty());
    OtherData{{"a", "b", "c"}, 25, 0}.write(run.data());
    draw(25, 4, 0);
    run.refuses({"26 → 25 images", run.data().string()});
    draw(26, 4, 0);
    OtherData{{"a", "b", "k"}, 26, 0}.write(run.data());
    run.refuses({"class 2 is 'k', was 'c'"});
    OtherData{{"a", "b", "c", "d"}, 26, 0}.write(run.data());
    CHECK_THROWS_WITH(data::load_dataset(quick_config(run), data::Splits::train), Catch::Contains("class 'd' has 0"));
    OtherData{{"a", "b", "c"}, 26, 1}.write(run.data());
    run.refuses({"other images, as many"});
    // The same as it was.
    OtherData().write(run.data());
    CHECK(notes_of_resuming(quick_config(run), latest_path(run)).empty());
    draw(26, 4, 1);
    run.refuses({"other labelled images, as many"});
    draw(26, 5, 0);
    run.refuses({"12 → 15 labelled images"});
}

TEST_CASE("a run resumes with the same data at another place", "[tasks]")
{
    const BegunRun run;
    const auto file = (run.folder / "elsewhere.h5").string();
    fs::rename(run.data(), file);
    // A list says which images, not how its lines end.
    std::ifstream list(run.subset());
    std::ostringstream lines;
    for (std::string line; std::getline(list, line);)
    {
        lines << "\n" << line << "\r\n";
    }
    const auto other_list = test::write(run.folder / "elsewhere.txt", lines.str());
    fs::remove(run.subset());
    const auto moved = quick_config(run, {"data.file=" + file, "data.subset=" + other_list});
    CHECK(notes_of_resuming(moved, latest_path(run)).empty());
    CHECK(train_for(moved)["epochs"] == 2);
}

TEST_CASE("a checkpoint that does not say its data is compared by its steps", "[tasks]")
{
    const BegunRun run;
    auto checkpoint = io::read_checkpoint(latest_path(run));
    CHECK(checkpoint.progress.texts.at("data_class_names") == "a\nb\nc");
    CHECK(checkpoint.progress.texts.at("data_images").starts_with("26 "));
    checkpoint.progress.texts.clear();
    io::write_checkpoint(latest_path(run), checkpoint);
    const auto notes = notes_of_resuming(quick_config(run), latest_path(run));
    REQUIRE(notes.size() == 1);
    CHECK_THAT(notes.front(), Catch::Contains("does not say which data it was trained on"));
    OtherData{{"a", "b", "c"}, 17, 0}.write(run.data());
    io::write_subset(run.subset(), io::draw_subset_per_class(test::striped_images(17, 3, 16).labels, 3, 4, 0));
    run.refuses({"is of a run with 3 steps an epoch, and ", "data.h5 gives 2"});
    // In its first epoch, and further than an epoch has steps.
    checkpoint.progress.epoch = 0;
    checkpoint.progress.integers["epoch_steps"] = 3;
    checkpoint.progress.integers["epoch_pictures_in_step"] = 8;
    io::write_checkpoint(latest_path(run), checkpoint);
    run.refuses({"is of a run with at least 3 steps an epoch, and ", "data.h5 gives 2"});
}

TEST_CASE("what data are does not depend on how they are kept", "[tasks]")
{
    const test::Folder folder;
    auto data = config::Data();
    data.root_path = PAWS_TEST_DATA;
    data.image_folder = "cifar-10-batches-py";
    auto config = config::Config();
    config.task = config::Task::embed;
    config.data = data;
    const auto unpacked = data::load_dataset(config, data::Splits::train);
    const auto packed = (folder / "cifar.h5").string();
    const auto result =
        test::run("pack --format cifar10 --input " PAWS_TEST_DATA "/cifar-10-batches-py --output " + packed);
    INFO(result.output);
    REQUIRE(result.code == 0);
    config.data.file = packed;
    const auto content = data::content_of(config.data, data::load_dataset(config, data::Splits::train));
    CHECK(content == data::content_of(data, unpacked));
    CHECK(content.size() == 6);
    CHECK(content.at("data_images").find("unknown") == std::string::npos);
}

TEST_CASE("evaluation compares the classes of the run's data", "[tasks]")
{
    const BegunRun run;
    const auto pretrained = commands::load_pretrained(latest_path(run), *comm::make_single_rank());
    const auto config = quick_config(run);
    CHECK_NOTHROW(commands::snn_eval(pretrained, config));
    // Other data may have other classes: the labels decide.
    auto other = config;
    other.data.file = (run.folder / "other.h5").string();
    OtherData{{"a", "b", "k"}, 26, 0}.write(*other.data.file);
    CHECK_NOTHROW(commands::snn_eval(pretrained, other));
    fs::rename(*other.data.file, run.data());
    CHECK_THROWS_WITH(commands::snn_eval(pretrained, config),
                      Catch::Contains("other classes") && Catch::Contains("class 2 is 'k', was 'c'"));
}

TEST_CASE("a classifier is evaluated on its own classes only", "[tasks]")
{
    const test::SmallRun small;
    train_for(small.config("first", {"optimization.epochs=1", "logging.eval_every=0"}));
    train_for(small.fine_tune_config("run", {"optimization.epochs=1", "logging.eval_every=0"}));
    const auto config = small.fine_tune_config("run", {"meta.training=false"});
    CHECK_NOTHROW(commands::evaluate_classifier(config, "auto"));
    OtherData{{"a", "kat", "c"}, 26, 0}.write(small.data());
    CHECK_THROWS_WITH(
        commands::evaluate_classifier(config, "auto"),
        Catch::Contains("its classifier has other classes") && Catch::Contains("class 1 is 'kat', was 'b'"));
}

TEST_CASE("a finished run is extended by more epochs, and says what becomes of the schedule", "[tasks]")
{
    const BegunRun run;
    train_for(quick_config(run));
    const auto longer = quick_config(run, {"optimization.epochs=4"});
    const auto notes = notes_of_resuming(longer, latest_path(run));
    REQUIRE(notes.size() == 1);
    CHECK_THAT(notes.front(), Catch::Contains("is of a run of 2 epochs, this one has 4") &&
                                  Catch::Contains("the schedule of 4 epochs") && Catch::Contains("instead of 0.01"));
    CHECK(train_for(longer)["epochs"] == 4);
    // It has become a run of four.
    CHECK(notes_of_resuming(longer, latest_path(run)).empty());
    CHECK_THROWS_WITH(notes_of_resuming(quick_config(run), latest_path(run)),
                      Catch::Contains("a run of 4 epochs, which cannot become one of 2 (optimization.epochs)") &&
                          Catch::Contains("--stop-after 2ep"));
    CHECK_THROWS_WITH(
        notes_of_resuming(quick_config(run, {"optimization.epochs=5", "optimization.lr=0.4"}), latest_path(run)),
        Catch::Contains("other settings (optimization.lr)"));
}

TEST_CASE("on other ranks only what is possible is recommended", "[tasks]")
{
    const BegunRun run;
    const auto two_ranks = [&](const std::string& more)
    {
        const auto config = test::write(run.folder / "small.yaml", run.yaml("run"));
        return test::run(config + " --set logging.eval_every=0 --set optimization.epochs=2 --stop-after 1ep " + more,
                         test::mpirun(2));
    };
    const auto of_one = two_ranks("");
    INFO(of_one.output);
    CHECK(of_one.code == 0);
    CHECK_THAT(of_one.output,
               Catch::Contains("a single rank keeps the mathematics") && !Catch::Contains("meta.emulate_world"));
}

TEST_CASE("one class alone is nothing to learn", "[tasks]")
{
    const test::SmallRun small;
    io::DatasetContent content;
    content.class_names = {"only"};
    content.splits["train"] = test::striped_images(26, 1, 16);
    content.splits["val"] = test::striped_images(12, 1, 16);
    io::write_dataset(small.data(), content);
    const auto load = [&](const config::Config& config) { return data::load_dataset(config, data::Splits::train); };
    const auto method = [&](const config::Config& config)
    {
        const auto dataset = load(config);
        methods::make_loader(config, dataset, data::rank_share(0, 1, 0), torch::kCPU);
    };
    const std::vector<std::string> batch{"criterion.classes_per_batch=1"};
    for (const auto& config : {small.config("run", batch), small.suncet_config("run", batch),
                               small.snn_config("run", batch), small.fine_tune_config("run", {"data.num_classes=1"})})
    {
        INFO(to_string(config.task));
        CHECK_THROWS_WITH(method(config),
                          Catch::Contains("one class, 'only'") && Catch::Contains("two classes or more"));
    }
    CHECK_NOTHROW(
        method(small.suncet_config("run", {"criterion.classes_per_batch=1", "criterion.supervised_epochs=0"})));
    auto evaluation = small.config("run", batch);
    evaluation.task = config::Task::snn_eval;
    const auto notes = load(evaluation).notes;
    REQUIRE(notes.size() == 1);
    CHECK_THAT(notes.front(), Catch::Contains("one class, 'only': every prediction is right"));
}

TEST_CASE("labelled images of one class alone are nothing to learn from", "[tasks]")
{
    const test::SmallRun small;
    // Every third image is of the first class.
    io::write_subset(small.subset(), std::vector<std::size_t>{0, 3, 6});
    const auto config = small.fine_tune_config("run");
    const auto one_class = data::load_dataset(config, data::Splits::train);
    CHECK_THROWS_WITH(methods::make_loader(config, one_class, data::rank_share(0, 1, 0), torch::kCPU),
                      Catch::Contains("all of one of its 3 classes, 'a'"));
    io::write_subset(small.subset(), std::vector<std::size_t>{0, 1, 3});
    const auto notes = data::load_dataset(config, data::Splits::train).notes;
    REQUIRE(notes.size() == 1);
    CHECK_THAT(notes.front(), Catch::Contains("1 of the 3 classes") && Catch::Contains("the first: 'c'"));
    CHECK_THROWS_WITH(methods::require_learnable(small.config("run", {"criterion.classes_per_batch=1"}), 4),
                      Catch::Contains("criterion.classes_per_batch: 1"));
    CHECK_NOTHROW(methods::require_learnable(
        small.config("run", {"criterion.classes_per_batch=1", "data.unique_classes_per_rank=true"}), 2));
}

TEST_CASE("a run that has collapsed is warned of once", "[tasks]")
{
    const test::SmallRun small;
    const std::vector<std::string> columns{"paws-xent-loss", "paws-me_max-reg"};
    // log 3 is 1.0986.
    observers::CollapseWatch watch(small.config("run"), columns, 1);
    CHECK_FALSE(watch.after_epoch({0.5, -1.0}).has_value());
    CHECK_FALSE(watch.after_epoch({0.5, -0.11}).has_value());
    const auto warning = watch.after_epoch({0.5, -0.1});
    REQUIRE(warning.has_value());
    CHECK_THAT(*warning, Catch::Contains("0.100") && Catch::Contains("1.10") && Catch::Contains("collapsed") &&
                             Catch::Contains("optimization.lr"));
    CHECK_FALSE(watch.after_epoch({0.5, 0.0}).has_value());
    CHECK_FALSE(observers::CollapseWatch(small.config("run", {"criterion.me_max=false"}), columns, 1)
                    .after_epoch({0.5, 0.0})
                    .has_value());
    CHECK_FALSE(observers::CollapseWatch(small.suncet_config("run"), {"suncet-loss", "simclr-loss"}, 1)
                    .after_epoch({0.0, 0.0})
                    .has_value());
    // Of six classes, with three on each of two ranks: log 6 is 1.79.
    const auto unique = small.config("run", {"data.unique_classes_per_rank=true"});
    CHECK(observers::CollapseWatch(unique, columns, 2).after_epoch({0.5, -0.17}).has_value());
}

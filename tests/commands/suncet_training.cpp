// Runs of suncet_train: its own loss, columns and use of the labelled images; all else is paws_train's.

#include <fstream>

#include "io/checkpoint/checkpoint_file.hpp"
#include "src/commands/training.hpp"
#include "src/data/paws_loader.hpp"
#include "src/methods/registry.hpp"
#include "tests/commands/train_alone.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/small_run.hpp"

namespace
{
using namespace paws;
using test::train_alone;

struct CsvLine
{
    int epoch, step;
    double suncet, simclr;
};

/// The lines below the header, which is checked.
std::vector<CsvLine> csv_of(const std::filesystem::path& path)
{
    std::ifstream file(path);
    std::string line;
    std::getline(file, line);
    CHECK(line == "epoch,itr,suncet-loss,simclr-loss,time (ms)");
    std::vector<CsvLine> lines;
    for (CsvLine one{}; std::getline(file, line); lines.push_back(one))
    {
        REQUIRE(std::sscanf(line.c_str(), "%d,%d,%lf,%lf", &one.epoch, &one.step, &one.suncet, &one.simclr) == 4);
    }
    return lines;
}
}  // namespace

TEST_CASE("suncet_train writes the published columns, and leaves the labels alone after supervised_epochs", "[tasks]")
{
    const test::SmallRun small;
    const auto summary = train_alone(small.suncet_config("run"));
    CHECK(summary["task"] == "suncet_train");
    CHECK(summary["epochs"] == 3);
    CHECK(summary["top1"].get<double>() >= 0);
    CHECK(std::filesystem::exists(small.folder / "run/params-suncet_train.yaml"));
    const auto lines = csv_of(small.folder / "run/small_r0.csv");
    REQUIRE(lines.size() == 3 * 3);
    for (const auto& line : lines)
    {
        CHECK((line.suncet > 0) == (line.epoch <= 2));
        CHECK(line.simclr > 0);
    }
    CHECK(summary["loss"].get<double>() == Approx(lines.back().simclr).margin(1e-5));
}

TEST_CASE("a run of suncet_train that is resumed after each epoch equals an uninterrupted one", "[tasks]")
{
    const test::SmallRun small;
    train_alone(small.suncet_config("whole"));
    for (const int epochs : {1, 2, 3})
    {
        CHECK(train_alone(small.suncet_config("parts"), "auto", epochs)["epochs"] == epochs);
    }
    const auto whole = io::read_checkpoint(small.folder / "whole/small-latest.h5");
    const auto parts = io::read_checkpoint(small.folder / "parts/small-latest.h5");
    CHECK((whole.encoder == parts.encoder));
    CHECK((whole.momentum == parts.momentum));
    CHECK((whole.progress == parts.progress));
}

TEST_CASE("suncet_train learns what the stripes mean", "[tasks]")
{
    const test::SmallRun small;
    // As with PAWS, flips would turn one class into another.
    const auto learnt = train_alone(
        small.suncet_config(
            "learn", {"optimization.epochs=40", "logging.eval_every=40", "criterion.supervised_epochs=40",
                      "criterion.supervised_imgs_per_class=4", "data.flip_probability=0", "data.jitter_probability=0",
                      "data.solarise_probability=0", "data.equalise_probability=0"}),
        "never");
    CHECK(learnt["top1"].get<double>() > 0.9);
}

TEST_CASE("a checkpoint of PAWS is no checkpoint of suncet_train", "[tasks]")
{
    const test::SmallRun small;
    train_alone(small.config("run"), "never", 1);
    CHECK_THROWS_WITH(train_alone(small.suncet_config("run")),
                      Catch::Contains("task") && Catch::Contains("--resume never"));
}

TEST_CASE("batches hold labelled images in the supervised epochs only", "[data]")
{
    const test::SmallRun small;
    const auto config = small.suncet_config("run");
    const auto dataset = data::load_dataset(config, data::Splits::train);
    data::PawsLoader loader(dataset, config);
    const auto first_of = [&](std::int64_t epoch)
    {
        loader.start_epoch(epoch);
        return *loader.next();
    };
    const auto with = first_of(1);
    CHECK(with.supports.sizes() == torch::IntArrayRef({3 * 2, 3, 16, 16}));
    CHECK(with.large.sizes() == torch::IntArrayRef({2 * 8, 3, 16, 16}));
    CHECK_FALSE(with.small.defined());
    const auto without = first_of(2);
    CHECK_FALSE(without.supports.defined());
    CHECK(without.large.sizes() == torch::IntArrayRef({2 * 8, 3, 16, 16}));
}

TEST_CASE("a method says what it cannot learn from", "[train]")
{
    const test::SmallRun small;
    const auto config = small.suncet_config("run", {"criterion.supervised_imgs_per_class=1"});
    const auto dataset = data::load_dataset(config, data::Splits::train);
    const auto make = [&](const config::Config& settings, std::int64_t ranks) {
        return methods::make_loader(settings, dataset, {0, 1, ranks}, torch::kCPU);
    };
    CHECK_THROWS_WITH(make(config, 1), Catch::Contains("criterion.supervised_imgs_per_class"));
    // Another rank's image is a neighbour, unless it is of another class.
    CHECK_NOTHROW(make(config, 2));
    auto unique = config;
    unique.data.unique_classes_per_rank = true;
    CHECK_THROWS_AS(make(unique, 2), config::Error);
    auto smoothed = config;
    smoothed.data.label_smoothing = 0.1;
    CHECK_NOTHROW(make(smoothed, 1));
    auto other = config;
    other.task = config::Task::embed;
    CHECK_THROWS_WITH(make(other, 1), Catch::Contains("embed"));
}

TEST_CASE("methods describe their loss", "[train]")
{
    const test::SmallRun small;
    const auto paws = methods::make_method({small.config("run")});
    CHECK(paws->describe({0.718, -1.05}) == "loss 0.718  entropy 1.05 of 1.10");
    CHECK(std::string(paws->columns()[1]) == "paws-me_max-reg");
    const auto suncet = methods::make_method({small.suncet_config("run")});
    CHECK(suncet->describe({0.5, 2}) == "SuNCEt 0.500  SimCLR 2.000");
}

// Runs of snn_fine_tune and fine_tune: what they start from, what they leave alone, their files, and going on.

#include <cmath>
#include <fstream>
#include <map>

#include "io/base/error.hpp"
#include "io/checkpoint/checkpoint_file.hpp"
#include "src/commands/classifier_evaluation.hpp"
#include "src/commands/training.hpp"
#include "tests/commands/train_alone.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/small_run.hpp"

namespace
{
using namespace paws;
using test::train_alone;

/// A small run whose folder `first` has the checkpoint of one epoch of PAWS.
struct PretrainedRun : test::SmallRun
{
    PretrainedRun() { train_alone(config("first"), "never", 1); }

    io::Checkpoint checkpoint(const std::string& name) const { return io::read_checkpoint(folder / name); }
};

std::map<std::string, io::Array> by_name(const io::NamedArrays& arrays)
{
    return {arrays.begin(), arrays.end()};
}

/// Of the steps after `epochs` epochs.
double mean_loss_from(int epochs, const std::filesystem::path& csv)
{
    std::ifstream file(csv);
    std::string line;
    std::getline(file, line);
    double sum = 0;
    int steps = 0;
    int epoch = 0, step = 0;
    double loss = 0;
    char comma = 0;
    while (file >> epoch >> comma >> step >> comma >> loss && std::getline(file, line))
    {
        sum += epoch > epochs ? loss : 0;
        steps += epoch > epochs ? 1 : 0;
    }
    REQUIRE(steps > 0);
    UNSCOPED_INFO("mean loss " << sum / steps);
    return sum / steps;
}

struct EvaluationLine
{
    int epoch;
    double top1;
};

/// The lines below the header, which is checked.
std::vector<EvaluationLine> evaluations_of(const std::filesystem::path& path)
{
    std::ifstream file(path);
    std::string line;
    std::getline(file, line);
    CHECK(line == "epoch,top1,top5");
    std::vector<EvaluationLine> lines;
    for (EvaluationLine one{}; std::getline(file, line); lines.push_back(one))
    {
        REQUIRE(std::sscanf(line.c_str(), "%d,%lf", &one.epoch, &one.top1) == 2);
    }
    return lines;
}

std::string first_line_of(const std::filesystem::path& path)
{
    std::ifstream file(path);
    std::string line;
    std::getline(file, line);
    return line;
}

/// The best checkpoint is the first one of the highest accuracy.
void check_best(const io::Checkpoint& best, const std::vector<EvaluationLine>& evaluations)
{
    auto expected = evaluations.front();
    for (const auto& line : evaluations)
    {
        expected = line.top1 > expected.top1 ? line : expected;
    }
    CHECK(best.progress.epoch == expected.epoch);
    CHECK(best.progress.reals.at("top1") == Approx(expected.top1).margin(1e-5));
    CHECK(best.progress.reals.at("best_top1") == best.progress.reals.at("top1"));
}

void check_resumable(const config::Config& whole_config, const config::Config& parts_config, const std::string& latest,
                     const test::SmallRun& small)
{
    train_alone(whole_config);
    for (const int epochs : {1, 2, 3})
    {
        CHECK(train_alone(parts_config, "auto", epochs)["epochs"] == epochs);
    }
    const auto whole = io::read_checkpoint(small.folder / ("whole/" + latest));
    const auto parts = io::read_checkpoint(small.folder / ("parts/" + latest));
    CHECK((whole.encoder == parts.encoder));
    CHECK((whole.momentum == parts.momentum));
    CHECK((whole.progress == parts.progress));
}

const std::vector<std::string> no_learning{"optimization.lr=0", "optimization.start_lr=0", "optimization.final_lr=0"};
}  // namespace

TEST_CASE("snn_fine_tune keeps the batch-norm statistics, and the best by accuracy", "[tasks]")
{
    const PretrainedRun small;
    const auto summary = train_alone(small.snn_config("run"));
    CHECK(summary["task"] == "snn_fine_tune");
    CHECK(summary["epochs"] == 3);
    CHECK(summary["steps"] == 3 * 2);
    CHECK(first_line_of(small.folder / "run/small-fine-tune-SNN_r0.csv") == "epoch,itr,suncet-loss,time (ms)");
    CHECK(std::filesystem::exists(small.folder / "run/params-snn_fine_tune.yaml"));

    const auto before = by_name(small.checkpoint("first/small-latest.h5").encoder);
    const auto after = by_name(small.checkpoint("run/small-fine-tune-SNN-latest.h5").encoder);
    REQUIRE(before.size() == after.size());
    for (const auto& [name, array] : before)
    {
        INFO(name);
        const bool statistics = name.find("running") != std::string::npos || name.find("tracked") != std::string::npos;
        CHECK((after.at(name) == array) == statistics);
    }
    const auto evaluations = evaluations_of(small.folder / "run/small-fine-tune-SNN-eval.csv");
    REQUIRE(evaluations.size() == 4);
    for (int epoch = 0; epoch < 4; ++epoch)
    {
        CHECK(evaluations[static_cast<std::size_t>(epoch)].epoch == epoch);
    }
    check_best(small.checkpoint("run/small-fine-tune-SNN-best.h5"), evaluations);
    CHECK(summary["top1"].get<double>() == Approx(evaluations.back().top1).margin(1e-5));
}

TEST_CASE("snn_fine_tune starts with all of the network, fine_tune with its backbone and first projection layer",
          "[tasks]")
{
    const PretrainedRun small;
    const auto before = by_name(small.checkpoint("first/small-latest.h5").encoder);
    train_alone(small.snn_config("run", no_learning), "never", 1);
    CHECK((by_name(small.checkpoint("run/small-fine-tune-SNN-latest.h5").encoder) == before));

    train_alone(small.fine_tune_config("run", no_learning), "never", 1);
    const auto classifier = small.checkpoint("run/small-fine-tune-latest.h5").encoder;
    for (const auto& [name, array] : classifier)
    {
        INFO(name);
        if (name.find("running") != std::string::npos || name.find("tracked") != std::string::npos)
        {
            CHECK_FALSE((before.at(name) == array));
        }
        else if (name.rfind("fc.fc2.", 0) == 0)
        {
            CHECK(std::all_of(array.bytes.begin(), array.bytes.end(), [](auto byte) { return byte == std::byte{0}; }));
        }
        else
        {
            CHECK((before.at(name) == array));
        }
    }
    auto random = no_learning;
    random.emplace_back("optimization.zero_init=false");
    train_alone(small.fine_tune_config("random", random), "never", 1);
    CHECK_FALSE((small.checkpoint("random/small-fine-tune-latest.h5").encoder.back() == classifier.back()));
}

TEST_CASE("fine_tune trains a classifier, and evaluates it with training: false", "[tasks]")
{
    const PretrainedRun small;
    const std::vector<std::string> settings{"optimization.epochs=30", "data.flip_probability=0",
                                            "optimization.start_lr=0.002", "optimization.lr=0.002"};
    const auto summary = train_alone(small.fine_tune_config("run", settings));
    CHECK(summary["epochs"] == 30);
    CHECK(summary["best_top1"].get<double>() > 0.9);
    // Of several epochs: the losses of single steps, of few images each, swing, at higher rates up to chance, log 3.
    CHECK(mean_loss_from(20, small.folder / "run/small-fine-tune_r0.csv") < 2 * std::log(3) / 3);
    std::ifstream csv(small.folder / "run/small-fine-tune_r0.csv");
    std::string line;
    std::getline(csv, line);
    CHECK(line == "epoch,itr,cross-entropy-loss,train-top1,time (ms)");
    std::getline(csv, line);
    // All classes are equally probable to a last layer of zeros.
    CHECK(line.rfind("1,0,1.09861,", 0) == 0);
    const auto evaluations = evaluations_of(small.folder / "run/small-fine-tune-eval.csv");
    REQUIRE(evaluations.size() == 30);
    check_best(small.checkpoint("run/small-fine-tune-best.h5"), evaluations);

    auto only_evaluates = settings;
    only_evaluates.emplace_back("meta.training=false");
    const auto config = small.fine_tune_config("run", only_evaluates);
    const auto evaluation = commands::evaluate_classifier(config, "auto");
    CHECK(evaluation["checkpoint"] == (small.folder / "run/small-fine-tune-best.h5").string());
    CHECK(evaluation["pictures"] == 12);
    CHECK(evaluation["top1"] == summary["best_top1"]);
    CHECK(evaluation["top5"] == 1.0);
    const auto latest = small.folder / "run/small-fine-tune-latest.h5";
    CHECK(commands::evaluate_classifier(config, latest.string())["top1"] == summary["top1"]);
}

TEST_CASE("held-out images decide, where there is a list of them", "[tasks]")
{
    const PretrainedRun small;
    std::ofstream(small.folder / "val.txt") << "5\n9\n22\n";
    const std::vector<std::string> settings{"data.dataset=imagenet_fine_tune",
                                            "data.subset_path=" + (small.folder / "").string(),
                                            "data.random_crop=false", "data.eval_resize=16"};
    // Without a validation split that could stand in.
    auto elsewhere = settings;
    elsewhere.emplace_back("data.validation_split=none");
    const auto summary = train_alone(small.fine_tune_config("run", elsewhere));
    const auto thirds = 3 * summary["top1"].get<double>();
    CHECK(thirds == Approx(std::round(thirds)).margin(1e-9));
    auto only_evaluates = settings;
    only_evaluates.emplace_back("meta.training=false");
    const auto evaluation = commands::evaluate_classifier(small.fine_tune_config("run", only_evaluates), "auto");
    CHECK(evaluation["held_out_top1"] == summary["best_top1"]);
    CHECK(evaluation["pictures"] == 12);
}

TEST_CASE("fine-tuning that is resumed after each epoch equals an uninterrupted one", "[tasks]")
{
    const PretrainedRun small;
    check_resumable(small.snn_config("whole"), small.snn_config("parts"), "small-fine-tune-SNN-latest.h5", small);
    check_resumable(small.fine_tune_config("whole"), small.fine_tune_config("parts"), "small-fine-tune-latest.h5",
                    small);
    for (const auto* name : {"small-fine-tune-SNN-eval.csv", "small-fine-tune-eval.csv"})
    {
        const auto whole = evaluations_of(small.folder / "whole" / name);
        const auto parts = evaluations_of(small.folder / "parts" / name);
        REQUIRE(whole.size() == parts.size());
        for (std::size_t i = 0; i < whole.size(); ++i)
        {
            CHECK(whole[i].epoch == parts[i].epoch);
            CHECK(whole[i].top1 == parts[i].top1);
        }
    }
    // load_checkpoint says the same as --resume auto, but insists on the file.
    CHECK(train_alone(small.fine_tune_config("whole", {"meta.load_checkpoint=true"}))["epochs"] == 3);
    CHECK_THROWS_WITH(train_alone(small.fine_tune_config("nowhere", {"meta.load_checkpoint=true"})),
                      Catch::Contains("small-fine-tune-latest.h5"));
}

TEST_CASE("pre-training that is evaluated keeps the best by accuracy, over a resume too", "[tasks]")
{
    const test::SmallRun small;
    train_alone(small.config("run"), "auto", 2);
    const auto summary = train_alone(small.config("run"));
    const auto evaluations = evaluations_of(small.folder / "run/small-eval.csv");
    REQUIRE(evaluations.size() == 3);
    check_best(io::read_checkpoint(small.folder / "run/small-best.h5"), evaluations);
    const auto latest = io::read_checkpoint(small.folder / "run/small-latest.h5");
    CHECK(summary["top1"] == latest.progress.reals.at("top1"));
    CHECK(summary["best_top1"] == latest.progress.reals.at("best_top1"));

    train_alone(small.config("by_loss", {"logging.eval_every=0"}));
    const auto best = io::read_checkpoint(small.folder / "by_loss/small-best.h5");
    CHECK(best.progress.reals.count("top1") == 0);
    CHECK(best.progress.reals.at("best_loss") == best.progress.reals.at("loss"));
    CHECK_FALSE(std::filesystem::exists(small.folder / "by_loss/small-eval.csv"));

    // An accuracy that the next epochs do not have stays with its own.
    train_alone(small.config("rarely", {"logging.eval_every=2"}), "auto", 1);
    CHECK(io::read_checkpoint(small.folder / "rarely/small-latest.h5").progress.reals.count("top1") == 0);
}

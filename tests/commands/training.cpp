#include <fstream>

#include "io/base/error.hpp"
#include "io/checkpoint/checkpoint_file.hpp"
#include "src/commands/training.hpp"
#include "tests/commands/train_alone.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/small_run.hpp"

namespace
{
using namespace paws;
using test::train_alone;

io::Checkpoint latest_of(const test::SmallRun& small, const std::string& run)
{
    return io::read_checkpoint(small.folder / (run + "/small-latest.h5"));
}

/// Every array and the progress, bit for bit.
void check_equal(const io::Checkpoint& a, const io::Checkpoint& b)
{
    REQUIRE(a.encoder.size() == b.encoder.size());
    for (std::size_t i = 0; i < a.encoder.size(); ++i)
    {
        INFO(a.encoder[i].first);
        CHECK((a.encoder[i] == b.encoder[i]));
    }
    CHECK((a.momentum == b.momentum));
    CHECK((a.progress == b.progress));
}

std::vector<std::string> lines_of(const std::filesystem::path& path)
{
    std::ifstream file(path);
    std::vector<std::string> lines;
    for (std::string line; std::getline(file, line);)
    {
        lines.push_back(line);
    }
    return lines;
}
}  // namespace

TEST_CASE("the same seed gives the same checkpoint, another seed another one", "[tasks]")
{
    const test::SmallRun small;
    train_alone(small.config("one"));
    train_alone(small.config("two"));
    train_alone(small.config("other", {"meta.seed=1"}));
    check_equal(latest_of(small, "one"), latest_of(small, "two"));
    CHECK_FALSE((latest_of(small, "one").encoder == latest_of(small, "other").encoder));
}

TEST_CASE("a run stopped after an epoch and resumed equals an uninterrupted one", "[tasks]")
{
    const test::SmallRun small;
    const auto whole = train_alone(small.config("whole"));
    CHECK(whole["epochs"] == 3);
    CHECK(train_alone(small.config("parts"), "auto", 1)["epochs"] == 1);
    CHECK(train_alone(small.config("parts"), "auto", 2)["epochs"] == 2);
    CHECK(train_alone(small.config("parts"))["epochs"] == 3);
    check_equal(latest_of(small, "whole"), latest_of(small, "parts"));

    const auto csv = lines_of(small.folder / "whole/small_r0.csv");
    CHECK(csv.front() == "epoch,itr,paws-xent-loss,paws-me_max-reg,time (ms)");
    CHECK(csv.size() == 1 + 3 * 3);
    CHECK(lines_of(small.folder / "parts/small_r0.csv").size() == csv.size());
    CHECK(std::filesystem::exists(small.folder / "whole/params-paws_train.yaml"));
    CHECK(std::filesystem::exists(small.folder / "whole/small-best.h5"));
}

TEST_CASE("training learns what the stripes mean", "[tasks]")
{
    const test::SmallRun small;
    // Flips turn one class's stripes into another's, and colours have nothing to say: with both, such a small run
    // learns or does not by the seed and by the last bit of the machine's arithmetic.
    const auto learnt =
        train_alone(small.config("learn", {"optimization.epochs=40", "logging.eval_every=40",
                                           "criterion.supervised_imgs_per_class=4", "data.flip_probability=0",
                                           "data.jitter_probability=0", "data.solarise_probability=0",
                                           "data.equalise_probability=0"}),
                    "never");
    // A network that tells nothing apart has a loss of 0: log 3 of cross-entropy less log 3 of mean entropy.
    CHECK(learnt["loss"].get<double>() < -0.6);
    CHECK(learnt["top1"].get<double>() > 0.9);
}

TEST_CASE("the first step of a bf16 and of a fp64 run agrees with that of a fp32 run", "[tasks]")
{
    const test::SmallRun small;
    // Later steps drift apart: training amplifies every rounding.
    const auto first_cross_entropy = [&](const std::string& precision)
    {
        train_alone(small.config(precision, {"meta.precision=" + precision}), "never", 1);
        const auto line = lines_of(small.folder / (precision + "/small_r0.csv")).at(1);
        REQUIRE(line.rfind("1,0,", 0) == 0);
        return std::stod(line.substr(4));
    };
    const double reference = first_cross_entropy("fp32");
    CHECK(first_cross_entropy("fp64") == Approx(reference).epsilon(1e-4));
    CHECK(first_cross_entropy("bf16") == Approx(reference).epsilon(0.02));
}

TEST_CASE("a checkpoint is refused where it does not fit", "[tasks]")
{
    const test::SmallRun small;
    train_alone(small.config("run"), "never", 1);
    const auto path = small.folder / "run/small-latest.h5";

    CHECK_THROWS_WITH(train_alone(small.config("run", {"optimization.lr=0.4"})),
                      Catch::Contains("optimization.lr") && Catch::Contains("--resume never"));
    CHECK_THROWS_WITH(train_alone(small.config("run", {"meta.output_dim=8"})), Catch::Contains("meta.output_dim"));
    // Where logs go, and on how many threads, is no reason to refuse.
    CHECK_NOTHROW(train_alone(small.config("run", {"logging.log_every=5", "meta.threads=1"}), path.string(), 1));
    CHECK_THROWS_AS(train_alone(small.config("run"), (small.folder / "missing.h5").string()), io::Error);

    const auto size = std::filesystem::file_size(path);
    std::filesystem::resize_file(path, size / 2);
    CHECK_THROWS_WITH(train_alone(small.config("run")), Catch::Contains("small-latest.h5"));
}

TEST_CASE("a run starts from the backbone of another checkpoint", "[tasks]")
{
    const test::SmallRun small;
    train_alone(small.config("first"), "never", 1);
    const auto path = small.folder / "first/small-latest.h5";
    // A learning rate of zero keeps what the run started from.
    const std::vector<std::string> frozen{"optimization.lr=0", "optimization.start_lr=0", "optimization.final_lr=0",
                                          "meta.output_dim=8", "meta.init_backbone=" + path.string()};
    train_alone(small.config("second", frozen), "never", 1);
    const auto first = latest_of(small, "first").encoder;
    const auto second = latest_of(small, "second").encoder;
    REQUIRE(first.size() == second.size());
    for (std::size_t i = 0; i < first.size(); ++i)
    {
        INFO(first[i].first);
        const bool statistics =
            first[i].first.find("running") != std::string::npos || first[i].first.find("tracked") != std::string::npos;
        const bool head = first[i].first.rfind("fc.", 0) == 0 || first[i].first.rfind("pred.", 0) == 0;
        if (!statistics)
        {
            CHECK((first[i] == second[i]) == !head);
        }
    }
    CHECK_THROWS_WITH(
        train_alone(small.config("third", {"meta.model_name=resnet18", "meta.init_backbone=" + path.string()})),
        Catch::Contains("small-latest.h5") && Catch::Contains("another network"));
    CHECK_THROWS_AS(train_alone(small.config("third", {"meta.init_backbone=/nowhere.h5"})), io::Error);
}

TEST_CASE("a loss that is NaN or infinite ends the run and keeps the last checkpoint", "[tasks]")
{
    const test::SmallRun small;
    train_alone(small.config("run"), "never", 1);
    const auto kept = latest_of(small, "run");
    CHECK_THROWS_WITH(train_alone(small.config("boom", {"optimization.lr=1e30", "optimization.start_lr=1e30"})),
                      Catch::Contains("NaN or infinite") && Catch::Contains("optimization.lr"));
    check_equal(latest_of(small, "run"), kept);
}

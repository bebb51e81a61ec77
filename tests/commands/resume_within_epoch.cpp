// A run that stops at any step and resumes is the run that never stopped.

#include <unistd.h>

#include <csignal>
#include <fstream>
#include <thread>

#include "io/checkpoint/checkpoint_file.hpp"
#include "src/commands/training.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/small_run.hpp"
#include "tests/support/world_folder.hpp"

namespace
{
using namespace paws;
namespace fs = std::filesystem;

commands::Summary train_steps(const config::Config& config, std::optional<std::int64_t> steps = {},
                              const std::string& resume = "auto")
{
    return commands::run_training(config, {resume, {{}, steps, {}}, {}, true}, test::world_of_all());
}

io::Checkpoint latest_in(const fs::path& folder)
{
    return io::read_checkpoint(folder / "small-latest.h5");
}

/// What stands in a CSV file but the time of a step.
std::vector<std::string> figures(const fs::path& path)
{
    std::ifstream file(path);
    std::vector<std::string> lines;
    for (std::string line; std::getline(file, line);)
    {
        lines.push_back(line.substr(0, line.rfind(',')));
    }
    return lines;
}
}  // namespace

namespace
{
/// One small data set for all ranks, and configurations of runs in a folder that all see.
class SharedRuns
{
public:
    SharedRuns() : folder_([](const fs::path&) {})
    {
        data_ = test::world()->group().broadcast(small_.data().string());
        subset_ = test::world()->group().broadcast(small_.subset().string());
    }
    ~SharedRuns() { test::world()->barrier(); }
    SharedRuns(const SharedRuns&) = delete;
    SharedRuns& operator=(const SharedRuns&) = delete;

    /// 26 images in batches of 4 a rank: at least two steps an epoch on up to three ranks.
    config::Config config(const std::string& run, const std::string& task, std::vector<std::string> more = {}) const
    {
        more.insert(more.end(),
                    {"data.file=" + data_, "data.subset=" + subset_, "logging.folder=" + (folder_ / run).string(),
                     "criterion.unsupervised_batch_size=4", "criterion.supervised_imgs_per_class=1",
                     "criterion.supervised_views=2", "logging.eval_every=0", "meta.threads=1"});
        return task == "paws_train" ? small_.config(run, more) : small_.suncet_config(run, more);
    }

    fs::path operator/(const std::string& run) const { return folder_ / run; }

private:
    test::SmallRun small_;
    test::WorldFolder folder_;
    std::string data_, subset_;
};

void check_same_end(const SharedRuns& runs, const std::string& a, const std::string& b)
{
    test::world()->barrier();
    CHECK((latest_in(runs / a).encoder == latest_in(runs / b).encoder));
    CHECK((latest_in(runs / a).momentum == latest_in(runs / b).momentum));
    CHECK((latest_in(runs / a).progress == latest_in(runs / b).progress));
    const auto csv = fmt::format("small_r{}.csv", test::world()->rank());
    CHECK(figures(runs / a / csv) == figures(runs / b / csv));
    CHECK(figures(runs / a / csv).size() > 3);
}
}  // namespace

TEST_CASE("a run that stops within epochs and is resumed ends as if it had not stopped", "[resume]")
{
    for (const std::string task : {"paws_train", "suncet_train"})
    {
        INFO(task);
        const SharedRuns runs;
        const auto whole = train_steps(runs.config("whole", task));
        const auto steps = whole["steps"].get<std::int64_t>();
        REQUIRE(steps >= 6);
        // Every step is a stop: the first, within, and the last of an epoch.
        for (std::int64_t step = 1; step < steps; ++step)
        {
            const auto part = train_steps(runs.config("parts", task), step);
            CHECK(part["steps"] == step);
            CHECK_FALSE(commands::has_stopped(part));
        }
        CHECK(train_steps(runs.config("parts", task))["epochs"] == 3);
        check_same_end(runs, "whole", "parts");
    }
}

TEST_CASE("a signal to one rank stops all after the step, with a checkpoint", "[resume]")
{
    const SharedRuns runs;
    train_steps(runs.config("whole", "paws_train"));
    // It comes before the first step has ended, or soon after.
    const auto config = runs.config("parts", "paws_train", {"optimization.epochs=200"});
    std::thread sender(
        [&]
        {
            while (!fs::exists(runs / "parts/small_r0.csv"))
            {
                std::this_thread::sleep_for(std::chrono::milliseconds(5));
            }
            if (test::world()->rank() == test::world()->world_size() - 1)
            {
                kill(getpid(), SIGUSR1);
            }
        });
    const auto stopped = train_steps(config);
    sender.join();
    REQUIRE(commands::has_stopped(stopped));
    CHECK(stopped["epochs"].get<std::int64_t>() < 200);
    test::world()->barrier();
    const auto checkpoint = latest_in(runs / "parts");
    CHECK(checkpoint.progress.iteration == stopped["steps"].get<std::int64_t>());
}

TEST_CASE("checkpoints within an epoch come by the clock, the ones before stay", "[resume]")
{
    const SharedRuns runs;
    // So short a time that every step asks for one.
    const auto config = runs.config("run", "paws_train", {"logging.checkpoint_minutes=1.0e-09", "logging.keep_last=3"});
    train_steps(config);
    test::world()->barrier();
    for (const char* name : {"small-latest.h5", "small-latest-1.h5", "small-latest-2.h5", "small-best.h5"})
    {
        INFO(name);
        CHECK_NOTHROW(io::read_checkpoint(runs / "run" / name));
    }
    CHECK_FALSE(fs::exists(runs / "run/small-latest-3.h5"));
    CHECK(latest_in(runs / "run").progress.epoch == 3);
    test::world()->barrier();
    if (test::world()->rank() == 0)
    {
        // Cut off, and a bit turned over.
        fs::resize_file(runs / "run/small-latest.h5", 1000);
        std::fstream file(runs / "run/small-latest-1.h5", std::ios::in | std::ios::out | std::ios::binary);
        file.seekp(3000);
        const int byte = file.get();
        file.seekp(3000);
        file.put(static_cast<char>(byte ^ 1));
    }
    test::world()->barrier();
    CHECK(train_steps(config)["epochs"] == 3);
    CHECK(latest_in(runs / "run").progress.epoch == 3);
}

TEST_CASE("when all checkpoints are corrupt the run does not begin anew", "[resume]")
{
    const SharedRuns runs;
    const auto config = runs.config("run", "paws_train");
    train_steps(config, 1);
    test::world()->barrier();
    if (test::world()->rank() == 0)
    {
        fs::resize_file(runs / "run/small-latest.h5", 1000);
    }
    test::world()->barrier();
    CHECK_THROWS_WITH(train_steps(config), Catch::Contains("no checkpoint of the run is whole") &&
                                               Catch::Contains("--resume never") && Catch::Contains("small-latest.h5"));
    CHECK_NOTHROW(train_steps(config, 1, "never"));
}

// How the program stops, what it exits with, and how it resumes.

#include <unistd.h>

#include "io/checkpoint/checkpoint_file.hpp"
#include "io/files/folder_lock.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/run_program.hpp"
#include "tests/support/small_run.hpp"

using namespace paws;
using test::run;

namespace
{
/// A run that would take for ever, and what --set makes of it.
struct LongRun : test::SmallRun
{
    std::string line = test::write(folder / "small.yaml", yaml("run")) +
                       " --set optimization.epochs=100000 --set logging.eval_every=0 --set meta.threads=1";

    io::Progress progress() const { return io::read_checkpoint(folder / "run/small-latest.h5").progress; }
};
}  // namespace

TEST_CASE("a signal stops the program with exit code 85, and it resumes", "[cli]")
{
    const LongRun small;
    std::int64_t steps = 0;
    for (const std::string signal : {"USR1", "TERM", "INT"})
    {
        const auto result = run(small.line, "timeout --preserve-status -s " + signal + " 3");
        INFO(result.output);
        CHECK(result.code == 85);
        CHECK(test::lines_with(result.output, "SIG" + signal + ": the run stops after this step").size() == 1);
        CHECK(test::lines_with(result.output, "stopped by SIG" + signal).size() == 1);
        CHECK(test::lines_with(result.output, "resumed from").size() == (steps > 0 ? 1 : 0));
        CHECK(small.progress().iteration > steps);
        steps = small.progress().iteration;
    }
}

TEST_CASE("limits of time end with 85, asked numbers of steps and epochs with 0", "[cli]")
{
    const LongRun small;
    const auto steps = run(small.line + " --stop-after 5steps --summary " + (small.folder / "steps.json").string());
    INFO(steps.output);
    CHECK(steps.code == 0);
    CHECK(small.progress().iteration == 5);
    CHECK(run(small.line + " --stop-after 4ep").code == 0);
    CHECK(small.progress().epoch == 4);
    // Too little time for anything but one step.
    const auto time = run(small.line + " --stop-after 1s");
    INFO(time.output);
    CHECK(time.code == 85);
    CHECK(small.progress().iteration == 4 * 3 + 1);
    CHECK(test::lines_with(time.output, "stopped by --stop-after").size() == 1);
    test::check_bad_input(small.line + " --stop-after 3", {"--stop-after", "45m"});
}

TEST_CASE("on another number of ranks a run goes on at the same place, and says what changes", "[cli]")
{
    const LongRun small;
    // An epoch of 26 images has three steps of 8, or six of 4.
    const auto line = small.line + " --set criterion.unsupervised_batch_size=4 --set data.unlabelled_count=24";
    CHECK(run(line + " --set meta.emulate_world=2 --stop-after 2steps").code == 0);
    CHECK(small.progress().iteration == 2);
    const auto result = run(line + " --stop-after 5steps");
    INFO(result.output);
    CHECK(result.code == 0);
    CHECK(test::lines_with(result.output, "0 epochs and 4 of 6 steps done").size() == 1);
    CHECK(test::lines_with(result.output, "of 2 ranks, this run computes for 1: a step has 4 images instead of 8")
              .size() == 1);
    CHECK(small.progress().iteration == 5);
    CHECK(run(line + " --set meta.emulate_world=2 --stop-after 1ep").code == 0);
    CHECK(small.progress().epoch == 1);
}

TEST_CASE("two runs do not write one folder, and none writes where it may not", "[cli]")
{
    const LongRun small;
    CHECK(run(small.line + " --stop-after 1steps").code == 0);
    {
        const io::FolderLock lock(small.folder / "run/small.lock");
        test::check_bad_input(small.line, {"small.lock", "another run", std::to_string(getpid())});
    }
    CHECK(run(small.line + " --stop-after 2steps").code == 0);
    // /proc takes no folders, of root neither.
    test::check_bad_input(small.line + " --set logging.folder=/proc/run", {"/proc/run", "logging.folder"});
}

TEST_CASE("a corrupt checkpoint is named and skipped", "[cli]")
{
    const LongRun small;
    CHECK(run(small.line + " --stop-after 4steps").code == 0);
    CHECK(run(small.line + " --stop-after 5steps").code == 0);
    std::filesystem::resize_file(small.folder / "run/small-latest.h5", 5000);
    const auto result = run(small.line + " --stop-after 6steps");
    INFO(result.output);
    CHECK(result.code == 0);
    CHECK(test::lines_with(result.output, "small-latest.h5: ").size() == 1);
    CHECK(test::lines_with(result.output, "small-latest-1.h5, 1 epoch and 1 of 3 steps done").size() == 1);
    CHECK(small.progress().iteration == 6);
    // A foreign file in its place.
    test::write(small.folder / "run/small-latest.h5", "no checkpoint");
    test::write(small.folder / "run/small-latest-1.h5", "neither");
    test::check_bad_input(small.line, {"none of the 2 checkpoints", "--resume never"});
    // That is what matters, not which of the files is damaged.
    std::filesystem::resize_file(small.folder / "run/small-best.h5", 100);
    test::check_bad_input(small.line, {"none of the 2 checkpoints", "--resume never"});
    std::filesystem::remove(small.folder / "run/small-latest-1.h5");
    test::check_bad_input(small.line, {"no checkpoint of the run is whole", "--resume never"});
    std::filesystem::remove(small.folder / "run/small-latest.h5");
    test::check_bad_input(small.line,
                          {"logging.write_tag: ", "small-best.h5", "is damaged; it may have been a checkpoint"});
}

TEST_CASE("a run that stopped after an epoch's last step is evaluated when it resumes", "[cli]")
{
    const LongRun small;
    const auto line = small.line + " --set optimization.epochs=2 --set logging.eval_every=1";
    const auto stopped = run(line + " --stop-after 3steps");
    INFO(stopped.output);
    CHECK(test::lines_with(stopped.output, "epoch 1/2  loss").size() == 1);
    CHECK(test::lines_with(stopped.output, "top-1").empty());
    const auto resumed = run(line);
    INFO(resumed.output);
    CHECK(resumed.code == 0);
    CHECK(test::lines_with(resumed.output, "epoch 0/2").empty());
    const auto first = test::lines_with(resumed.output, "epoch 1/2");
    REQUIRE(first.size() == 1);
    CHECK_THAT(first[0], Catch::StartsWith("epoch 1/2  top-1 ") && !Catch::Contains("left"));
    const auto second = test::lines_with(resumed.output, "epoch 2/2");
    REQUIRE(second.size() == 1);
    CHECK_THAT(second[0], Catch::Contains("images/s") && Catch::Contains("top-1"));
    const auto again = run(line);
    CHECK(test::lines_with(again.output, "all 2 epochs are done").size() == 1);
}

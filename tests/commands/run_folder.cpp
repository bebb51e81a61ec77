#include "src/checkpoint/run_folder.hpp"

#include <chrono>
#include <thread>

#include "src/checkpoint/checkpoint_writer.hpp"
#include "src/commands/training.hpp"
#include "src/logging/run_log.hpp"
#include "tests/io/files.hpp"
#include "tests/support/small_run.hpp"

using namespace paws;
namespace fs = std::filesystem;

namespace
{
/// The folder of a run that writes DIRECTORY/run/small*.
struct Running
{
    test::SmallRun small;
    checkpoint::RunFiles files{small.config("run")};
    checkpoint::RunFolder folder{files};

    Running() { folder.write_parameters("a: 1\n"); }
};
}  // namespace

TEST_CASE("a folder that is renamed or removed is made again with its lock, and said once", "[tasks][run_folder]")
{
    Running run;
    CHECK_FALSE(run.folder.restore());
    const auto& folder = run.files.folder();
    for (const bool renamed : {true, false})
    {
        renamed ? fs::rename(folder, run.small.folder / "kept") : static_cast<void>(fs::remove_all(folder));
        CHECK(run.folder.restore());
        CHECK_FALSE(run.folder.restore());
        CHECK(test::contents(run.files.parameters()) == "a: 1\n");
        test::check_refused([&] { io::FolderLock(run.files.lock()); }, {"another run"});
        const auto note = run.folder.take_note();
        REQUIRE(note);
        CHECK_THAT(*note, Catch::Contains(folder.string()) && Catch::Contains("made again"));
        CHECK_FALSE(run.folder.take_note());
    }
    // The lock alone, and a copy of the folder that has the same one.
    fs::remove(run.files.lock());
    CHECK_FALSE(run.folder.restore());
    test::check_refused([&] { io::FolderLock(run.files.lock()); }, {"another run"});
    fs::create_directory(run.small.folder / "copy");
    fs::create_hard_link(run.files.lock(), run.small.folder / "copy/small.lock");
    fs::remove_all(folder);
    fs::rename(run.small.folder / "copy", folder);
    CHECK(run.folder.restore());
}

TEST_CASE("a run leaves a folder alone that another has taken meanwhile", "[tasks][run_folder]")
{
    Running run;
    fs::rename(run.files.folder(), run.small.folder / "kept");
    {
        const checkpoint::RunFolder other(run.files);
        test::check_refused([&] { run.folder.restore(); }, {"small.lock", "another run"});
        CHECK_FALSE(fs::exists(run.files.parameters()));
        CHECK_FALSE(run.folder.take_note());
    }
    CHECK(run.folder.restore());
    // A place where nothing can be made.
    fs::remove_all(run.files.folder());
    test::write_file(run.files.folder(), "");
    test::check_refused([&] { run.folder.restore(); }, {"cannot be made"});
}

TEST_CASE("a checkpoint whose folder goes is written into the new one", "[train][checkpoint_writer]")
{
    Running run;
    io::Checkpoint checkpoint;
    checkpoint.encoder.emplace_back("weight", io::Array{io::ElementType::float32, {1}, std::vector<std::byte>(4)});
    checkpoint.progress.epoch = 3;
    checkpoint.config = "task: paws_train\n";
    checkpoint::CheckpointWriter writer;
    const auto submit = [&](std::function<bool()> restore)
    {
        writer.submit({checkpoint, run.files.latest(), {run.files.latest(1)}, {run.files.best()}, std::move(restore)});
        writer.wait();
        CHECK_FALSE(writer.take_problem());
        CHECK(io::read_checkpoint(run.files.latest()).progress.epoch == 3);
        CHECK(fs::exists(run.files.best()));
    };
    fs::remove_all(run.files.folder());
    submit([&] { return run.folder.restore(); });
    // Between the look and the writing.
    bool is_first = true;
    submit(
        [&]
        {
            const auto restored = run.folder.restore();
            if (std::exchange(is_first, false))
            {
                fs::remove_all(run.files.folder());
            }
            return restored;
        });
}

TEST_CASE("the logs of a rank go on in a folder that is made again", "[train][run_folder]")
{
    const test::SmallRun small;
    auto config = small.config("run", {"logging.jsonl=true", "logging.tensorboard=true", "logging.all_ranks=true"});
    const auto folder = fs::path(config.logging.folder);
    fs::create_directories(folder);
    const std::vector<std::string> columns{"loss"};
    logging::RunLog log(config.logging, "small", columns, {}, 0, 2);
    logging::LoggedStep step;
    step.values = step.own_values = {0.5};
    log.step(step);
    log.evaluation({1, 1, 0.5, 0.5});
    fs::rename(folder, small.folder / "kept");
    SECTION("it makes the folder itself") {}
    SECTION("another rank has made it before")
    {
        fs::create_directories(folder);
    }
    step.step = 1;
    log.step(step);
    log.evaluation({1, 1, 0.25, 0.5});
    CHECK(log.take_notes().empty());
    CHECK(test::contents(folder / "small_r0.csv") == "epoch,itr,loss,time (ms)\n1,1,0.50000,0\n");
    CHECK(test::contents(folder / "small-eval.csv") == "epoch,top1,top5\n1,0.25000,0.50000\n");
    CHECK_THAT(test::contents(folder / "small_r0.jsonl"), Catch::StartsWith("{\"epoch\":1,\"step\":1"));
    const auto events = test::contents(log.files().back());
    CHECK_THAT(events, Catch::Contains("brain.Event:2") && Catch::Contains("loss/loss"));
    // One file alone is said by whoever writes it.
    fs::remove(folder / "small_r0.csv");
    log.step(step);
    const auto notes = log.take_notes();
    REQUIRE(notes.size() == 1);
    CHECK_THAT(notes.front(), Catch::Contains("small_r0.csv") && Catch::Contains("begun anew"));
    CHECK(log.take_notes().empty());
}

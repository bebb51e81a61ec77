// What commands are to write, and whether that may be there: without starting the program.

#include <sys/stat.h>

#include <fstream>

#include "io/base/error.hpp"
#include "io/checkpoint/checkpoint_file.hpp"
#include "src/checkpoint/run_files.hpp"
#include "src/cli/command_files.hpp"
#include "src/commands/config_files.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/run_program.hpp"
#include "tests/support/small_run.hpp"

namespace
{
using namespace paws;
namespace fs = std::filesystem;

/// Passes if the message of io::Error has all of `parts`, or if none is thrown and there are none.
template <class Action>
void check_message(const Action& action, const std::vector<std::string>& parts)
{
    std::string message;
    try
    {
        action();
    }
    catch (const io::Error& error)
    {
        message = error.what();
    }
    INFO(message);
    CHECK(message.empty() == parts.empty());
    for (const auto& part : parts)
    {
        CHECK_THAT(message, Catch::Contains(part));
    }
}

void check_command(const cli::Arguments& arguments, const std::string& command, const std::vector<std::string>& parts)
{
    INFO(command);
    check_message([&] { io::require_outputs(cli::files_of(arguments, command)); }, parts);
}

void check_run(const config::Config& config, const std::vector<std::string>& parts, int rank = 0)
{
    check_message(
        [&]
        {
            commands::require_tag_fits(config);
            io::CommandFiles files;
            commands::add_config_files(config, rank, files);
            io::require_outputs(files);
        },
        parts);
}
}  // namespace

TEST_CASE("every command refuses outputs of another kind, and its own inputs", "[cli]")
{
    const test::SmallRun small;
    const auto data = small.data();
    const auto list = small.subset();
    const auto checkpoint = small.folder / "c.h5";
    io::write_checkpoint(checkpoint, {});
    const auto notes = small.folder / "notes.txt";
    test::write(notes, "mine\n");
    const auto new_file = small.folder / "new";
    cli::Arguments arguments;
    arguments.config = notes.string();
    arguments.pack.input = small.folder / "";
    arguments.pack.val_list = list;
    arguments.subset.data = data;
    arguments.inspected = checkpoint.string();
    arguments.convert.input = checkpoint;
    arguments.convert.config = notes.string();
    arguments.evaluation.checkpoint = checkpoint.string();
    arguments.evaluation.data = data.string();
    arguments.evaluation.subset_file = list.string();
    const auto set_output = [&](const fs::path& path)
    {
        arguments.pack.output = arguments.subset.output = arguments.convert.output = path;
        arguments.evaluation.output = arguments.sheet = path.string();
    };
    const std::vector<std::string> commands = {"pack", "subset", "convert", "embed", "views"};
    for (const auto& command : commands)
    {
        set_output(new_file);
        check_command(arguments, command, {});
        const std::string option = command == "convert" ? "OUT: " : "--output: ";
        set_output(notes);
        check_command(arguments, command, {option + notes.string(), "is the file that is read, CONFIG"});
        set_output(small.folder / "");
        check_command(arguments, command, {option, "is a folder"});
        set_output("/dev/stdout");
        check_command(arguments, command,
                      command == "subset" ? std::vector<std::string>() : std::vector<std::string>{"is a stream"});
    }
    arguments.config.clear();
    const auto check_output = [&](const std::string& command, const fs::path& output, const std::string& part)
    {
        set_output(output);
        check_command(arguments, command, part.empty() ? std::vector<std::string>() : std::vector<std::string>{part});
    };
    check_output("pack", data, "");
    check_output("pack", list, "--val-list");
    check_output("pack", checkpoint, "is not a packed data set");
    check_output("subset", data, "--data");
    check_output("subset", list, "");
    check_output("subset", notes, "is not a list of positions");
    check_output("convert", checkpoint, "IN ");
    check_output("convert", notes, "--config");
    check_output("convert", data, "is not a checkpoint of paws_hpc");
    check_output("embed", checkpoint, "--checkpoint");
    check_output("embed", data, "--data");
    check_output("embed", list, "--subset");
    check_output("views", data, "is not a PNG");

    // The summary, of every command.
    set_output(new_file);
    for (const auto* command : {"inspect", "snn-eval", "pack", "subset", "convert", "embed", "views"})
    {
        arguments.summary = (small.folder / "summary.json").string();
        check_command(arguments, command, {});
        for (const auto* text : {"{\"task\": \"pack\", \"images\": 3}", ""})
        {
            test::write(arguments.summary, text);
            check_command(arguments, command, {});
        }
        for (const auto* text : {"{\"mine\": 1}", "{\"task\": \"pack\", \"format\": \"paws-timings\"}", "no JSON"})
        {
            test::write(arguments.summary, text);
            check_command(arguments, command, {"--summary: ", "is not a summary"});
        }
        fs::remove(arguments.summary);
    }
    arguments.summary = checkpoint.string();
    check_command(arguments, "inspect", {"--summary: ", "FILE"});
    arguments.summary = list.string();
    check_command(arguments, "snn-eval", {"--summary: ", "--subset"});
    arguments.summary = new_file.string();
    check_command(arguments, "pack", {"--summary: ", "is also what --output writes"});
}

TEST_CASE("a run replaces files of its own kinds only", "[cli]")
{
    const test::SmallRun small;
    auto config = small.config("run");
    config.logging.jsonl = config.logging.timings = config.logging.tensorboard = true;
    config.logging.eval_every = 1;
    const checkpoint::RunFiles files(config);
    check_run(config, {});
    CHECK_FALSE(fs::exists(files.folder()));
    fs::create_directory(files.folder());
    const std::vector<fs::path> all = {files.lock(),
                                       files.latest(),
                                       files.latest(1),
                                       files.next(),
                                       files.best(),
                                       files.of_epoch(2),
                                       files.evaluations(),
                                       files.csv(0),
                                       files.timings_json(),
                                       files.timings_h5(),
                                       files.bad_step(),
                                       files.parameters(),
                                       files.folder() / "small_r0.jsonl"};
    config.logging.checkpoint_every = 2;
    for (const auto& path : all)
    {
        test::write(path, "my notes\n");
        check_run(config, {path.string(), "is there already and is not"});
        fs::remove(path);
        REQUIRE(mkfifo(path.c_str(), 0600) == 0);
        check_run(config, {path.string(), "is a FIFO"});
        fs::remove(path);
        fs::create_symlink(small.data(), path);
        check_run(config, {path.string(), "data.file " + small.data().string()});
        fs::remove(path);
    }
    // What looks like a log or like JSON of ours, and is neither.
    for (const auto& path : {files.csv(0), files.evaluations()})
    {
        test::write(path, "3\n7\n9\n");
        check_run(config, {path.string(), "is there already and is not the log of a run"});
        fs::remove(path);
    }
    for (const auto& path : {files.timings_json(), files.bad_step(), files.folder() / "small_r0.jsonl"})
    {
        test::write(path, "{\"mine\": 1}\n");
        check_run(config, {path.string(), "is there already and is not JSON of a run"});
        fs::remove(path);
    }
    const auto events = files.folder() / "small_tensorboard";
    test::write(events, "my notes\n");
    check_run(config, {events.string(), "is not a folder; move it away"});
    fs::remove(events);
    // What a run before has left.
    for (const auto& path : {files.latest(), files.best()})
    {
        io::write_checkpoint(path, {});
    }
    test::write(files.csv(0), "epoch,itr,loss\n");
    test::write(files.parameters(), "task: paws_train\n");
    check_run(config, {});
    test::write(files.csv(0), "\"epoch\";\"itr\"\n");
    check_run(config, {});
    test::write(files.csv(0), "1;0;0,75\n");
    test::write(files.folder() / "small_r0.jsonl", "{\"epoch\":1}\n");
    check_run(config, {});
    // Each rank looks at its own.
    REQUIRE(mkfifo(files.csv(1).c_str(), 0600) == 0);
    check_run(config, {});
    check_run(config, {"_r1.csv", "is a FIFO"}, 1);
    config.meta.init_backbone = files.best().string();
    check_run(config, {"logging.write_tag: ", "meta.init_backbone"});
}

TEST_CASE("tags whose files would have too long names are refused with the limit", "[cli]")
{
    const test::SmallRun small;
    auto config = small.config("run");
    config.logging.write_tag = std::string(250, 't');
    check_run(config, {"logging.write_tag: has 250 bytes", "takes 255", "at most 240"});
    config.logging.write_tag = std::string(240, 't');
    check_run(config, {});
    config.logging.write_tag = std::string(241, 't');
    check_run(config, {"logging.write_tag: has 241 bytes"});
}

TEST_CASE("the demo looks at its files before it begins", "[cli]")
{
    const test::SmallRun small;
    const auto folder = small.folder / "demo";
    const auto check_demo = [&](const std::vector<std::string>& parts)
    {
        check_message(
            [&]
            {
                io::CommandFiles files;
                commands::add_demo_files(small.config("run"), {small.folder / "", folder}, files);
                io::require_outputs(files);
            },
            parts);
    };
    check_demo({});
    CHECK_FALSE(fs::exists(folder));
    fs::create_directories(folder / "run");
    for (const auto* name : {"labels_only.h5", "test_embeddings.h5"})
    {
        test::write(folder / name, "my notes\n");
        check_demo({"--folder: ", name, "is there already and is not"});
        fs::remove(folder / name);
    }
    test::write(folder / "run/small.lock", "my notes\n");
    check_demo({"logging.write_tag: ", "small.lock", "is there already and is not"});
    fs::remove(folder / "run/small.lock");
    // What is packed already is read, not written.
    fs::copy_file(small.data(), folder / "fashion_mnist.h5");
    check_demo({});
}

#include "src/cli/command_line.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "io/error.hpp"
#include "src/cli/version.hpp"
#include "src/comm/mpi_session.hpp"
#include "src/comm/world.hpp"
#include "src/config/config.hpp"
#include "src/data/samplers.hpp"
#include "src/tasks/data_commands.hpp"
#include "src/tasks/demo.hpp"
#include "src/tasks/describe_run.hpp"
#include "src/tasks/evaluation.hpp"
#include "src/tasks/pre_train.hpp"
#include "src/tasks/runtime.hpp"

namespace paws::cli
{
namespace
{
/// Everything that the options can say.
struct Arguments
{
    std::string config;
    std::string task;
    std::vector<std::string> overrides;
    std::string resume = "auto";
    std::string stop_after;
    bool dry_run = false;
    std::string summary;

    tasks::PackRequest pack;
    tasks::SubsetRequest subset;
    tasks::DemoRequest demo{"/usr/share/datasets/fashion-mnist", "demo"};
    std::string inspected;

    std::string checkpoint;
    std::string data, subset_file, split, output;
    std::optional<double> temperature;
};

void print_notices(const config::Config& config)
{
    for (const auto& notice : config.notices)
    {
        fmt::print("note: {}\n", notice);
    }
}

/// "3ep" is after three epochs.
std::optional<std::int64_t> parse_stop_after(const std::string& text)
{
    if (text.empty())
    {
        return std::nullopt;
    }
    std::size_t used = 0;
    std::int64_t epochs = 0;
    try
    {
        epochs = std::stoll(text, &used);
    }
    catch (const std::exception&)
    {
        used = 0;
    }
    if (used == 0 || text.substr(used) != "ep" || epochs < 1)
    {
        throw config::Error(fmt::format("--stop-after: '{}' is no number of epochs; write for example 3ep", text));
    }
    return epochs;
}

tasks::Summary run_configured_task(const Arguments& arguments, const comm::World& world)
{
    const auto config = config::load(arguments.config, arguments.overrides, arguments.task);
    if (world.is_first())
    {
        print_notices(config);
    }
    const tasks::ComputeSession session(config.meta.threads, world);
    if (arguments.dry_run)
    {
        const auto text = tasks::describe_run(config, session.threads(), world);
        if (world.is_first())
        {
            fmt::print("{}", text);
        }
        return {{"task", to_string(config.task)}, {"dry_run", true}};
    }
    const auto checkpoint = [&] { return config.logging.path_of(config.logging.pretrain_path.value_or("")); };
    switch (config.task)
    {
        case config::Task::paws_train:
        case config::Task::suncet_train:
            return tasks::pre_train(config, {arguments.resume, parse_stop_after(arguments.stop_after)}, world);
        case config::Task::snn_eval:
            return tasks::snn_eval(checkpoint(), config);
        case config::Task::embed:
            return tasks::embed(checkpoint(), config, config.data.validation_split,
                                config.logging.path_of(config.logging.write_tag + "-embeddings.h5"));
        default:
            throw config::Error(
                fmt::format("task: {} is not in this version; it has paws_train, suncet_train, snn_eval and embed",
                            to_string(config.task)));
    }
}

/// The configuration of the run that made the checkpoint, with what the command line says instead.
config::Config evaluation_config(const Arguments& arguments)
{
    auto config = tasks::config_of_checkpoint(arguments.checkpoint);
    if (!arguments.data.empty())
    {
        config.data.file = arguments.data;
    }
    if (!arguments.subset_file.empty())
    {
        config.data.subset = arguments.subset_file;
    }
    if (!arguments.split.empty())
    {
        config.data.validation_split = arguments.split;
    }
    if (arguments.temperature)
    {
        config.criterion.snn_temperature = *arguments.temperature;
    }
    // What else --set asks for goes through the reader, which checks it.
    return config::parse(config.to_yaml(), arguments.checkpoint, arguments.overrides);
}

using Command = std::function<tasks::Summary()>;

void add_run(CLI::App& app, Arguments& arguments)
{
    app.add_option("CONFIG", arguments.config, "The YAML file that describes the run");
    app.add_option("--fname", arguments.config, "The same, as the published launcher names it");
    app.add_option("--sel", arguments.task,
                   "Task: paws_train, suncet_train, snn_eval, embed (default: as the file says)");
    app.add_option("--resume", arguments.resume,
                   "auto (default: go on from TAG-latest.h5 if it is there), never, or a checkpoint");
    app.add_option("--stop-after", arguments.stop_after, "End early, after so many epochs of the run: 3ep");
    app.add_flag("--dry-run", arguments.dry_run, "Print configuration, sizes, memory and steps, then stop");
}

Command add_pack(CLI::App& app, Arguments& arguments)
{
    auto* const command = app.add_subcommand("pack", "Put a published data set into one HDF5 file");
    command->add_option("--format", arguments.pack.format, "cifar10 or idx (MNIST, Fashion-MNIST)")->required();
    command->add_option("--input", arguments.pack.input, "Folder that the data set came in")->required();
    command->add_option("--output", arguments.pack.output, "HDF5 file to write")->required();
    command->add_option("--class-names", arguments.pack.class_names, "idx: digits (default) or fashion-mnist")
        ->check(CLI::IsMember({"digits", "fashion-mnist"}));
    return [&arguments] { return tasks::pack(arguments.pack); };
}

Command add_subset(CLI::App& app, Arguments& arguments)
{
    auto* const command = app.add_subcommand("subset", "Draw the labelled pictures, equally many of every class");
    command->add_option("--data", arguments.subset.data, "Packed file")->required();
    command->add_option("--split", arguments.subset.split, "Split to draw from (default: train)");
    command->add_option("--per-class", arguments.subset.per_class, "Pictures of every class");
    command->add_option("--fraction", arguments.subset.fraction, "Share of the pictures of every class");
    command->add_option("--seed", arguments.subset.seed, "Seed (default: 0)");
    command->add_option("--output", arguments.subset.output, "Text file to write")->required();
    return [&arguments] { return tasks::subset(arguments.subset); };
}

Command add_inspect(CLI::App& app, Arguments& arguments)
{
    auto* const command = app.add_subcommand("inspect", "Say what a file holds and whether it is whole");
    command->add_option("FILE", arguments.inspected, "HDF5 file of paws_hpc")->required();
    return [&arguments] { return tasks::inspect(arguments.inspected); };
}

Command add_snn_eval(CLI::App& app, Arguments& arguments)
{
    auto* const command =
        app.add_subcommand("snn-eval", "Accuracy of soft nearest neighbours on the embeddings of a checkpoint");
    command->add_option("--checkpoint", arguments.checkpoint, "Checkpoint (.h5)")->required();
    command->add_option("--data", arguments.data, "Packed file (default: that of the run)");
    command->add_option("--subset", arguments.subset_file, "Labelled pictures (default: those of the run)");
    command->add_option("--split", arguments.split, "Pictures to classify (default: val)");
    command->add_option("--temperature", arguments.temperature, "Temperature (default: criterion.snn_temperature)");
    return [&arguments]() -> tasks::Summary
    {
        const auto config = evaluation_config(arguments);
        const tasks::ComputeSession session(config.meta.threads);
        return tasks::snn_eval(arguments.checkpoint, config);
    };
}

Command add_embed(CLI::App& app, Arguments& arguments)
{
    auto* const command = app.add_subcommand("embed", "Write the embeddings of pictures to an HDF5 file");
    command->add_option("--checkpoint", arguments.checkpoint, "Checkpoint (.h5)")->required();
    command->add_option("--data", arguments.data, "Packed file (default: that of the run)");
    command->add_option("--split", arguments.split, "Split to embed (default: val)");
    command->add_option("--output", arguments.output, "HDF5 file to write")->required();
    return [&arguments]() -> tasks::Summary
    {
        const auto config = evaluation_config(arguments);
        const tasks::ComputeSession session(config.meta.threads);
        return tasks::embed(arguments.checkpoint, config, config.data.validation_split, arguments.output);
    };
}

Command add_demo(CLI::App& app, Arguments& arguments)
{
    auto* const command =
        app.add_subcommand("demo", "Train on Fashion-MNIST with few labels and compare with two baselines");
    command->add_option("CONFIG", arguments.config, "The demo's YAML file (configs/demo.yaml)")->required();
    command->add_option("--pictures", arguments.demo.pictures,
                        "Folder with the IDX files (default: that of Debian's dataset-fashion-mnist)");
    command->add_option("--folder", arguments.demo.folder, "Where to write (default: demo)");
    return [&arguments]() -> tasks::Summary
    {
        const auto config = config::load(arguments.config, arguments.overrides);
        const tasks::ComputeSession session(config.meta.threads);
        return tasks::demo(config, arguments.demo);
    };
}

/// One line, whatever the message was made of.
std::string one_line(std::string text)
{
    const auto end = text.find('\n');
    return end == std::string::npos ? text : text.substr(0, end);
}

class Reporter
{
public:
    explicit Reporter(bool speaks) : speaks_(speaks) {}

    int fail(ExitCode code, const std::string& message) const
    {
        std::fflush(stdout);
        if (speaks_)
        {
            fmt::print(stderr, "paws_hpc: {}\n", one_line(message));
        }
        return code;
    }

private:
    bool speaks_;
};

int run_command(const Arguments& arguments, const Command& command, int world_size, bool on_many_ranks)
{
    if (world_size > 1 && !on_many_ranks)
    {
        throw config::Error(fmt::format(
            "started on {} ranks, but this command runs on one; start a single rank (srun -n 1)", world_size));
    }
    const auto summary = command();
    if (!arguments.summary.empty())
    {
        tasks::write_summary(arguments.summary, summary);
    }
    return success;
}
}  // namespace

int run(int argc, char** argv)
{
    Arguments arguments;
    CLI::App app("paws_hpc: semi-supervised visual pre-training (PAWS)", "paws_hpc");
    app.set_version_flag("--version", version_text);
    app.fallthrough();
    app.add_option("--set", arguments.overrides, "Change a setting: section.key=value (may be repeated)")
        ->take_all()
        ->expected(1)
        ->allow_extra_args(false);
    app.add_option("--summary", arguments.summary, "Write what was done and its figures to this JSON file");
    add_run(app, arguments);
    std::vector<std::pair<std::string, Command>> commands;
    commands.emplace_back("pack", add_pack(app, arguments));
    commands.emplace_back("subset", add_subset(app, arguments));
    commands.emplace_back("embed", add_embed(app, arguments));
    commands.emplace_back("snn-eval", add_snn_eval(app, arguments));
    commands.emplace_back("inspect", add_inspect(app, arguments));
    commands.emplace_back("demo", add_demo(app, arguments));

    try
    {
        app.parse(argc, argv);
    }
    catch (const CLI::ParseError& error)
    {
        if (error.get_exit_code() == 0)
        {
            return app.exit(error);
        }
        return Reporter(true).fail(bad_input, std::string(error.what()) + " (see paws_hpc --help)");
    }

    comm::World world;
    Command command = [&]() -> tasks::Summary { return run_configured_task(arguments, world); };
    const bool on_many_ranks = app.get_subcommands().empty();
    for (const auto& [name, known] : commands)
    {
        if (app.got_subcommand(name))
        {
            command = known;
        }
    }
    bool speaks = true;
    try
    {
        const comm::MpiSession mpi(argc, argv);
        speaks = mpi.rank() == 0;
        const Reporter reporter(speaks);
        if (arguments.config.empty() && app.get_subcommands().empty())
        {
            return reporter.fail(bad_input,
                                 "no configuration and no command given; for example: paws_hpc configs/demo.yaml "
                                 "(see paws_hpc --help)");
        }
        try
        {
            if (mpi.world_size() > 1)
            {
                world = comm::make_world(MPI_COMM_WORLD, std::chrono::minutes(10));
            }
            return run_command(arguments, command, mpi.world_size(), on_many_ranks);
        }
        catch (const config::Error& error)
        {
            return reporter.fail(bad_input, error.what());
        }
        catch (const io::Error& error)
        {
            return reporter.fail(bad_input, error.what());
        }
        catch (const std::invalid_argument& error)
        {
            return reporter.fail(bad_input, error.what());
        }
    }
    catch (const std::exception& error)
    {
        return Reporter(speaks).fail(failure, error.what());
    }
}
}  // namespace paws::cli

#include "src/cli/command_line.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "src/cli/launch.hpp"
#include "src/cli/version.hpp"
#include "src/comm/agreement.hpp"
#include "src/comm/launcher.hpp"
#include "src/config/config.hpp"
#include "src/tasks/agreed.hpp"
#include "src/tasks/convert.hpp"
#include "src/tasks/data_commands.hpp"
#include "src/tasks/demo.hpp"
#include "src/tasks/describe_run.hpp"
#include "src/tasks/evaluation.hpp"
#include "src/tasks/pre_train.hpp"
#include "src/tasks/runtime.hpp"
#include "src/tasks/same_input.hpp"
#include "src/tasks/view_sheet.hpp"

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
    tasks::ConvertRequest convert;

    std::string checkpoint;
    std::string data, subset_file, split, output;
    std::int64_t pictures = 8;
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

/// All ranks ask for the same at the same time, so all are refused, and one says so.
void require_one_rank(const Ranks& ranks, const std::string& command)
{
    if (!ranks.is_alone())
    {
        throw comm::AgreedFailure(fmt::format("{} runs on one rank, but was started on {} ranks; start a single one "
                                              "(mpirun -n 1, srun -n 1)",
                                              command, ranks.world().world_size()),
                                  comm::bad_input);
    }
}

/// Read on every rank, and the same on all.
config::Config load_config(const Arguments& arguments, Ranks& ranks)
{
    auto& communicator = *ranks.world().communicator;
    auto config = tasks::agreed(communicator,
                                [&] { return config::load(arguments.config, arguments.overrides, arguments.task); });
    tasks::require_same_config(communicator, config);
    if (ranks.world().is_first())
    {
        print_notices(config);
    }
    ranks.set_timeout(std::chrono::milliseconds(static_cast<std::int64_t>(1000 * config.meta.comm_timeout)));
    return config;
}

tasks::Summary dry_run(const config::Config& config, const Ranks& ranks)
{
    const tasks::ComputeSession session(config.meta.threads, ranks.world());
    const auto text = tasks::describe_run(config, session.threads(), ranks.world());
    if (ranks.world().is_first())
    {
        fmt::print("{}", text);
    }
    return {{"task", to_string(config.task)}, {"dry_run", true}};
}

tasks::Summary run_configured_task(const Arguments& arguments, Ranks& ranks)
{
    const auto config = load_config(arguments, ranks);
    const auto checkpoint = [&] { return config.logging.path_of(config.logging.pretrain_path.value_or("")); };
    if (arguments.dry_run)
    {
        return dry_run(config, ranks);
    }
    if (!ranks.is_alone())
    {
        tasks::require_same_data(*ranks.world().communicator, config);
    }
    const bool on_many_ranks = config.task == config::Task::paws_train || config.task == config::Task::suncet_train;
    if (!on_many_ranks)
    {
        require_one_rank(ranks, to_string(config.task));
    }
    const tasks::ComputeSession session(config.meta.threads, ranks.world());
    switch (config.task)
    {
        case config::Task::paws_train:
        case config::Task::suncet_train:
            return tasks::pre_train(config, {arguments.resume, parse_stop_after(arguments.stop_after)}, ranks.world());
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

using Command = std::function<tasks::Summary(Ranks&)>;

/// A command that works alone.
Command on_one_rank(const std::string& name, std::function<tasks::Summary()> work)
{
    return [name, work = std::move(work)](Ranks& ranks)
    {
        require_one_rank(ranks, name);
        return work();
    };
}

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
    auto& pack = arguments.pack;
    auto* const command =
        app.add_subcommand("pack", "Put a data set into one HDF5 file (--format imagefolder: also under mpirun, srun)");
    command
        ->add_option("--format", pack.format,
                     "cifar10, idx (MNIST, Fashion-MNIST), imagefolder (train/CLASS/*, val/CLASS/*)")
        ->required();
    command->add_option("--input", pack.input, "Folder that the data set came in")->required();
    command->add_option("--output", pack.output, "HDF5 file to write")->required();
    command->add_option("--class-names", pack.class_names, "idx: digits (default) or fashion-mnist")
        ->check(CLI::IsMember({"digits", "fashion-mnist"}));
    command->add_option("--shorter-side", pack.shorter_side,
                        "imagefolder: reduce pictures whose shorter side has more pixels (JPEG, quality 95)");
    command->add_option("--val-list", pack.val_list,
                        "imagefolder: text file of the pictures of train that become val; the folder val is not read");
    command->add_flag("--skip-broken", pack.skip_broken,
                      "imagefolder: leave broken pictures out and list them, instead of refusing the folder");
    // It throws the same on every rank.
    return [&pack](Ranks& ranks)
    { return tasks::agreed(*ranks.world().communicator, [&] { return tasks::pack(pack, ranks.world().mpi); }); };
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
    return on_one_rank("subset", [&arguments] { return tasks::subset(arguments.subset); });
}

Command add_inspect(CLI::App& app, Arguments& arguments)
{
    auto* const command = app.add_subcommand("inspect", "Say what a file holds and whether it is whole");
    command->add_option("FILE", arguments.inspected, "HDF5 file of paws_hpc, or checkpoint of PyTorch")->required();
    return on_one_rank("inspect", [&arguments] { return tasks::inspect(arguments.inspected); });
}

Command add_convert(CLI::App& app, Arguments& arguments)
{
    auto& convert = arguments.convert;
    auto* const command = app.add_subcommand(
        "convert", "Make a checkpoint of PyTorch (.pth.tar, .pth, .pt) of one of ours (.h5), or the other way round");
    command->add_option("IN", convert.input, "Checkpoint to read; what kind it is, its content says")->required();
    command->add_option("OUT", convert.output, "File to write; its ending says of which kind")->required();
    command->add_option("--config", convert.config,
                        "The YAML file of the run that made IN, to be kept in OUT: checkpoints of PyTorch have none");
    return on_one_rank("convert", [&arguments] { return tasks::convert(arguments.convert, arguments.overrides); });
}

Command add_snn_eval(CLI::App& app, Arguments& arguments)
{
    auto* const command =
        app.add_subcommand("snn-eval", "Accuracy of soft nearest neighbours on the embeddings of a checkpoint");
    command->add_option("--checkpoint", arguments.checkpoint, "Checkpoint (.h5, .pth.tar)")->required();
    command->add_option("--data", arguments.data, "Packed file (default: that of the run)");
    command->add_option("--subset", arguments.subset_file, "Labelled pictures (default: those of the run)");
    command->add_option("--split", arguments.split, "Pictures to classify (default: val)");
    command->add_option("--temperature", arguments.temperature, "Temperature (default: criterion.snn_temperature)");
    return on_one_rank("snn-eval",
                       [&arguments]() -> tasks::Summary
                       {
                           const auto config = evaluation_config(arguments);
                           const tasks::ComputeSession session(config.meta.threads);
                           return tasks::snn_eval(arguments.checkpoint, config);
                       });
}

Command add_embed(CLI::App& app, Arguments& arguments)
{
    auto* const command = app.add_subcommand("embed", "Write the embeddings of pictures to an HDF5 file");
    command->add_option("--checkpoint", arguments.checkpoint, "Checkpoint (.h5, .pth.tar)")->required();
    command->add_option("--data", arguments.data, "Packed file (default: that of the run)");
    command->add_option("--split", arguments.split, "Split to embed (default: val)");
    command->add_option("--output", arguments.output, "HDF5 file to write")->required();
    return on_one_rank("embed",
                       [&arguments]() -> tasks::Summary
                       {
                           const auto config = evaluation_config(arguments);
                           const tasks::ComputeSession session(config.meta.threads);
                           return tasks::embed(arguments.checkpoint, config, config.data.validation_split,
                                               arguments.output);
                       });
}

Command add_demo(CLI::App& app, Arguments& arguments)
{
    auto* const command =
        app.add_subcommand("demo", "Train on Fashion-MNIST with few labels and compare with two baselines");
    command->add_option("CONFIG", arguments.config, "The demo's YAML file (configs/demo.yaml)")->required();
    command->add_option("--pictures", arguments.demo.pictures,
                        "Folder with the IDX files (default: that of Debian's dataset-fashion-mnist)");
    command->add_option("--folder", arguments.demo.folder, "Where to write (default: demo)");
    return on_one_rank("demo",
                       [&arguments]() -> tasks::Summary
                       {
                           const auto config = config::load(arguments.config, arguments.overrides);
                           const tasks::ComputeSession session(config.meta.threads);
                           return tasks::demo(config, arguments.demo);
                       });
}

Command add_views(CLI::App& app, Arguments& arguments)
{
    auto* const command = app.add_subcommand("views", "Draw the training views of some pictures, to look at (PNG)");
    command->add_option("CONFIG", arguments.config, "The YAML file of a training run")->required();
    command->add_option("--output", arguments.output, "PNG file to write")->required();
    command->add_option("--pictures", arguments.pictures, "Rows, 1 to 100 (default: 8)");
    return on_one_rank("views",
                       [&arguments]() -> tasks::Summary
                       {
                           const auto config = config::load(arguments.config, arguments.overrides, arguments.task);
                           const tasks::ComputeSession session(config.meta.threads);
                           return tasks::view_sheet(config, arguments.pictures, arguments.output);
                       });
}

/// What decides on the work, as far as it stands on the command line: ranks that do different things wait for each
/// other for ever. What is said about settings is compared with them.
std::string invocation(const CLI::App& app, const Arguments& arguments, int argc, char** argv)
{
    if (app.get_subcommands().empty())
    {
        return fmt::format("--resume {} --stop-after {}{}", arguments.resume,
                           arguments.stop_after.empty() ? "never" : arguments.stop_after,
                           arguments.dry_run ? " --dry-run" : "");
    }
    return fmt::format("{}", fmt::join(argv + 1, argv + argc, " "));
}

void require_same_invocation(comm::Communicator& communicator, const std::string& invocation)
{
    if (const auto found = comm::find_disagreement(communicator, invocation))
    {
        throw comm::AgreedFailure(
            fmt::format("{}: its command line differs from that of {}: '{}', there '{}'; give all "
                        "ranks the same",
                        found->rank, found->first, found->text, found->text_of_first),
            comm::bad_input);
    }
}

void run_command(const Arguments& arguments, const Command& command, Ranks& ranks)
{
    const auto summary = command(ranks);
    if (!arguments.summary.empty() && ranks.world().is_first())
    {
        tasks::write_summary(arguments.summary, summary);
    }
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
    commands.emplace_back("views", add_views(app, arguments));
    commands.emplace_back("convert", add_convert(app, arguments));
    commands.emplace_back("inspect", add_inspect(app, arguments));
    commands.emplace_back("demo", add_demo(app, arguments));

    std::string refused;
    try
    {
        app.parse(argc, argv);
        if (arguments.config.empty() && app.get_subcommands().empty())
        {
            refused =
                "no configuration and no command given; for example: paws_hpc configs/demo.yaml (see paws_hpc "
                "--help)";
        }
    }
    catch (const CLI::ParseError& error)
    {
        if (error.get_exit_code() == 0)
        {
            // Help or version, once, however many are started.
            return comm::launcher_of_environment().is_first() ? app.exit(error) : comm::success;
        }
        refused = std::string(error.what()) + " (see paws_hpc --help)";
    }

    Command command = [&arguments](Ranks& ranks) { return run_configured_task(arguments, ranks); };
    for (const auto& [name, known] : commands)
    {
        if (app.got_subcommand(name))
        {
            command = known;
        }
    }
    return launch(argc, argv, version_identity(),
                  [&](Ranks& ranks)
                  {
                      auto& communicator = *ranks.world().communicator;
                      tasks::agreed(communicator,
                                    [&]
                                    {
                                        if (!refused.empty())
                                        {
                                            throw config::Error(refused);
                                        }
                                        parse_stop_after(arguments.stop_after);
                                    });
                      require_same_invocation(communicator, invocation(app, arguments, argc, argv));
                      run_command(arguments, command, ranks);
                  });
}
}  // namespace paws::cli

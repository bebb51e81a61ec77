#include "io/ranks/agreed.hpp"
#include "src/cli/commands.hpp"
#include "src/cli/whole_number.hpp"
#include "src/commands/doctor.hpp"
#include "src/commands/shipped_configs.hpp"

namespace paws::cli
{
namespace
{
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
    add_whole_number<std::int64_t>(*command, "--shorter-side", pack.shorter_side, 1,
                                   "imagefolder: reduce images whose shorter side has more pixels (JPEG, quality 95)");
    command->add_option("--val-list", pack.val_list,
                        "imagefolder: text file of the images of train that become val; the folder val is not read");
    command->add_flag("--skip-broken", pack.skip_broken,
                      "imagefolder: leave corrupt images out and list them, instead of refusing the folder");
    // It throws the same on every rank.
    return [&pack](comm::World& world)
    { return agreed(world.group(), [&] { return commands::pack(pack, world.group()); }); };
}

Command add_subset(CLI::App& app, Arguments& arguments)
{
    auto* const command = app.add_subcommand(
        "subset",
        "Draw the labelled images: equally many of every class (--per-class), or the same share (--fraction)");
    command->add_option("--data", arguments.subset.data, "Packed file")->required();
    command->add_option("--split", arguments.subset.split, "Split to draw from (default: train)");
    add_whole_number<std::int64_t>(*command, "--per-class", arguments.subset.per_class, 1, "Images of every class");
    command->add_option("--fraction", arguments.subset.fraction,
                        "Share of the images of every class, above 0 and up to 1");
    add_whole_number<std::uint64_t>(*command, "--seed", arguments.subset.seed, 0, "Seed (default: 0)");
    command->add_option("--output", arguments.subset.output, "Text file to write")->required();
    return on_one_rank("subset", [&arguments] { return commands::subset(arguments.subset); });
}

Command add_inspect(CLI::App& app, Arguments& arguments)
{
    auto* const command = app.add_subcommand("inspect", "Say what a file holds and whether it is whole");
    command->add_option("FILE", arguments.inspected, "HDF5 file of paws_hpc, or checkpoint of PyTorch")->required();
    return on_one_rank("inspect", [&arguments] { return commands::inspect(arguments.inspected); });
}

Command add_convert(CLI::App& app, Arguments& arguments)
{
    auto& convert = arguments.convert;
    auto* const command = app.add_subcommand(
        "convert", "Convert a checkpoint of PyTorch (.pth.tar, .pth, .pt) to one of ours (.h5), or back");
    command->add_option("IN", convert.input, "Checkpoint to read; what kind it is, its content says")->required();
    command->add_option("OUT", convert.output, "File to write; its ending says of which kind")->required();
    command->add_option("--config", convert.config,
                        "The YAML file of the run that made IN, to be kept in OUT: checkpoints of PyTorch have none");
    return on_one_rank("convert", [&arguments] { return commands::convert(arguments.convert, arguments.overrides); });
}

Command add_configs(CLI::App& app, Arguments& arguments)
{
    auto* const command = app.add_subcommand("configs", "List the configurations that come with the program");
    command->add_option("--copy", arguments.copied_config, "Copy this one into the working folder, to be changed")
        ->type_name("NAME");
    return on_one_rank("configs",
                       [&arguments]
                       {
                           return arguments.copied_config.empty() ? commands::list_configs()
                                                                  : commands::copy_config(arguments.copied_config);
                       });
}

Command add_doctor(CLI::App& app)
{
    app.add_subcommand("doctor", "Say what this machine has, what a run would do with it, and what is amiss");
    return on_one_rank("doctor", commands::doctor);
}
}  // namespace

void add_data_commands(CLI::App& app, Arguments& arguments, Commands& commands)
{
    commands.emplace_back("pack", add_pack(app, arguments));
    commands.emplace_back("subset", add_subset(app, arguments));
    commands.emplace_back("inspect", add_inspect(app, arguments));
    commands.emplace_back("convert", add_convert(app, arguments));
    commands.emplace_back("configs", add_configs(app, arguments));
    commands.emplace_back("doctor", add_doctor(app));
}
}  // namespace paws::cli

#include "src/cli/command_files.hpp"
#include "src/cli/commands.hpp"
#include "src/cli/whole_number.hpp"
#include "src/commands/demo.hpp"
#include "src/commands/demo_tier.hpp"
#include "src/commands/view_sheet.hpp"

namespace paws::cli
{
namespace
{
Command add_demo(CLI::App& app, Arguments& arguments)
{
    auto* const command =
        app.add_subcommand("demo", "Train on Fashion-MNIST with few labels and compare with two baselines");
    command->add_option("CONFIG", arguments.config,
                        "The demo's YAML file (default: demo.yaml, which comes with the program)");
    command->parse_complete_callback(
        [&arguments]
        {
            if (arguments.config.empty())
            {
                arguments.config = "demo.yaml";
            }
        });
    command->add_option("--images,--pictures", arguments.demo.images,
                        "Folder with the IDX files (default: that of Debian's dataset-fashion-mnist)");
    command->add_option("--folder", arguments.demo.folder, "Where to write (default: demo)");
    command->add_option("--tier", arguments.demo.tier,
                        "Size of the training: " + commands::tier_names() +
                            " (default: the one that ends within eight minutes, by the speed of the first steps)");
    return [&arguments](comm::World& world)
    {
        require_one_rank(world, "demo");
        const auto config = config::load(arguments.config, arguments.overrides);
        arguments.demo.keeps_size = commands::set_size(arguments.overrides);
        auto files = files_of(arguments, "demo");
        commands::add_demo_files(config, arguments.demo, files);
        io::require_outputs(files);
        const auto session = start_computing(config, world);
        return commands::demo(config, arguments.demo, world);
    };
}

Command add_views(CLI::App& app, Arguments& arguments)
{
    auto* const command = app.add_subcommand("views", "Draw the training views of some images, to look at (PNG)");
    command->add_option("CONFIG", arguments.config, "The YAML file of a training run")->required();
    command->add_option("--output", arguments.sheet, "PNG file to write")->required();
    add_whole_number<std::int64_t>(*command, "--images,--pictures", arguments.images, 1, 100,
                                   "Rows, 1 to 100 (default: 8)");
    return on_one_rank("views",
                       [&arguments]() -> commands::Summary
                       {
                           const auto config = config::load(arguments.config, arguments.overrides, arguments.task);
                           const session::ComputeSession session(config.meta.threads);
                           return commands::view_sheet(config, arguments.images, arguments.sheet);
                       });
}
}  // namespace

void add_demo_commands(CLI::App& app, Arguments& arguments, Commands& commands)
{
    commands.emplace_back("views", add_views(app, arguments));
    commands.emplace_back("demo", add_demo(app, arguments));
}
}  // namespace paws::cli

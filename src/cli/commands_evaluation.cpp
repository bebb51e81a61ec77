#include "src/cli/commands.hpp"
#include "src/tasks/evaluation.hpp"
#include "src/tasks/runtime.hpp"

namespace paws::cli
{
namespace
{
/// The configuration of the run that made the checkpoint, with what the command line says instead.
config::Config evaluation_config(const Arguments& arguments)
{
    auto config = tasks::config_of_checkpoint(arguments.evaluation.checkpoint);
    if (!arguments.evaluation.data.empty())
    {
        config.data.file = arguments.evaluation.data;
    }
    if (!arguments.evaluation.subset_file.empty())
    {
        config.data.subset = arguments.evaluation.subset_file;
    }
    if (!arguments.evaluation.split.empty())
    {
        config.data.validation_split = arguments.evaluation.split;
    }
    if (arguments.evaluation.temperature)
    {
        config.criterion.snn_temperature = *arguments.evaluation.temperature;
    }
    // What else --set asks for goes through the reader, which checks it.
    return config::parse(config.to_yaml(), arguments.evaluation.checkpoint, arguments.overrides);
}

Command add_snn_eval(CLI::App& app, Arguments& arguments)
{
    auto* const command =
        app.add_subcommand("snn-eval", "Accuracy of soft nearest neighbours on the embeddings of a checkpoint");
    command->add_option("--checkpoint", arguments.evaluation.checkpoint, "Checkpoint (.h5)")->required();
    command->add_option("--data", arguments.evaluation.data, "Packed file (default: that of the run)");
    command->add_option("--subset", arguments.evaluation.subset_file, "Labelled pictures (default: those of the run)");
    command->add_option("--split", arguments.evaluation.split, "Pictures to classify (default: val)");
    command->add_option("--temperature", arguments.evaluation.temperature,
                        "Temperature (default: criterion.snn_temperature)");
    return on_one_rank("snn-eval",
                       [&arguments]() -> tasks::Summary
                       {
                           const auto config = evaluation_config(arguments);
                           const tasks::ComputeSession session(config.meta.threads);
                           return tasks::snn_eval(arguments.evaluation.checkpoint, config);
                       });
}

Command add_embed(CLI::App& app, Arguments& arguments)
{
    auto* const command = app.add_subcommand("embed", "Write the embeddings of pictures to an HDF5 file");
    command->add_option("--checkpoint", arguments.evaluation.checkpoint, "Checkpoint (.h5)")->required();
    command->add_option("--data", arguments.evaluation.data, "Packed file (default: that of the run)");
    command->add_option("--split", arguments.evaluation.split, "Split to embed (default: val)");
    command->add_option("--output", arguments.evaluation.output, "HDF5 file to write")->required();
    return on_one_rank("embed",
                       [&arguments]() -> tasks::Summary
                       {
                           const auto config = evaluation_config(arguments);
                           const tasks::ComputeSession session(config.meta.threads);
                           return tasks::embed(arguments.evaluation.checkpoint, config, config.data.validation_split,
                                               arguments.evaluation.output);
                       });
}
}  // namespace

void add_evaluation_commands(CLI::App& app, Arguments& arguments, Commands& commands)
{
    commands.emplace_back("embed", add_embed(app, arguments));
    commands.emplace_back("snn-eval", add_snn_eval(app, arguments));
}
}  // namespace paws::cli

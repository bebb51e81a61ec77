#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "io/base/printable.hpp"
#include "io/ranks/agreed.hpp"
#include "src/cli/commands.hpp"
#include "src/cli/whole_number.hpp"
#include "src/commands/embed.hpp"
#include "src/commands/evaluation.hpp"
#include "src/session/same_input.hpp"

namespace paws::cli
{
namespace
{
/// What the options say, as --set would say it; what --set says goes before them.
std::vector<std::string> overrides_of(const Arguments& arguments)
{
    const auto& given = arguments.evaluation;
    std::vector<std::string> overrides;
    const auto set = [&](const std::string& key, const std::string& value)
    { overrides.push_back(fmt::format("{}={}", key, value)); };
    if (!given.outputs.empty())
    {
        set("embed.outputs", fmt::format("[{}]", fmt::join(given.outputs, ", ")));
    }
    if (given.half)
    {
        set("embed.half", "true");
    }
    if (given.probabilities)
    {
        set("embed.probabilities", "true");
    }
    if (given.compression)
    {
        set("embed.compression", std::to_string(*given.compression));
    }
    if (given.chunk_rows)
    {
        set("embed.chunk_rows", std::to_string(*given.chunk_rows));
    }
    if (given.temperature)
    {
        set("criterion.snn_temperature", fmt::format("{}", *given.temperature));
    }
    overrides.insert(overrides.end(), arguments.overrides.begin(), arguments.overrides.end());
    return overrides;
}

/// What becomes part of a configuration, which is YAML, is Unicode.
void require_unicode(const char* option, const std::string& value)
{
    if (io::as_utf8(value) != value)
    {
        throw config::Error(
            fmt::format("{}: '{}' is not UTF-8; give the file another name (a link will do)", option, value));
    }
}

/// Whether the command line names images beside the published options.
bool names_data(const Arguments& arguments)
{
    const auto says_data = [](const std::string& setting) { return setting.starts_with("data."); };
    return !arguments.evaluation.data.empty() ||
           std::any_of(arguments.overrides.begin(), arguments.overrides.end(), says_data);
}

/// The configuration of the run that made the checkpoint, with what the command line says instead.
config::Config evaluation_config(const commands::Pretrained& pretrained, const Arguments& arguments,
                                 const std::string& task)
{
    const auto& given = arguments.evaluation;
    auto config = pretrained.network.config;
    require_unicode("--data", given.data);
    require_unicode("--subset", given.subset_file);
    require_unicode("--split", given.split);
    for (const auto& [option, value] : {std::pair("--root-path", given.published.root_path),
                                        {"--image-folder", given.published.image_folder},
                                        {"--subset-path", given.published.subset_path}})
    {
        require_unicode(option, value.value_or(""));
    }
    const auto notes = apply_published(given.published, pretrained.network, names_data(arguments), config);
    if (!given.data.empty())
    {
        config.data.file = given.data;
        // Of these data, which need not have those of the run.
        config.data.num_classes = 0;
        if (config.data.is_synthetic())
        {
            config.data.dataset = config::Dataset::hdf5;
            config.data.synthetic_train = config.data.synthetic_validation = 0;
            config.data.synthetic_height = config.data.synthetic_width = 0;
        }
    }
    if (!given.subset_file.empty())
    {
        config.data.subset = given.subset_file;
    }
    if (!given.split.empty())
    {
        config.data.validation_split = given.split;
    }
    const auto& data = config.data;
    if (!data.file && data.root_path.empty() && data.image_folder.empty() && !data.is_synthetic() &&
        !names_data(arguments))
    {
        throw config::Error(fmt::format(
            "{} does not say which data it was trained on; name the packed file with --data FILE.h5", given.source()));
    }
    // The reader checks it all.
    config = config::parse(config.to_yaml(), given.source(), overrides_of(arguments), task);
    config.notices.insert(config.notices.end(), notes.begin(), notes.end());
    return config;
}

using Task = std::function<commands::Summary(const commands::Pretrained&, const config::Config&, const comm::World&)>;

/// A command that evaluates a checkpoint on all ranks.
Command on_checkpoint(const Arguments& arguments, const std::string& name, const Task& task)
{
    return [&arguments, name, task](comm::World& world)
    {
        const auto pretrained = commands::load_pretrained(arguments.evaluation.source(), *world.communicator);
        const auto config = agreed(world.group(), [&] { return evaluation_config(pretrained, arguments, name); });
        session::require_same_config(world.group(), config);
        follow_config(config, world);
        if (!world.group().is_alone())
        {
            session::require_same_inputs(world.group(), config);
        }
        const auto session = start_computing(config, world);
        return task(pretrained, config, world);
    };
}

/// Throws CLI::Error.
void require_one_checkpoint(const EvaluationArguments& evaluation)
{
    const bool is_published = !evaluation.published.pretrained.empty();
    if (evaluation.checkpoint.empty() && !is_published)
    {
        throw CLI::RequiredError("--checkpoint (or the published --pretrained)");
    }
    if (!evaluation.checkpoint.empty() && is_published)
    {
        throw CLI::ValidationError("--pretrained", "names a checkpoint as --checkpoint does; leave one of them out");
    }
}

Command add_snn_eval(CLI::App& app, Arguments& arguments)
{
    auto& evaluation = arguments.evaluation;
    auto* const command =
        app.add_subcommand("snn-eval", "Accuracy of soft nearest neighbours on the embeddings of a checkpoint");
    command->add_option("--checkpoint", evaluation.checkpoint, "Checkpoint (.h5, .pth.tar)");
    command->add_option("--data", evaluation.data, "Packed file (default: that of the run)");
    command->add_option("--subset", evaluation.subset_file, "Labelled images (default: those of the run)");
    command->add_option("--split", evaluation.split, "Images to classify (default: val)");
    command->add_option("--temperature", evaluation.temperature, "Temperature (default: criterion.snn_temperature)");
    add_published_options(*command, evaluation.published);
    command->callback([&evaluation] { require_one_checkpoint(evaluation); });
    return on_checkpoint(arguments, "snn_eval", commands::snn_eval);
}

Command add_embed(CLI::App& app, Arguments& arguments)
{
    auto& evaluation = arguments.evaluation;
    auto* const command = app.add_subcommand("embed", "Write the embeddings of images to an HDF5 file");
    command->add_option("--checkpoint", evaluation.checkpoint, "Checkpoint (.h5, .pth.tar)")->required();
    command->add_option("--data", evaluation.data, "Packed file (default: that of the run)");
    command->add_option("--split", evaluation.split, "Split to embed (default: val)");
    command->add_option("--output", evaluation.output, "HDF5 file to write")->required();
    command
        ->add_option("--outputs", evaluation.outputs,
                     "backbone, projection, prediction: one or more, joined by commas (default: criterion.embedding)")
        ->delimiter(',');
    command->add_flag("--half", evaluation.half, "float16 in the file (default: float32)");
    // Their ranges are those of the keys that they set.
    constexpr auto any = std::numeric_limits<std::int64_t>::min();
    add_whole_number<std::int64_t>(*command, "--compression", evaluation.compression, any,
                                   "Deflate, 1 (fast) to 9 (default: 0, none)");
    add_whole_number<std::int64_t>(*command, "--chunk-rows", evaluation.chunk_rows, any,
                                   "Rows of a chunk (default: chosen with compression, else no chunks)");
    command->add_flag("--probabilities", evaluation.probabilities,
                      "Also the class probabilities of soft nearest neighbours among the labelled images");
    command->add_option("--subset", evaluation.subset_file,
                        "The labelled images for --probabilities (default: those of the run)");
    command->add_option("--temperature", evaluation.temperature,
                        "Temperature of --probabilities (default: criterion.snn_temperature)");
    return on_checkpoint(
        arguments, "embed",
        [&evaluation](const commands::Pretrained& pretrained, const config::Config& config, const comm::World& world)
        { return commands::embed(pretrained, config, evaluation.output, world); });
}
}  // namespace

void add_evaluation_commands(CLI::App& app, Arguments& arguments, Commands& commands)
{
    commands.emplace_back("embed", add_embed(app, arguments));
    commands.emplace_back("snn-eval", add_snn_eval(app, arguments));
}
}  // namespace paws::cli

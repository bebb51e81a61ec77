#include "src/train/starting_network.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <optional>

#include "io/checkpoint_file.hpp"
#include "io/error.hpp"
#include "src/train/checkpoint.hpp"

namespace paws::train
{
namespace
{
namespace fs = std::filesystem;

/// What an error says after the file's name, which stands before it already.
std::string without_name(const std::string& message, const fs::path& path)
{
    const auto name = path.string() + ": ";
    return message.starts_with(name) ? message.substr(name.size()) : message;
}

/// Of a checkpoint of this program that is whole.
std::optional<config::Config> config_in(const fs::path& checkpoint)
{
    try
    {
        return config::parse(io::read_checkpoint(checkpoint).config, checkpoint.string());
    }
    catch (const std::exception&)
    {
        return std::nullopt;
    }
}

/// What fine_tune takes over of a network: all but the heads, whose first layer is kept.
bool is_kept_for_classifier(const std::string& name)
{
    return name.starts_with("fc.fc1.") || name.starts_with("fc.bn1.") ||
           !(name.starts_with("fc.") || name.starts_with("pred."));
}

void load_pretrained(const config::Config& config, nn::Encoder& encoder)
{
    const fs::path path = config.logging.path_of(config.logging.pretrain_path.value_or(""));
    if (!fs::exists(path))
    {
        throw io::Error(fmt::format(
            "{}: there is no such checkpoint; logging.pretrain_path names the one to start from, relative to "
            "logging.folder",
            path.string()));
    }
    const bool keeps_all = config.task == config::Task::snn_fine_tune;
    try
    {
        load_entries(path, encoder, [&](const std::string& name) { return keeps_all || is_kept_for_classifier(name); });
    }
    catch (const io::Error& error)
    {
        if (const auto other = config_in(path))
        {
            throw io::Error(fmt::format("{}: it is of {}, but the configuration describes {} ({})", path.string(),
                                        describe_network(*other), describe_network(config),
                                        without_name(error.what(), path)));
        }
        throw;
    }
}
}  // namespace

std::shared_ptr<nn::Encoder> new_network(const config::Config& config)
{
    const auto& meta = config.meta;
    return nn::make_encoder(
        {meta.model_name, meta.output_dim, meta.use_pred_head,
         config.task == config::Task::fine_tune ? std::max<std::int64_t>(1, config.data.num_classes) : 0});
}

config::Config with_classes_of(config::Config config, const data::Dataset& dataset)
{
    if (config.task == config::Task::fine_tune)
    {
        config.data.num_classes = dataset.classes();
    }
    return config;
}

std::string describe_network(const config::Config& config)
{
    const auto& meta = config.meta;
    return config.task == config::Task::fine_tune
               ? fmt::format("{}, {} classes", meta.model_name, config.data.num_classes)
               : fmt::format("{}, output {}{}", meta.model_name, meta.output_dim,
                             meta.use_pred_head ? ", with prediction head" : "");
}

std::shared_ptr<nn::Encoder> starting_network(const config::Config& config)
{
    torch::manual_seed(static_cast<std::uint64_t>(config.meta.seed));
    auto encoder = new_network(config);
    if (config.meta.init_backbone)
    {
        load_backbone(*config.meta.init_backbone, *encoder);
    }
    if (config.task == config::Task::snn_fine_tune || config.task == config::Task::fine_tune)
    {
        load_pretrained(config, *encoder);
    }
    if (config.task == config::Task::fine_tune && config.optimization.zero_init)
    {
        const torch::NoGradGuard no_gradient;
        for (auto& parameter : encoder->named_parameters())
        {
            if (parameter.key().starts_with("fc.fc2."))
            {
                parameter.value().zero_();
            }
        }
    }
    return encoder;
}
}  // namespace paws::train

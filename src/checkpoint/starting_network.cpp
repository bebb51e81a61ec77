#include "src/checkpoint/starting_network.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <optional>

#include "io/base/error.hpp"
#include "io/base/quantity.hpp"
#include "src/checkpoint/checkpoint.hpp"
#include "src/checkpoint/stored_checkpoint.hpp"

namespace paws::checkpoint
{
namespace
{
namespace fs = std::filesystem;

/// The network that a checkpoint says it is of, if it says so.
std::optional<config::Config> config_in(const StoredCheckpoint& checkpoint)
{
    try
    {
        return config_of(checkpoint);
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

/// Whether a run with `wanted` can take over the network of a run with `stored`: all of it, or all but its last layers.
bool fits(const config::Config& stored, const config::Config& wanted, bool all)
{
    const auto &ours = wanted.meta, &theirs = stored.meta;
    return theirs.model_name == ours.model_name &&
           (!all || (stored.task != config::Task::fine_tune && theirs.output_dim == ours.output_dim &&
                     theirs.use_pred_head == ours.use_pred_head));
}

/// Throws io::Error if `stored` is of another network than the configuration describes.
void require_same_network(const StoredCheckpoint& stored, const config::Config& config, const fs::path& path,
                          bool keeps_all)
{
    if (const auto other = config_in(stored); other && !fits(*other, config, keeps_all))
    {
        throw io::Error(
            fmt::format("{}: it is of {}, but the configuration describes {}; correct meta.model_name{} or "
                        "logging.pretrain_path",
                        path.string(), describe_network(*other), describe_network(config),
                        keeps_all ? ", output_dim, use_pred_head" : ""));
    }
}

/// What the user should know, a line each.
std::vector<std::string> load_pretrained(const config::Config& config, nn::Encoder& encoder)
{
    const fs::path path = config.logging.path_of(config.logging.pretrain_path.value_or(""));
    const bool keeps_all = config.task == config::Task::snn_fine_tune;
    const auto with_hint = [](const auto& work)
    {
        try
        {
            return work();
        }
        catch (const io::Error& error)
        {
            throw io::Error(
                fmt::format("{}; logging.pretrain_path names the checkpoint to start from, relative to logging.folder",
                            error.what()));
        }
    };
    auto stored = with_hint([&] { return read_stored_checkpoint(path); });
    require_same_network(stored, config, path, keeps_all);
    return with_hint(
        [&]
        {
            return load_entries(std::move(stored), encoder,
                                [&](const std::string& name) { return keeps_all || is_kept_for_classifier(name); });
        });
}
}  // namespace

std::shared_ptr<nn::Encoder> new_network(const config::Config& config)
{
    const auto& meta = config.meta;
    auto network = nn::make_encoder(
        {meta.model_name, meta.output_dim, meta.use_pred_head,
         config.task == config::Task::fine_tune ? std::max<std::int64_t>(1, config.data.num_classes) : 0});
    network->use_convolution(meta.convolution);
    return network;
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
               ? fmt::format("{}, {}", meta.model_name, io::plural(config.data.num_classes, "class", "es"))
               : fmt::format("{}, output {}{}", meta.model_name, meta.output_dim,
                             meta.use_pred_head ? ", with prediction head" : "");
}

StartingNetwork starting_network(const config::Config& config)
{
    torch::manual_seed(static_cast<std::uint64_t>(config.meta.seed));
    StartingNetwork start{new_network(config), {}};
    auto& encoder = start.encoder;
    if (config.meta.init_backbone)
    {
        start.notes = load_backbone(*config.meta.init_backbone, *encoder);
    }
    if (config.task == config::Task::snn_fine_tune || config.task == config::Task::fine_tune)
    {
        start.notes = load_pretrained(config, *encoder);
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
    return start;
}
}  // namespace paws::checkpoint

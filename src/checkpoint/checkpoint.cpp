#include "src/checkpoint/checkpoint.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <string>
#include <vector>

#include "io/base/error.hpp"
#include "io/checkpoint/checkpoint_file.hpp"
#include "src/checkpoint/fill_tensors.hpp"
#include "src/checkpoint/starting_network.hpp"
#include "src/checkpoint/stored_checkpoint.hpp"
#include "src/config/compare.hpp"

namespace paws::checkpoint
{
namespace
{
/// Where the loss scaler stands.
const std::string scale_name = "loss_scale";
const std::string good_steps_name = "loss_scale_good_steps";

io::ElementType element_type(torch::ScalarType type)
{
    switch (type)
    {
        case torch::kFloat32:
            return io::ElementType::float32;
        case torch::kFloat64:
            return io::ElementType::float64;
        case torch::kInt64:
            return io::ElementType::int64;
        default:
            throw std::invalid_argument(fmt::format("checkpoints hold no tensors of type {}", c10::toString(type)));
    }
}

/// `arrays`: their memory is used again, in the order in which they stand.
io::NamedArrays to_arrays(const NamedTensors& tensors, io::NamedArrays arrays)
{
    arrays.resize(tensors.size());
    for (std::size_t i = 0; i < tensors.size(); ++i)
    {
        const auto& [name, tensor] = tensors[i];
        auto& array = arrays[i].second;
        arrays[i].first = name;
        array.type = element_type(tensor.scalar_type());
        array.shape.assign(tensor.sizes().begin(), tensor.sizes().end());
        array.bytes.resize(tensor.nbytes());
        // Row-major in the file, whatever memory order the network runs in.
        torch::from_blob(array.bytes.data(), tensor.sizes(), tensor.scalar_type()).copy_(tensor.detach());
    }
    return arrays;
}

io::Progress to_file(const TrainingProgress& progress)
{
    io::Progress file;
    file.epoch = progress.epochs_done;
    file.iteration = progress.steps_done;
    file.reals = {{"best_loss", progress.best_loss}, {"loss", progress.loss}};
    if (progress.top1)
    {
        file.reals["top1"] = *progress.top1;
    }
    if (progress.best_top1)
    {
        file.reals["best_top1"] = *progress.best_top1;
    }
    file.integers = progress.samplers;
    file.integers["world_size"] = progress.world_size;
    file.texts.insert(progress.data.begin(), progress.data.end());
    if (progress.scaler)
    {
        file.reals[scale_name] = progress.scaler->scale;
        file.integers[good_steps_name] = progress.scaler->good_steps;
    }
    progress.meters.write(file);
    return file;
}

TrainingProgress from_file(const io::Progress& file, const std::filesystem::path& path)
{
    const auto value = [&](const auto& values, const char* name)
    {
        const auto found = values.find(name);
        if (found == values.end())
        {
            throw io::Error(
                fmt::format("{}: /progress has no '{}'; training cannot resume from this file", path.string(), name));
        }
        return found->second;
    };
    TrainingProgress progress;
    progress.epochs_done = file.epoch;
    progress.steps_done = file.iteration;
    progress.best_loss = value(file.reals, "best_loss");
    progress.loss = value(file.reals, "loss");
    const auto optional = [&](const std::string& name)
    {
        const auto found = file.reals.find(name);
        return found == file.reals.end() ? std::nullopt : std::optional(found->second);
    };
    progress.top1 = optional("top1");
    progress.best_top1 = optional("best_top1");
    progress.samplers = file.integers;
    progress.data = data::content_in(file.texts);
    // Files from before there were several ranks do not say it.
    const auto world_size = progress.samplers.extract("world_size");
    progress.world_size = world_size ? world_size.mapped() : 1;
    const auto good_steps = progress.samplers.extract(good_steps_name);
    if (const auto scale = optional(scale_name); scale && good_steps)
    {
        progress.scaler = {*scale, good_steps.mapped()};
    }
    progress.meters = EpochMeters::take(file, progress.samplers);
    return progress;
}

bool is_ours(const io::Progress& file)
{
    return file.reals.contains("best_loss");
}

/// The published code keeps the number of epochs. Steps and samplers follow from it: their world is none of ours.
TrainingProgress from_published(const io::Progress& file)
{
    TrainingProgress progress;
    progress.epochs_done = file.epoch;
    progress.world_size = 0;
    if (const auto loss = file.reals.find("loss"); loss != file.reals.end())
    {
        progress.loss = loss->second;
    }
    return progress;
}

void refuse_other_settings(const config::Config& stored, const config::Config& wanted,
                           const std::filesystem::path& path)
{
    auto keys = config::differing_keys(stored, wanted);
    if (stored.optimization.epochs < wanted.optimization.epochs)
    {
        std::erase(keys, "optimization.epochs");
    }
    if (keys == std::vector<std::string>{"optimization.epochs"})
    {
        throw io::Error(fmt::format(
            "{} is of a run of {} epochs, which cannot become one of {} (optimization.epochs): its learning rate has "
            "followed the longer schedule; restore the number and end the run early with --stop-after {}ep, or start "
            "anew with --resume never or another logging.folder",
            path.string(), stored.optimization.epochs, wanted.optimization.epochs, wanted.optimization.epochs));
    }
    if (!keys.empty())
    {
        throw io::Error(
            fmt::format("{} is of a run with other settings ({}); restore them, or start anew with --resume "
                        "never or another logging.folder",
                        path.string(), fmt::join(keys, ", ")));
    }
}
}  // namespace

io::Checkpoint make_checkpoint(const nn::Encoder& encoder, const optim::LarsSgd& optimizer,
                               const TrainingProgress& progress, const config::Config& config, io::Checkpoint recycled)
{
    const torch::NoGradGuard no_gradient;
    recycled.encoder = to_arrays(nn::state_dict(encoder), std::move(recycled.encoder));
    recycled.momentum = to_arrays(optimizer.momentum(), std::move(recycled.momentum));
    recycled.progress = to_file(progress);
    recycled.config = config.to_yaml();
    return recycled;
}

void save_checkpoint(const std::filesystem::path& path, const nn::Encoder& encoder, const optim::LarsSgd& optimizer,
                     const TrainingProgress& progress, const config::Config& config)
{
    io::write_checkpoint(path, make_checkpoint(encoder, optimizer, progress, config));
}

TrainingProgress resume_from(const std::filesystem::path& path, nn::Encoder& encoder, optim::LarsSgd& optimizer,
                             const config::Config& config)
{
    auto stored = read_stored_checkpoint(path);
    const auto& [source, checkpoint, notes] = stored;
    std::optional<std::int64_t> epochs_before;
    if (!checkpoint.config.empty())
    {
        const auto before = config::parse(checkpoint.config, source.string());
        refuse_other_settings(before, config, source);
        if (before.optimization.epochs < config.optimization.epochs)
        {
            epochs_before = before.optimization.epochs;
        }
    }
    if (checkpoint.momentum.empty())
    {
        throw io::Error(
            fmt::format("{}: has no optimiser state that belongs to its weights, so that training cannot go "
                        "on from it; start anew with its weights (meta.init_backbone)",
                        source.string()));
    }
    fill_all_tensors(checkpoint.encoder, nn::state_dict(encoder), "encoder", source.string());
    fill_all_tensors(checkpoint.momentum, optimizer.momentum(), "momentum", source.string());
    auto progress =
        is_ours(checkpoint.progress) ? from_file(checkpoint.progress, source) : from_published(checkpoint.progress);
    progress.epochs_before = epochs_before;
    progress.notes = std::move(stored.notes);
    return progress;
}

std::vector<std::string> load_backbone(const std::filesystem::path& path, nn::Encoder& encoder)
{
    return load_entries(read_stored_checkpoint(path), encoder,
                        [](const std::string& name) { return !name.starts_with("fc.") && !name.starts_with("pred."); });
}

std::vector<std::string> load_entries(StoredCheckpoint stored, nn::Encoder& encoder,
                                      const std::function<bool(const std::string&)>& wanted)
{
    const auto chosen = [&](auto entries)
    {
        std::erase_if(entries, [&](const auto& entry) { return !wanted(entry.first); });
        return entries;
    };
    const auto tensors = chosen(nn::state_dict(encoder));
    const auto report = fill_tensors(chosen(std::move(stored.content.encoder)), tensors);
    const auto source = stored.path.string();
    if (2 * report.filled < tensors.size() || report.filled == 0)
    {
        throw io::Error(
            fmt::format("{}: has only {} of the {} weights that this network needs ({}); is it a checkpoint of another "
                        "network?",
                        source, report.filled, tensors.size(), report.text()));
    }
    require_finite(report, source);
    if (!report.is_complete())
    {
        stored.notes.push_back(
            fmt::format("{}: {} of the {} weights that this network needs come from it ({}); the others stay as "
                        "they were",
                        source, report.filled, tensors.size(), report.text()));
    }
    return std::move(stored.notes);
}

PretrainedEncoder load_encoder(const std::filesystem::path& path)
{
    const auto stored = read_stored_checkpoint(path);
    PretrainedEncoder pretrained{nullptr, config_of(stored), stored.content.progress.epoch,
                                 data::content_in(stored.content.progress.texts), stored.path};
    pretrained.encoder = new_network(pretrained.config);
    fill_all_tensors(stored.content.encoder, nn::state_dict(*pretrained.encoder), "encoder", stored.path.string());
    return pretrained;
}
}  // namespace paws::checkpoint

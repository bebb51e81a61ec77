#include "src/train/checkpoint.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstring>
#include <map>

#include "io/checkpoint_file.hpp"
#include "io/error.hpp"
#include "src/config/compare.hpp"

namespace paws::train
{
namespace
{
using NamedTensors = std::vector<std::pair<std::string, torch::Tensor>>;

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

torch::ScalarType scalar_type(io::ElementType type)
{
    switch (type)
    {
        case io::ElementType::float32:
            return torch::kFloat32;
        case io::ElementType::float64:
            return torch::kFloat64;
        case io::ElementType::int64:
            return torch::kInt64;
        case io::ElementType::uint8:
            return torch::kUInt8;
    }
    return torch::kFloat32;
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

/// Copies `arrays` into `tensors` by name; `what` names the collection in messages.
void fill_from(const io::NamedArrays& arrays, const NamedTensors& tensors, const std::string& what,
               const std::filesystem::path& path)
{
    const torch::NoGradGuard no_gradient;
    std::map<std::string, const io::Array*> by_name;
    for (const auto& [name, array] : arrays)
    {
        by_name.emplace(name, &array);
    }
    for (const auto& [name, tensor] : tensors)
    {
        const auto found = by_name.find(name);
        if (found == by_name.end())
        {
            throw io::Error(
                fmt::format("{}: {} has no '{}'; is it a checkpoint of another network?", path.string(), what, name));
        }
        const auto& array = *found->second;
        const std::vector<std::int64_t> shape(array.shape.begin(), array.shape.end());
        if (torch::IntArrayRef(shape) != tensor.sizes())
        {
            throw io::Error(
                fmt::format("{}: {} '{}' has shape [{}], the network's is [{}]; is it a checkpoint of another "
                            "network or output_dim?",
                            path.string(), what, name, fmt::join(shape, ", "), fmt::join(tensor.sizes(), ", ")));
        }
        auto target = tensor;
        auto* const bytes = const_cast<std::byte*>(array.bytes.data());
        target.copy_(torch::from_blob(bytes, shape, scalar_type(array.type)));
        by_name.erase(found);
    }
    if (!by_name.empty())
    {
        throw io::Error(fmt::format("{}: {} '{}' has no place in the network; is it a checkpoint of another network?",
                                    path.string(), what, by_name.begin()->first));
    }
}

io::Progress to_file(const TrainingProgress& progress)
{
    io::Progress file;
    file.epoch = progress.epochs_done;
    file.iteration = progress.steps_done;
    file.reals = {{"best_loss", progress.best_loss}, {"loss", progress.loss}};
    file.integers = progress.samplers;
    file.integers["world_size"] = progress.world_size;
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
                fmt::format("{}: /progress has no '{}'; training cannot go on from this file", path.string(), name));
        }
        return found->second;
    };
    TrainingProgress progress;
    progress.epochs_done = file.epoch;
    progress.steps_done = file.iteration;
    progress.best_loss = value(file.reals, "best_loss");
    progress.loss = value(file.reals, "loss");
    progress.samplers = file.integers;
    // Files from before there were several ranks do not say it.
    const auto world_size = progress.samplers.extract("world_size");
    progress.world_size = world_size ? world_size.mapped() : 1;
    progress.meters = EpochMeters::take(file, progress.samplers);
    return progress;
}

void refuse_other_settings(const config::Config& stored, const config::Config& wanted,
                           const std::filesystem::path& path)
{
    const auto keys = config::differing_keys(stored, wanted);
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
    const auto checkpoint = io::read_checkpoint(path);
    refuse_other_settings(config::parse(checkpoint.config, path.string()), config, path);
    fill_from(checkpoint.encoder, nn::state_dict(encoder), "encoder", path);
    fill_from(checkpoint.momentum, optimizer.momentum(), "momentum", path);
    return from_file(checkpoint.progress, path);
}

void load_backbone(const std::filesystem::path& path, nn::Encoder& encoder)
{
    const auto without_heads = [](auto entries)
    {
        std::erase_if(entries, [](const auto& entry)
                      { return entry.first.starts_with("fc.") || entry.first.starts_with("pred."); });
        return entries;
    };
    fill_from(without_heads(io::read_checkpoint(path).encoder), without_heads(nn::state_dict(encoder)), "encoder",
              path);
}

PretrainedEncoder load_encoder(const std::filesystem::path& path)
{
    const auto checkpoint = io::read_checkpoint(path);
    PretrainedEncoder pretrained{nullptr, config::parse(checkpoint.config, path.string()), checkpoint.progress.epoch};
    const auto& meta = pretrained.config.meta;
    pretrained.encoder = nn::make_encoder({meta.model_name, meta.output_dim, meta.use_pred_head});
    fill_from(checkpoint.encoder, nn::state_dict(*pretrained.encoder), "encoder", path);
    return pretrained;
}
}  // namespace paws::train

#include "src/config/config.hpp"

#include <filesystem>

#include "src/config/enums.hpp"

namespace paws::config
{
namespace
{
std::string below(const std::string& folder, const std::string& name)
{
    // An absolute name replaces the folder.
    return (std::filesystem::path(folder) / name).string();
}
}  // namespace

std::string to_string(Task task)
{
    return word_from_enum(task);
}
std::string to_string(Precision precision)
{
    return word_from_enum(precision);
}
std::string to_string(Convolution convolution)
{
    return word_from_enum(convolution);
}
std::string to_string(Dataset dataset)
{
    return word_from_enum(dataset);
}
std::string to_string(Embedding embedding)
{
    return word_from_enum(embedding);
}

std::optional<std::string> Data::labelled_list() const
{
    if (subset || !subset_path)
    {
        return subset;
    }
    if (is_cifar10())
    {
        if (unlabeled_frac == 0 || !data_seed)
        {
            return std::nullopt;
        }
        return below(*subset_path, "spc.4000_split." + std::to_string(*data_seed) + ".txt");
    }
    if (unlabeled_frac < 0)
    {
        return held_out_list();
    }
    // Cut off, not rounded, as the published lists were named.
    return below(*subset_path, std::to_string(static_cast<int>(unlabeled_frac * 100)) + "percent.txt");
}

std::optional<std::string> Data::held_out_list() const
{
    if (!is_imagenet() || !subset_path)
    {
        return std::nullopt;
    }
    return below(*subset_path, "val.txt");
}

std::string Logging::path_of(const std::string& name) const
{
    return below(folder, name);
}

bool Logging::keeps_epoch(std::int64_t epoch) const
{
    return epoch % checkpoint_every == 0 || (epoch % 10 == 0 && epoch < checkpoint_every);
}

bool Config::operator==(const Config& other) const
{
    return task == other.task && meta == other.meta && criterion == other.criterion && data == other.data &&
           optimization == other.optimization && logging == other.logging && embed == other.embed;
}

Precision resolve_precision(const Meta& meta, bool on_cuda, bool bf16_is_faster)
{
    if (meta.precision != Precision::automatic)
    {
        return meta.precision;
    }
    if (!meta.use_fp16)
    {
        return Precision::fp32;
    }
    if (on_cuda)
    {
        return Precision::fp16;
    }
    return bf16_is_faster ? Precision::bf16 : Precision::fp32;
}
}  // namespace paws::config

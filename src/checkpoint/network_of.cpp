#include "src/checkpoint/network_of.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <map>

#include "io/base/error.hpp"
#include "src/nn/architecture.hpp"

namespace paws::checkpoint
{
namespace
{
using Shapes = std::map<std::string, std::vector<std::size_t>>;

/// The size of a dimension, or 0.
std::size_t size_of(const Shapes& shapes, const std::string& name, std::size_t dimension)
{
    const auto found = shapes.find(name);
    return found == shapes.end() || dimension >= found->second.size() ? 0 : found->second[dimension];
}

/// How many numbers follow `stage` in names: "layer3.0.conv1.weight" is of block 0.
int count_blocks(const Shapes& shapes, const std::string& stage)
{
    int blocks = 0;
    for (auto name = shapes.lower_bound(stage); name != shapes.end() && name->first.starts_with(stage); ++name)
    {
        int block = -1;
        const std::string& text = name->first;
        std::from_chars(text.data() + stage.size(), text.data() + text.size(), block);
        blocks = std::max(blocks, block + 1);
    }
    return blocks;
}

nn::Architecture architecture_of(const Shapes& shapes)
{
    nn::Architecture architecture;
    for (int stage = 1; count_blocks(shapes, fmt::format("layer{}.", stage)) > 0; ++stage)
    {
        architecture.blocks.push_back(count_blocks(shapes, fmt::format("layer{}.", stage)));
    }
    // Wide ones begin with a 3×3 convolution to 16 channels, others with one of 7×7 to 64 times the width.
    constexpr std::size_t wide_stem = 16, stem = 64, large_kernel = 7;
    const bool photographs = size_of(shapes, "conv1.weight", 2) == large_kernel;
    const auto channels =
        photographs ? size_of(shapes, "conv1.weight", 0) : size_of(shapes, "layer1.0.conv1.weight", 0);
    architecture.family = !photographs                               ? nn::Family::wide
                          : shapes.contains("layer1.0.conv3.weight") ? nn::Family::bottleneck
                                                                     : nn::Family::basic;
    architecture.widen = static_cast<int>(channels / (photographs ? stem : wide_stem));
    return architecture;
}
}  // namespace

std::optional<Network> network_of(const io::NamedArrays& encoder)
{
    Shapes shapes;
    for (const auto& [name, array] : encoder)
    {
        shapes[name] = array.shape;
    }
    const auto architecture = architecture_of(shapes);
    const auto& known = nn::architectures();
    const auto found =
        std::find_if(known.begin(), known.end(), [&](const auto& entry) { return entry.second == architecture; });
    if (found == known.end())
    {
        return std::nullopt;
    }
    return Network{found->first, static_cast<std::int64_t>(size_of(shapes, "fc.fc3.weight", 0)),
                   shapes.contains("pred.fc1.weight")};
}

std::string in_words(const Network& network)
{
    if (network.output_dim == 0)
    {
        return network.model_name + " without the published projection head";
    }
    return fmt::format("{}, output_dim {}, {} prediction head", network.model_name, network.output_dim,
                       network.use_pred_head ? "a" : "no");
}

config::Config inferred_config(const io::NamedArrays& encoder, const std::string& source)
{
    const auto network = network_of(encoder);
    if (!network)
    {
        std::vector<std::string> names;
        for (const auto& [name, architecture] : nn::architectures())
        {
            names.push_back(name);
        }
        throw io::Error(fmt::format("{}: does not say which network it is of, and its weights are those of none of {}",
                                    source, fmt::join(names, ", ")));
    }
    if (network->output_dim == 0)
    {
        throw io::Error(
            fmt::format("{}: is a {}; a run can start from it with meta.init_backbone, but it gives no "
                        "projections to evaluate",
                        source, in_words(*network)));
    }
    const bool small_images = nn::architectures().at(network->model_name).family == nn::Family::wide;
    // Settings must name images, and whoever uses these must say which.
    constexpr const char* nowhere = "nowhere";
    auto config = config::parse(
        fmt::format("{{task: snn_eval, meta: {{model_name: {}, output_dim: {}, use_pred_head: {}}}, data: {{dataset: "
                    "{}, file: {}, unlabeled_frac: 0}}, logging: {{folder: .}}}}",
                    network->model_name, network->output_dim, network->use_pred_head,
                    small_images ? "cifar10" : "imagenet", nowhere),
        source);
    config.data.file.reset();
    // Those of the data that it will be used with, whatever they are prepared as.
    config.data.num_classes = 0;
    config.notices.push_back(fmt::format(
        "{}: has no settings; its weights are those of {}, and unless the command line says otherwise, images are "
        "prepared as for {} and all training images count as labelled (--set data.KEY=VALUE, --subset LIST)",
        source, in_words(*network), small_images ? "CIFAR-10" : "ImageNet"));
    return config;
}
}  // namespace paws::checkpoint

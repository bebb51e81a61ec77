#include "src/nn/encoder.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <torch/nn/modules/activation.h>
#include <torch/nn/modules/container/sequential.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/linear.h>
#include <algorithm>

#include <stdexcept>

#include "src/device/torch_compat.hpp"
#include "src/nn/architecture.hpp"
#include "src/nn/batch_norm.hpp"
#include "src/nn/blocked_convolution.hpp"
#include "src/nn/resnet.hpp"
#include "src/nn/wide_resnet.hpp"

namespace paws::nn
{
namespace
{
namespace tnn = torch::nn;

/// The prediction head narrows to a quarter of the output.
constexpr std::int64_t bottleneck_factor = 4;

tnn::Sequential projection_head(std::int64_t hidden, std::int64_t output)
{
    tnn::Sequential head;
    head->push_back("fc1", tnn::Linear(hidden, hidden));
    head->push_back("bn1", BatchNorm1d(hidden));
    head->push_back("relu1", tnn::ReLU());
    head->push_back("fc2", tnn::Linear(hidden, hidden));
    head->push_back("bn2", BatchNorm1d(hidden));
    head->push_back("relu2", tnn::ReLU());
    head->push_back("fc3", tnn::Linear(hidden, output));
    return head;
}

tnn::Sequential prediction_head(std::int64_t dim)
{
    const auto narrow = dim / bottleneck_factor;
    tnn::Sequential head;
    head->push_back("bn1", BatchNorm1d(dim));
    head->push_back("fc1", tnn::Linear(dim, narrow));
    head->push_back("bn2", BatchNorm1d(narrow));
    head->push_back("relu", tnn::ReLU());
    head->push_back("fc2", tnn::Linear(narrow, dim));
    return head;
}

/// As it begins, the projection head; its weights are kept in fine-tuning.
tnn::Sequential classifier(std::int64_t hidden, std::int64_t classes)
{
    tnn::Sequential head;
    head->push_back("fc1", tnn::Linear(hidden, hidden));
    head->push_back("bn1", BatchNorm1d(hidden));
    head->push_back("relu1", tnn::ReLU());
    head->push_back("fc2", tnn::Linear(hidden, classes));
    return head;
}

std::shared_ptr<Encoder> make_backbone(const Architecture& architecture)
{
    if (architecture.family == Family::wide)
    {
        return std::make_shared<WideResNet>(architecture.depth(), architecture.widen);
    }
    return std::make_shared<ResNet>(architecture);
}

void collect_state(const tnn::Module& module, const std::string& prefix,
                   std::vector<std::pair<std::string, torch::Tensor>>& state)
{
    for (const auto& item : module.named_parameters(false))
    {
        state.emplace_back(prefix + item.key(), item.value());
    }
    for (const auto& item : module.named_buffers(false))
    {
        state.emplace_back(prefix + item.key(), item.value());
    }
    for (const auto& child : module.named_children())
    {
        collect_state(*child.value(), prefix + child.key() + ".", state);
    }
}
}  // namespace

Encoding Encoder::forward(const std::vector<torch::Tensor>& views)
{
    std::vector<torch::Tensor> h, z;
    for (std::size_t begin = 0, end = 0; begin < views.size(); begin = end)
    {
        while (end < views.size() && views[end].size(-1) == views[begin].size(-1))
        {
            ++end;
        }
        const std::vector<torch::Tensor> group(views.begin() + static_cast<std::ptrdiff_t>(begin),
                                               views.begin() + static_cast<std::ptrdiff_t>(end));
        h.push_back(projection_->forward(features(group.size() == 1 ? group.front() : torch::cat(group))));
        z.push_back(prediction_ ? prediction_->forward(h.back()) : h.back());
    }
    const auto joined = [](const std::vector<torch::Tensor>& parts)
    { return parts.size() == 1 ? parts.front() : torch::cat(parts); };
    Encoding encoding;
    encoding.h = joined(h);
    encoding.z = prediction_ ? joined(z) : encoding.h;
    return encoding;
}

torch::Tensor Encoder::embed(const torch::Tensor& images, Embedding which)
{
    return embed_as(images, {which}).front();
}

std::vector<torch::Tensor> Encoder::embed_as(const torch::Tensor& images, const std::vector<Embedding>& which)
{
    const auto wanted = [&](Embedding output) { return std::find(which.begin(), which.end(), output) != which.end(); };
    const auto backbone = features(images);
    torch::Tensor h, z;
    if (wanted(Embedding::projection) || wanted(Embedding::prediction))
    {
        h = z = projection_->forward(backbone);
    }
    if (wanted(Embedding::prediction) && prediction_)
    {
        z = prediction_->forward(h);
    }
    std::vector<torch::Tensor> outputs;
    for (const auto output : which)
    {
        outputs.push_back(output == Embedding::backbone ? backbone : output == Embedding::projection ? h : z);
    }
    return outputs;
}

torch::Tensor Encoder::first_convolution(tnn::Conv2dImpl& conv, const torch::Tensor& images) const
{
    const bool in_blocks = convolution_ != config::Convolution::direct && images.is_cpu() &&
                           images.scalar_type() == torch::kFloat32 && conv.weight.scalar_type() == torch::kFloat32 &&
                           !device::cpu_autocast_is_on() && has_blocked_convolutions();
    return in_blocks ? convolve_to_blocks(conv, images) : conv.forward(images);
}

void Encoder::add_heads(std::int64_t output_dim, bool use_pred_head)
{
    projection_ = register_module("fc", projection_head(feature_dim(), output_dim));
    if (use_pred_head)
    {
        prediction_ = register_module("pred", prediction_head(output_dim));
    }
}

void Encoder::add_classifier(std::int64_t classes)
{
    projection_ = register_module("fc", classifier(feature_dim(), classes));
}

const std::vector<std::string>& model_names()
{
    static const std::vector<std::string> names = []
    {
        std::vector<std::string> all;
        for (const auto& [name, architecture] : architectures())
        {
            all.push_back(name);
        }
        return all;
    }();
    return names;
}

std::shared_ptr<Encoder> make_encoder(const EncoderSettings& settings)
{
    const auto found = architectures().find(settings.model_name);
    if (found == architectures().end())
    {
        throw std::invalid_argument(fmt::format("meta.model_name: unknown network '{}'; known are {}",
                                                settings.model_name, fmt::join(model_names(), ", ")));
    }
    if (settings.classes > 0)
    {
        auto encoder = make_backbone(found->second);
        encoder->add_classifier(settings.classes);
        return encoder;
    }
    if (settings.output_dim < 1 || (settings.use_pred_head && settings.output_dim < bottleneck_factor))
    {
        throw std::invalid_argument(fmt::format("meta.output_dim: {} is too small; the {} needs at least {}",
                                                settings.output_dim,
                                                settings.use_pred_head ? "prediction head" : "projection head",
                                                settings.use_pred_head ? bottleneck_factor : 1));
    }
    auto encoder = make_backbone(found->second);
    encoder->add_heads(settings.output_dim, settings.use_pred_head);
    return encoder;
}

std::vector<std::pair<std::string, torch::Tensor>> state_dict(const torch::nn::Module& module)
{
    std::vector<std::pair<std::string, torch::Tensor>> state;
    collect_state(module, "", state);
    return state;
}

void to_channels_last(torch::nn::Module& module)
{
    for (auto& parameter : module.parameters())
    {
        if (parameter.dim() == 4)
        {
            parameter.set_data(parameter.data().contiguous(torch::MemoryFormat::ChannelsLast));
        }
    }
}

std::int64_t parameter_count(const torch::nn::Module& module)
{
    std::int64_t count = 0;
    for (const auto& parameter : module.parameters())
    {
        count += parameter.numel();
    }
    return count;
}
}  // namespace paws::nn

#include "src/commands/baselines.hpp"

#include <fmt/format.h>
#include <torch/nn/functional/loss.h>
#include <torch/nn/functional/normalization.h>
#include <torch/nn/modules/linear.h>

#include <algorithm>
#include <optional>

#include "src/checkpoint/checkpoint.hpp"
#include "src/data/augmentation.hpp"
#include "src/nn/encoder.hpp"
#include "src/optim/lars_sgd.hpp"
#include "src/optim/loss_scaler.hpp"
#include "src/optim/schedule.hpp"
#include "src/train/embedder.hpp"

namespace paws::commands
{
namespace
{
torch::Tensor flat_pixels(const torch::Tensor& pixels)
{
    const auto values = pixels.flatten(1).to(torch::kFloat32) / 255;
    // Without the mean brightness, directions of pixel vectors tell shapes apart.
    return values - values.mean(1, true);
}

/// Top-1 on the supports themselves, each predicted from the others.
double leave_one_out(const torch::Tensor& supports, const torch::Tensor& one_hot,
                     const std::vector<std::int64_t>& targets, double temperature)
{
    auto similarities = torch::mm(supports, supports.t()) / temperature;
    similarities.fill_diagonal_(-std::numeric_limits<float>::infinity());
    return loss::accuracy(torch::mm(torch::softmax(similarities, 1), one_hot), targets).top1;
}
}  // namespace

loss::Accuracy pixel_neighbours(const data::Dataset& dataset)
{
    const auto rows = torch::tensor(dataset.labelled, torch::kInt64);
    const auto supports = flat_pixels(dataset.train.pixels.index_select(0, rows));
    const auto targets = dataset.labelled_targets();
    const auto normalized = torch::nn::functional::normalize(supports);
    const auto one_hot = torch::one_hot(torch::tensor(targets, torch::kInt64), dataset.classes()).to(torch::kFloat32);
    double best = -1;
    double temperature = 0.1;
    for (const double candidate : {0.003, 0.01, 0.03, 0.1})
    {
        const double top1 = leave_one_out(normalized, one_hot, targets, candidate);
        if (top1 > best)
        {
            best = top1;
            temperature = candidate;
        }
    }
    const auto probabilities = loss::snn_probabilities(flat_pixels(dataset.validation.pixels), supports, targets,
                                                       dataset.classes(), temperature);
    return loss::accuracy(probabilities, dataset.validation.labels);
}

loss::Accuracy labels_only(const data::Dataset& dataset, const config::Config& config, device::Precision precision,
                           const LabelsOnlySettings& settings, const std::filesystem::path& checkpoint,
                           const torch::Device& device)
{
    torch::manual_seed(static_cast<std::uint64_t>(config.meta.seed));
    const auto type = device::storage_type(precision);
    const auto encoder = nn::make_encoder({config.meta.model_name, config.meta.output_dim, config.meta.use_pred_head});
    encoder->use_convolution(config.meta.convolution);
    torch::nn::Linear classifier(encoder->feature_dim(), dataset.classes());
    encoder->to(type);
    encoder->to(device);
    classifier->to(device, type);
    nn::to_channels_last(*encoder);
    encoder->train();
    auto parameters = optim::trainable_parameters(*encoder);
    parameters.emplace_back("classifier.weight", classifier->weight);
    parameters.emplace_back("classifier.bias", classifier->bias);
    optim::LarsSgdOptions options;
    options.lars = false;
    options.nesterov = true;
    options.weight_decay = settings.weight_decay;
    optim::LarsSgd optimizer(std::move(parameters), options);
    std::optional<optim::LossScaler> scaler;
    if (precision == device::Precision::fp16)
    {
        scaler.emplace(device);
    }
    const optim::WarmupCosine schedule{0, settings.learning_rate, 0, settings.steps / 20, settings.steps};

    const auto targets = torch::tensor(dataset.labelled_targets(), torch::kInt64).to(device);
    const auto smoothing =
        torch::nn::functional::CrossEntropyFuncOptions().label_smoothing(config.data.label_smoothing);
    const auto spec = data::large_view_spec(config.data);
    const kernels::AugmentKey key{static_cast<std::uint64_t>(config.meta.seed), 0};
    for (std::int64_t step = 0; step < settings.steps; ++step)
    {
        const std::vector<std::uint32_t> numbers(dataset.labelled.size(), static_cast<std::uint32_t>(step));
        const auto views =
            data::make_views(dataset.train.pixels, spec, key, dataset.labelled, numbers).to(device, type);
        optimizer.zero_grad();
        torch::Tensor logits;
        {
            const device::AutocastScope autocast(precision, device);
            logits = classifier->forward(encoder->embed(views, nn::Embedding::backbone));
        }
        const auto loss = torch::nn::functional::cross_entropy(logits.to(type), targets, smoothing);
        optim::scaled_backward(loss, scaler ? &*scaler : nullptr);
        const auto bad = optimizer.update(schedule.at(step), scaler ? scaler->scale() : torch::Tensor());
        if (scaler)
        {
            scaler->update(bad);
        }
        else if (bad.item<std::int32_t>() != 0)
        {
            throw std::runtime_error(
                fmt::format("training on labels only: the gradient is NaN or infinite at step {}", step));
        }
    }

    const auto features = train::embed(*encoder, dataset.validation, dataset.validation.all_rows(), config,
                                       nn::Embedding::backbone, precision);
    checkpoint::TrainingProgress progress;
    progress.steps_done = settings.steps;
    checkpoint::save_checkpoint(checkpoint, *encoder, optimizer, progress, config);
    const torch::NoGradGuard no_gradient;
    return loss::accuracy(classifier->forward(features.to(device, type)).cpu(), dataset.validation.labels);
}
}  // namespace paws::commands

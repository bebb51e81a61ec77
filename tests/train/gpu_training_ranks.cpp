// Training on as many GPUs as there are ranks gives what it gives on the ranks' CPUs.

#include "src/train/trainer.hpp"
#include "tests/support/golden_tensors.hpp"
#include "tests/support/on_gpus.hpp"
#include "tests/support/run_epoch.hpp"

using namespace paws;

namespace
{
/// Six steps a rank and epoch.
const std::string settings = R"(task: paws_train
meta: {model_name: wide_resnet16w1, output_dim: 16, device: cpu, precision: fp64}
criterion: {unsupervised_batch_size: 3, classes_per_batch: 2, supervised_imgs_per_class: 2, supervised_views: 1}
data:
  dataset: synthetic
  synthetic_train: IMAGES
  num_classes: 2
  crop_size: 16
  multicrop: 2
  small_crop_size: 8
  label_smoothing: 0.1
optimization: {epochs: 2, warmup: 0, lr: 0.1}
logging: {folder: none, log_every: 2}
)";

/// Losses of the epochs, and the weights that they end in.
std::pair<torch::Tensor, torch::Tensor> train_on(const std::shared_ptr<comm::Communicator>& world, torch::Device device,
                                                 bool with_graph)
{
    const auto images = std::to_string(18 * world->world_size());
    auto yaml = settings;
    yaml.replace(yaml.find("IMAGES"), 8, images);
    auto config = config::parse(yaml, "gpu_training.yaml");
    config.meta.cuda_graph = with_graph;
    const auto dataset = data::load_dataset(config, data::Splits::train);
    train::Trainer trainer(config, dataset, device::Precision::fp64, world, device);
    trainer.synchronise();
    std::vector<double> losses;
    std::string notes;
    for (int epoch = 0; epoch < 2; ++epoch)
    {
        test::run_epoch(trainer, [&](const train::StepReport& report) { notes += report.note; });
        losses.push_back(trainer.progress().loss);
    }
    CHECK(notes == "");
    std::vector<torch::Tensor> weights;
    for (const auto& parameter : trainer.encoder().parameters())
    {
        weights.push_back(parameter.detach().cpu().contiguous().flatten());
    }
    return {torch::tensor(losses, torch::kFloat64), torch::cat(weights)};
}
}  // namespace

TEST_CASE("ranks train on GPUs as on CPUs, with graphs of the step too", "[gpu]")
{
    if (!test::has_gpu())
    {
        return;
    }
    test::OnGpus on;
    if (!on.connect())
    {
        return;
    }
    const auto expected = train_on(on.host, torch::kCPU, false);
    for (const bool with_graph : {false, true})
    {
        INFO("graph " << with_graph);
        const auto found = train_on(on.gpus, on.device, with_graph);
        // Twelve steps magnify rounding.
        CHECK(test::relative_error(found.first, expected.first) < 1e-6);
        CHECK(test::relative_error(found.second, expected.second) < 1e-6);
    }
}

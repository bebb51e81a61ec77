// Training with its data: images in memory become views, and steps, as in a run of the program; files and logs are
// left out.

#include <fmt/format.h>

#include "perf/on_device.hpp"
#include "perf/run_registered.hpp"
#include "src/config/config.hpp"
#include "src/data/dataset.hpp"
#include "src/train/trainer.hpp"

namespace
{
using namespace paws;

/// The published CIFAR-10 setting with synthetic images.
struct Setting
{
    std::int64_t images, per_class;  ///< of a step
    std::int64_t steps;              ///< of an epoch
    bool graph;
};

config::Config config_of(const Setting& setting)
{
    const auto yaml = fmt::format(R"(task: paws_train
meta: {{model_name: wide_resnet28w2, output_dim: 128, device: {}, cuda_graph: {}}}
criterion: {{unsupervised_batch_size: {}, classes_per_batch: 10, supervised_imgs_per_class: {}, supervised_views: 2}}
data: {{dataset: synthetic, synthetic_train: {}, multicrop: 6, label_smoothing: 0.1, color_jitter_strength: 0.5}}
optimization: {{epochs: 600, warmup: 10, start_lr: 0.8, lr: 3.2, final_lr: 0.032}}
logging: {{folder: none, log_every: {}}}
)",
                                  bench::on_gpu() ? "cuda" : "cpu", setting.graph, setting.images, setting.per_class,
                                  setting.steps * setting.images, setting.steps);
    return config::parse(yaml, "bench_training.yaml");
}

/// An epoch, from the first step after the network's libraries have chosen their algorithms.
void training(benchmark::State& state, const Setting& setting)
{
    const auto config = config_of(setting);
    const auto dataset = data::load_dataset(config, data::Splits::train);
    train::Trainer trainer(config, dataset, bench::best_precision(), comm::make_single_rank(), bench::device());
    const auto run_epoch = [&] { trainer.run(trainer.progress().epochs_done + 1); };
    run_epoch();
    for (auto _ : state)
    {
        // Ends with the values of the last step read, so a GPU has done it all.
        run_epoch();
    }
    state.SetItemsProcessed(state.iterations() * setting.steps * setting.images);
}
}  // namespace

int main(int argc, char** argv)
{
    const bench::Session session(argc, argv);
    const auto add = [](const char* name, const Setting& setting)
    { benchmark::RegisterBenchmark(name, training, setting)->Unit(benchmark::kMillisecond)->UseRealTime(); };
    add("training/cifar10_div8", {32, 8, 4, false});
    if (bench::on_gpu())
    {
        add("training/cifar10", {256, 64, 40, false});
        add("training/cifar10_graph", {256, 64, 40, true});
    }
    return bench::run_registered(argc, argv);
}

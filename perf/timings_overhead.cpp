// What logging.timings costs a training step. One process trains on synthetic images, epoch by epoch: in each round
// one with the times taken down and two without, in turns, so that whatever the machine does for seconds disturbs all
// three alike. The second epoch without is the control: what the machine makes of equal work. Other programs make steps
// slower and never faster, so that the fast ones say the most.
//
//     build/cpu/perf/timings_overhead [--model wide_resnet28w2] [--batch 8] [--steps 6] [--rounds 90]

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <ctime>
#include <optional>
#include <vector>

#include "src/config/config.hpp"
#include "src/data/dataset.hpp"
#include "src/optim/lars_sgd.hpp"
#include "src/profile/ready_times.hpp"
#include "src/profile/step_timings.hpp"
#include "src/session/runtime.hpp"
#include "src/train/trainer.hpp"

namespace
{
using namespace paws;

struct Options
{
    std::string model = "wide_resnet28w2";
    std::int64_t batch = 8, steps = 6, rounds = 90;
};

config::Config config_of(const Options& options)
{
    const auto yaml = fmt::format(R"(task: paws_train
meta: {{model_name: {}, output_dim: 32, device: cpu, precision: fp32, threads: 1}}
criterion: {{unsupervised_batch_size: {}, classes_per_batch: 5, supervised_imgs_per_class: 1}}
data: {{dataset: synthetic, synthetic_train: {}, crop_size: 16, multicrop: 0, label_smoothing: 0.1, reuse_views: true}}
optimization: {{epochs: 100000, lr: 0.1}}
logging: {{folder: none}}
)",
                                  options.model, options.batch, options.batch * options.steps);
    return config::parse(yaml, "timings_overhead.yaml");
}

/// Seconds of the training's thread, whatever other programs do meanwhile.
double now()
{
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

/// Takes the time of steps, of an epoch's but the first.
struct StepClock final : train::Observer
{
    StepClock(const data::Loader& of, profile::StepTimings* also) : loader(of), timings(also) {}

    void after_step(const train::StepReport& report) override
    {
        if (timings != nullptr)
        {
            timings->name_step(report.epoch + 1, report.step, loader.seconds_making());
        }
        if (report.step > 0)
        {
            steps.push_back(now() - begin);
        }
        begin = now();
    }

    const data::Loader& loader;
    profile::StepTimings* timings;
    std::vector<double> steps;
    double begin = 0;
};

/// The steps of an epoch but the first, which makes the views that the others use again.
std::vector<double> epoch(train::Trainer& trainer, bool takes_times,
                          const std::shared_ptr<comm::Communicator>& communicator)
{
    std::optional<profile::ReadyTimes> ready;
    std::optional<profile::StepTimings> timings;
    if (takes_times)
    {
        ready.emplace(optim::trainable_parameters(trainer.encoder()));
        timings.emplace(communicator);
        timings->note_ready_times(&*ready);
    }
    StepClock clock(trainer.loader(), timings ? &*timings : nullptr);
    trainer.run(trainer.progress().epochs_done + 1, {&clock});
    return clock.steps;
}

double quantile(std::vector<double> values, double share)
{
    std::sort(values.begin(), values.end());
    return values[static_cast<std::size_t>(share * static_cast<double>(values.size() - 1) + 0.5)];
}

/// Kinds of epochs: with the times taken, without, and the control.
constexpr std::size_t kinds = 3;
using StepsOfKinds = std::array<std::vector<double>, kinds>;

void print_ratios(const char* what, double share, const StepsOfKinds& steps)
{
    const auto without = quantile(steps[1], share);
    fmt::print("{}: {:.2f} ms without; with / without {:.4f}, control / without {:.4f}\n", what, 1e3 * without,
               quantile(steps[0], share) / without, quantile(steps[2], share) / without);
}

void measure(const Options& options)
{
    const auto config = config_of(options);
    const auto dataset = data::load_dataset(config, data::Splits::train);
    const auto communicator = comm::make_single_rank();
    train::Trainer trainer(config, dataset, device::Precision::fp32, communicator, torch::kCPU);
    for (const bool takes_times : {true, false, true, false})
    {
        epoch(trainer, takes_times, communicator);
    }
    StepsOfKinds steps;
    for (std::int64_t round = 0; round < options.rounds; ++round)
    {
        for (std::size_t turn = 0; turn < kinds; ++turn)
        {
            const auto kind = (turn + static_cast<std::size_t>(round)) % kinds;
            const auto more = epoch(trainer, kind == 0, communicator);
            steps[kind].insert(steps[kind].end(), more.begin(), more.end());
        }
    }
    fmt::print("processor time of {} steps of each kind\n", steps[0].size());
    print_ratios("fastest twentieth", 0.05, steps);
    print_ratios("fastest quarter", 0.25, steps);
    print_ratios("median", 0.5, steps);
}
}  // namespace

int main(int argc, char** argv)
{
    Options options;
    CLI::App app("What logging.timings costs a training step.");
    app.add_option("--model", options.model, "of the network (wide_resnet28w2)");
    app.add_option("--batch", options.batch, "images of a step (8)")->check(CLI::PositiveNumber);
    app.add_option("--steps", options.steps, "of an epoch, from 2 (6)")->check(CLI::Range(2, 100000));
    app.add_option("--rounds", options.rounds, "of three epochs (90)")->check(CLI::PositiveNumber);
    CLI11_PARSE(app, argc, argv);
    try
    {
        const session::ComputeSession session(1);
        measure(options);
    }
    catch (const std::exception& error)
    {
        fmt::print(stderr, "{}\n", error.what());
        return 2;
    }
    return 0;
}

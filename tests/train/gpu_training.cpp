// Training on a GPU gives what it gives on a CPU.

#include <cmath>
#include <functional>

#include "src/data/dataset.hpp"
#include "src/methods/paws.hpp"
#include "src/train/embedder.hpp"
#include "src/train/trainer.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/fill.hpp"
#include "tests/support/golden_tensors.hpp"
#include "tests/support/gpu.hpp"
#include "tests/support/run_epoch.hpp"
#include "tests/support/small_run.hpp"

namespace
{
using namespace paws;
using test::relative_error;

/// float32 is float32 in here, not TF32.
class FullPrecision
{
public:
    FullPrecision()
    {
        at::globalContext().setAllowTF32CuDNN(false);
        at::globalContext().setAllowTF32CuBLAS(false);
    }
    ~FullPrecision()
    {
        at::globalContext().setAllowTF32CuDNN(cudnn_);
        at::globalContext().setAllowTF32CuBLAS(cublas_);
    }
    FullPrecision(const FullPrecision&) = delete;
    FullPrecision& operator=(const FullPrecision&) = delete;

private:
    bool cudnn_ = at::globalContext().allowTF32CuDNN();
    bool cublas_ = at::globalContext().allowTF32CuBLAS();
};

struct StepResult
{
    torch::Tensor loss;
    torch::Tensor gradients;
    torch::Tensor weights;  ///< after the update
};

/// One PAWS step of a network with the deterministic fill.
StepResult paws_step_on(torch::Device device, device::Precision precision, const optim::LossScaler* scaler = nullptr)
{
    const auto encoder = nn::make_encoder({"wide_resnet16w1", 16, true});
    test::deterministic_fill(*encoder, 3);
    encoder->to(device::storage_type(precision));
    nn::to_channels_last(*encoder);
    encoder->to(device);
    encoder->train();
    const auto images = [&](std::int64_t count, std::int64_t size)
    {
        const auto values = torch::sin(torch::arange(count * size * size * 3, torch::kFloat64).mul_(0.7)) * 1.5;
        return values.reshape({count, size, size, 3}).permute({0, 3, 1, 2}).to(torch::kFloat32).to(device);
    };
    const data::Batch batch{images(12, 16), images(16, 16), images(16, 8)};
    const auto labels =
        std::make_shared<const loss::SupportLabels>(loss::SupportLabels::stratified(3, 2, 2, 0.1).to(device));
    const auto values =
        methods::Paws(labels, {2, 0.1, 0.25, true}).forward_backward(*encoder, batch, precision, scaler);
    StepResult result{torch::stack(values).detach().cpu(), {}, {}};
    std::vector<torch::Tensor> gradients, weights;
    for (const auto& parameter : encoder->parameters())
    {
        gradients.push_back(parameter.grad().flatten().to(torch::kFloat64));
    }
    result.gradients = torch::cat(gradients).cpu();
    optim::LarsSgd optimizer(*encoder, {});
    optimizer.update(0.3, scaler ? scaler->scale() : torch::Tensor());
    for (const auto& parameter : encoder->parameters())
    {
        weights.push_back(parameter.detach().flatten().to(torch::kFloat64));
    }
    result.weights = torch::cat(weights).cpu();
    return result;
}

/// A network that trains on stripes.
struct GpuRun
{
    test::SmallRun small;
    config::Config config;
    data::Dataset dataset;

    explicit GpuRun(const std::vector<std::string>& overrides)
        : config(small.config("run", overrides)), dataset(data::load_dataset(config, data::Splits::train))
    {
    }

    std::unique_ptr<train::Trainer> trainer(device::Precision precision, torch::Device device) const
    {
        return std::make_unique<train::Trainer>(config, dataset, precision, comm::make_single_rank(), device);
    }
};

/// The mean loss of each epoch.
std::vector<double> losses_of(train::Trainer& trainer, int epochs,
                              const std::function<void(const train::StepReport&)>& on_step)
{
    std::vector<double> losses;
    for (int epoch = 0; epoch < epochs; ++epoch)
    {
        test::run_epoch(trainer, on_step);
        losses.push_back(trainer.progress().loss);
    }
    return losses;
}

torch::Tensor weights_on_host(train::Trainer& trainer)
{
    std::vector<torch::Tensor> all;
    for (const auto& parameter : trainer.encoder().parameters())
    {
        all.push_back(parameter.detach().flatten().cpu());
    }
    return torch::cat(all);
}
}  // namespace

TEST_CASE("a PAWS step on a GPU is that on a CPU", "[gpu]")
{
    if (!test::has_gpu())
    {
        return;
    }
    const FullPrecision full_precision;
    const auto exact = paws_step_on(torch::kCPU, device::Precision::fp64);
    const auto check = [&](const StepResult& ours, const StepResult& host, double tolerance)
    {
        // The network itself magnifies rounding, on the host as on the device.
        const auto close = [&](const torch::Tensor StepResult::*what)
        { CHECK(relative_error(ours.*what, exact.*what) < tolerance + 10 * relative_error(host.*what, exact.*what)); };
        close(&StepResult::loss);
        close(&StepResult::gradients);
        close(&StepResult::weights);
    };
    check(paws_step_on(torch::kCUDA, device::Precision::fp64), exact, test::double_tolerance);
    const auto single = paws_step_on(torch::kCPU, device::Precision::fp32);
    check(paws_step_on(torch::kCUDA, device::Precision::fp32), single, test::float_tolerance);
}

TEST_CASE("the optimiser on a GPU is that on a CPU", "[gpu]")
{
    if (!test::has_gpu())
    {
        return;
    }
    const auto run = [](torch::Device device)
    {
        torch::manual_seed(4);
        optim::NamedTensors parameters;
        for (const auto& [name, sizes] : std::vector<std::pair<std::string, std::vector<std::int64_t>>>{
                 {"conv.weight", {64, 33, 3, 3}}, {"conv.bias", {64}}, {"fc.weight", {300, 200}}, {"bn1.weight", {17}}})
        {
            auto value = torch::randn(sizes);
            value = sizes.size() == 4 ? value.contiguous(torch::MemoryFormat::ChannelsLast) : value;
            parameters.emplace_back(name, value.to(device));
        }
        optim::LarsSgdOptions options;
        options.nesterov = true;
        options.weight_decay = 1e-3;
        optim::LarsSgd optimizer(parameters, options);
        optim::LossScaler scaler(device, {1024});
        for (int step = 0; step < 4; ++step)
        {
            for (auto& [name, parameter] : parameters)
            {
                parameter.mutable_grad() = (torch::randn(parameter.sizes().vec()) * 1024).to(device);
            }
            if (step == 2)
            {
                // Whole warps of good values beside one that is none.
                parameters[2].second.mutable_grad().view({-1})[4711] = std::nan("");
            }
            scaler.update(optimizer.update(0.3 / (step + 1), scaler.scale()));
        }
        CHECK(scaler.state() == optim::LossScalerState{512, 1});
        std::vector<torch::Tensor> all;
        for (const auto& named : {parameters, optimizer.momentum()})
        {
            for (const auto& [name, tensor] : named)
            {
                all.push_back(tensor.cpu().contiguous().flatten());
            }
        }
        CHECK(torch::cat(all).isfinite().all().item<bool>());
        return torch::cat(all);
    };
    CHECK(relative_error(run(torch::kCUDA), run(torch::kCPU)) < 1e-6);
}

TEST_CASE("training on a GPU in fp64 is training on a CPU, with a graph of the step too", "[gpu]")
{
    if (!test::has_gpu())
    {
        return;
    }
    GpuRun run({"meta.precision=fp64", "logging.log_every=2"});
    const auto train = [&](torch::Device device, bool with_graph)
    {
        run.config.meta.cuda_graph = with_graph;
        const auto trainer = run.trainer(device::Precision::fp64, device);
        std::string notes;
        auto losses = losses_of(*trainer, 4, [&](const train::StepReport& report) { notes += report.note; });
        CHECK(notes == "");
        const auto embedded = train::embed(trainer->encoder(), run.dataset.train, run.dataset.labelled, run.config,
                                           nn::Embedding::projection, device::Precision::fp64);
        CHECK(embedded.device().is_cpu());
        return std::pair(torch::tensor(losses, torch::kFloat64), weights_on_host(*trainer));
    };
    const auto host = train(torch::kCPU, false);
    for (const bool with_graph : {false, true})
    {
        INFO("graph " << with_graph);
        const auto device = train(torch::kCUDA, with_graph);
        // Twelve steps magnify rounding.
        CHECK(relative_error(device.first, host.first) < 1e-6);
        CHECK(relative_error(device.second, host.second) < 1e-6);
    }
}

TEST_CASE("fp16 on a GPU learns, with a graph of the step too", "[gpu]")
{
    if (!test::has_gpu())
    {
        return;
    }
    for (const std::string graph : {"false", "true"})
    {
        INFO("graph " << graph);
        const GpuRun run({"optimization.epochs=30", "meta.cuda_graph=" + graph, "data.flip_probability=0",
                          "data.jitter_probability=0", "data.solarise_probability=0", "data.equalise_probability=0"});
        const auto trainer = run.trainer(device::Precision::fp16, torch::kCUDA);
        double scale = 0;
        const auto losses = losses_of(*trainer, 30,
                                      [&](const train::StepReport& report)
                                      {
                                          CHECK(report.note.empty());
                                          scale = report.loss_scale;
                                      });
        for (const double loss : losses)
        {
            CHECK(std::isfinite(loss));
        }
        CHECK(losses.back() < losses.front() - 0.1);
        CHECK(scale >= 1);
        CHECK(weights_on_host(*trainer).isfinite().all().item<bool>());

        // What is written goes on where it was.
        const auto checkpoint = trainer->snapshot();
        const auto path = run.small.folder / "fp16.h5";
        io::write_checkpoint(path, checkpoint);
        const auto resumed = run.trainer(device::Precision::fp16, torch::kCUDA);
        resumed->resume(path);
        CHECK((resumed->snapshot() == checkpoint));
    }
}

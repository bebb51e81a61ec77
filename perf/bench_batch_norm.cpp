// Batch norm with ReLU, forward and backward through autograd, beside memory passes over the same bytes.

#include <benchmark/benchmark.h>
#include <torch/types.h>

#include "perf/memory_passes.hpp"
#include "perf/run_registered.hpp"
#include "perf/warm.hpp"
#include "src/nn/batch_norm_relu.hpp"

namespace
{
using namespace paws;

/// The widest layers of wide_resnet28w2 on an eighth of the published CIFAR-10 batch; on a GPU on all of it, which its
/// cache does not hold.
std::vector<std::int64_t> shape()
{
    return {bench::on_gpu() ? 1792 : 224, 32, 32, 32};
}

torch::Tensor images(torch::ScalarType type)
{
    return torch::randn(shape(), bench::device()).to(type).contiguous(torch::MemoryFormat::ChannelsLast);
}

nn::BatchNorm2d layer()
{
    nn::BatchNorm2d bn(shape()[1]);
    bn->to(bench::device());
    return bn;
}

/// The 32-bit words of an array.
std::int64_t words_of(torch::ScalarType type)
{
    return c10::multiply_integers(shape()) * static_cast<std::int64_t>(torch::elementSize(type)) / 4;
}

/// The arrays of a floor, as 32-bit words.
class Arrays
{
public:
    explicit Arrays(torch::ScalarType type) : type_(type) {}

    std::uint32_t* next() { return static_cast<std::uint32_t*>(tensors_.emplace_back(images(type_)).data_ptr()); }
    std::int64_t words() const { return static_cast<std::int64_t>(tensors_.front().nbytes() / sizeof(std::uint32_t)); }

private:
    torch::ScalarType type_;
    std::vector<torch::Tensor> tensors_;
};

void batch_norm_relu(benchmark::State& state, torch::ScalarType type)
{
    torch::manual_seed(0);
    auto bn = layer();
    auto x = images(type).requires_grad_();
    const auto grad = images(type);
    bench::measure_warm(state,
                        [&]
                        {
                            x.mutable_grad() = torch::Tensor();
                            nn::batch_norm_relu(*bn, x).backward(grad);
                            benchmark::DoNotOptimize(x.grad().data_ptr());
                        });
}

/// What no implementation can leave out: the statistics and the output need a pass each, and so do the two sums of the
/// gradient and the gradient itself.
void batch_norm_relu_floor(benchmark::State& state, torch::ScalarType type)
{
    if (bench::on_gpu())
    {
        bench::measure_gpu_copy(state, 8 * words_of(type));
        return;
    }
    Arrays arrays(type);
    auto *const x = arrays.next(), *const grad = arrays.next();
    auto *const y = arrays.next(), *const grad_x = arrays.next();
    for (auto _ : state)
    {
        bench::read_pass(arrays.words(), x);
        bench::write_pass(arrays.words(), y, x);
        bench::read_pass(arrays.words(), x, grad);
        bench::write_pass(arrays.words(), grad_x, x, grad);
    }
}

void batch_norm_add_relu(benchmark::State& state, torch::ScalarType type)
{
    torch::manual_seed(0);
    auto bn = layer();
    auto x = images(type).requires_grad_();
    auto shortcut = images(type).requires_grad_();
    const auto grad = images(type);
    bench::measure_warm(state,
                        [&]
                        {
                            x.mutable_grad() = torch::Tensor();
                            shortcut.mutable_grad() = torch::Tensor();
                            nn::batch_norm_add_relu(*bn, x, shortcut).backward(grad);
                            benchmark::DoNotOptimize(x.grad().data_ptr());
                        });
}

/// The same with the shortcut read once and its gradient written once; the mask comes from y.
void batch_norm_add_relu_floor(benchmark::State& state, torch::ScalarType type)
{
    if (bench::on_gpu())
    {
        bench::measure_gpu_copy(state, 11 * words_of(type));
        return;
    }
    Arrays arrays(type);
    auto *const x = arrays.next(), *const shortcut = arrays.next(), *const grad = arrays.next();
    auto *const y = arrays.next(), *const grad_x = arrays.next(), *const grad_shortcut = arrays.next();
    for (auto _ : state)
    {
        bench::read_pass(arrays.words(), x);
        bench::write_pass(arrays.words(), y, x, shortcut);
        bench::write_pass(arrays.words(), grad_shortcut, x, grad, y);
        bench::write_pass(arrays.words(), grad_x, x, grad_shortcut);
    }
}
}  // namespace

int main(int argc, char** argv)
{
    const bench::Session session(argc, argv);
    const auto add = [](const std::string& name, auto* run, torch::ScalarType type)
    { benchmark::RegisterBenchmark(name.c_str(), run, type)->Unit(benchmark::kMillisecond)->UseRealTime(); };
    for (const auto& [name, type] :
         {std::pair{"bf16", torch::kBFloat16}, std::pair{"fp16", torch::kFloat16}, std::pair{"fp32", torch::kFloat32}})
    {
        add(std::string("batch_norm_relu/") + name, batch_norm_relu, type);
        add(std::string("batch_norm_relu_floor/") + name, batch_norm_relu_floor, type);
        add(std::string("add_relu/") + name, batch_norm_add_relu, type);
        add(std::string("add_relu_floor/") + name, batch_norm_add_relu_floor, type);
    }
    return bench::run_registered(argc, argv);
}

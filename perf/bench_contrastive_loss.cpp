// The SimCLR and the SuNCEt loss, forward and backward, beside the bare matrix products that bound them.

#include <benchmark/benchmark.h>
#include <torch/types.h>

#include <Kokkos_Core.hpp>
#include <functional>

#include "perf/run_registered.hpp"
#include "perf/warm.hpp"
#include "src/device/matrix_product.hpp"
#include "src/loss/simclr_loss.hpp"
#include "src/loss/suncet_loss.hpp"
#include "src/session/runtime.hpp"

namespace
{
using namespace paws;

struct Shape
{
    std::int64_t rows, dims;
};
/// The views of 512 CIFAR-10 images, and as many as 8 ranks of the published ImageNet run would have together.
constexpr Shape cifar10{1024, 128};
constexpr Shape imgnt_8_ranks{704, 2048};
constexpr Shape large{4096, 128};

using Loss = std::function<torch::Tensor(const torch::Tensor&)>;

void loss_forward_backward(benchmark::State& state, const Shape& shape, const Loss& loss)
{
    torch::manual_seed(0);
    auto z = torch::randn({shape.rows, shape.dims}).requires_grad_();
    bench::measure_warm(state,
                        [&]
                        {
                            z.mutable_grad() = torch::Tensor();
                            loss(z).backward();
                            benchmark::DoNotOptimize(z.grad().data_ptr());
                        });
}

/// The products that no implementation can leave out, on the same threads: similarities, and their gradient times the
/// rows, for SuNCEt both ways.
void matrix_products(benchmark::State& state, const Shape& shape, bool both_ways)
{
    torch::manual_seed(0);
    const auto z = torch::randn({shape.rows, shape.dims});
    const auto similarities = torch::empty({shape.rows, shape.rows});
    const auto grad = torch::empty_like(z);
    bench::measure_warm(state,
                        [&]
                        {
                            device::multiply(z, z.t(), similarities);
                            device::multiply(similarities, z, grad);
                            if (both_ways)
                            {
                                device::multiply(similarities.t(), z, grad);
                            }
                            benchmark::ClobberMemory();
                        });
}

void add(const std::string& name, const Shape& shape)
{
    const auto in_milliseconds = [](const std::string& full_name, const auto& run)
    { benchmark::RegisterBenchmark(full_name.c_str(), run)->Unit(benchmark::kMillisecond)->UseRealTime(); };
    constexpr std::int64_t classes = 16;
    const auto labels = std::make_shared<const loss::SupportLabels>(
        loss::SupportLabels::stratified(classes, shape.rows / classes, 1, 0.1));
    const Loss simclr = [](const torch::Tensor& z) { return loss::simclr_loss(z, {0.1}); };
    const Loss suncet = [labels](const torch::Tensor& z) { return loss::suncet_loss(z, labels, {0.1}); };
    in_milliseconds("simclr_loss/" + name,
                    [=](benchmark::State& state) { loss_forward_backward(state, shape, simclr); });
    in_milliseconds("simclr_loss_floor/" + name,
                    [=](benchmark::State& state) { matrix_products(state, shape, false); });
    in_milliseconds("suncet_loss/" + name,
                    [=](benchmark::State& state) { loss_forward_backward(state, shape, suncet); });
    in_milliseconds("suncet_loss_floor/" + name, [=](benchmark::State& state) { matrix_products(state, shape, true); });
}
}  // namespace

int main(int argc, char** argv)
{
    const session::ComputeSession session(0);
    add("cifar10", cifar10);
    add("imgnt_8_ranks", imgnt_8_ranks);
    add("4096x128", large);
    return bench::run_registered(argc, argv);
}

// The PAWS loss, forward and backward, beside the bare matrix products that bound it.

#include <benchmark/benchmark.h>
#include <torch/types.h>

#include <Kokkos_Core.hpp>

#include "perf/run_registered.hpp"
#include "perf/warm.hpp"
#include "src/device/matrix_product.hpp"
#include "src/loss/paws_loss.hpp"

namespace
{
using namespace paws;

struct Shape
{
    std::int64_t views, supports, classes, dims, multicrop;
};
constexpr Shape cifar10{2048, 1280, 10, 128, 6};
constexpr Shape imgnt_rank_of_64{512, 6720, 960, 2048, 6};
/// Similarities of 1.8 GiB, more than the default lets them have: computed by blocks, and again in the backward pass.
constexpr Shape by_blocks{4096, 120000, 1000, 128, 6};

torch::Tensor random(std::int64_t rows, std::int64_t columns)
{
    return torch::randn({rows, columns}, bench::device());
}

void loss_forward_backward(benchmark::State& state, const Shape& shape)
{
    torch::manual_seed(0);
    const auto images = shape.views / (2 + shape.multicrop);
    auto views = random(shape.views, shape.dims).requires_grad_();
    auto supports = random(shape.supports, shape.dims).requires_grad_();
    const auto targets = random(2 * images, shape.dims);
    const auto target_supports = random(shape.supports, shape.dims);
    const auto labels = std::make_shared<const loss::SupportLabels>(
        loss::SupportLabels::stratified(shape.classes, shape.supports / shape.classes, 1, 0.1).to(bench::device()));
    bench::measure_warm(state,
                        [&]
                        {
                            views.mutable_grad() = torch::Tensor();
                            supports.mutable_grad() = torch::Tensor();
                            const auto value = loss::paws_loss(views, supports, targets, target_supports, labels,
                                                               {shape.multicrop, 0.1, 0.25, true});
                            (value.cross_entropy + value.me_max).backward();
                            benchmark::DoNotOptimize(views.grad().data_ptr());
                        });
}

/// The four products that no implementation can leave out, where the loss is computed.
void matrix_products(benchmark::State& state, const Shape& shape)
{
    torch::manual_seed(0);
    const auto views = random(shape.views, shape.dims);
    const auto targets = random(shape.views / (2 + shape.multicrop) * 2, shape.dims);
    const auto supports = random(shape.supports, shape.dims);
    const auto similarities = random(shape.views, shape.supports);
    const auto target_similarities = random(targets.size(0), shape.supports);
    const auto grad_views = torch::empty_like(views);
    const auto grad_supports = torch::empty_like(supports);
    bench::measure_warm(state,
                        [&]
                        {
                            device::multiply(views, supports.t(), similarities);
                            device::multiply(targets, supports.t(), target_similarities);
                            device::multiply(similarities, supports, grad_views);
                            device::multiply(similarities.t(), views, grad_supports);
                            benchmark::ClobberMemory();
                        });
}
}  // namespace

int main(int argc, char** argv)
{
    const bench::Session session(argc, argv);
    const auto add = [](const std::string& name, const Shape& shape)
    {
        benchmark::RegisterBenchmark(("paws_loss/" + name).c_str(), loss_forward_backward, shape)
            ->Unit(benchmark::kMillisecond)
            ->UseRealTime();
        benchmark::RegisterBenchmark(("paws_loss_floor/" + name).c_str(), matrix_products, shape)
            ->Unit(benchmark::kMillisecond)
            ->UseRealTime();
    };
    add("cifar10", cifar10);
    add("imgnt_rank_of_64", imgnt_rank_of_64);
    add("by_blocks_4096x120000", by_blocks);
    return bench::run_registered(argc, argv);
}

// The PAWS loss, forward and backward, beside the bare matrix products that bound it.

#include <benchmark/benchmark.h>
#include <torch/torch.h>

#include <Kokkos_Core.hpp>

#include "src/loss/paws_loss.hpp"
#include "src/tasks/runtime.hpp"

namespace
{
using namespace paws;

struct Shape
{
    std::int64_t views, supports, classes, dims, multicrop;
};
constexpr Shape cifar10{2048, 1280, 10, 128, 6};
constexpr Shape imgnt_rank_of_64{512, 6720, 960, 2048, 6};

void loss_forward_backward(benchmark::State& state, const Shape& shape)
{
    torch::manual_seed(0);
    const auto pictures = shape.views / (2 + shape.multicrop);
    auto views = torch::randn({shape.views, shape.dims}).requires_grad_();
    auto supports = torch::randn({shape.supports, shape.dims}).requires_grad_();
    const auto targets = torch::randn({2 * pictures, shape.dims});
    const auto target_supports = torch::randn({shape.supports, shape.dims});
    const auto labels = std::make_shared<const loss::SupportLabels>(
        loss::SupportLabels::stratified(shape.classes, shape.supports / shape.classes, 1, 0.1));
    for (auto _ : state)
    {
        views.mutable_grad() = torch::Tensor();
        supports.mutable_grad() = torch::Tensor();
        const auto value =
            loss::paws_loss(views, supports, targets, target_supports, labels, {shape.multicrop, 0.1, 0.25, true});
        (value.cross_entropy + value.me_max).backward();
        benchmark::DoNotOptimize(views.grad().data_ptr());
    }
}

/// The four products that no implementation can leave out.
void matrix_products(benchmark::State& state, const Shape& shape)
{
    torch::manual_seed(0);
    const auto views = torch::randn({shape.views, shape.dims});
    const auto targets = torch::randn({shape.views / (2 + shape.multicrop) * 2, shape.dims});
    const auto supports = torch::randn({shape.supports, shape.dims});
    const auto gradient = torch::randn({shape.views, shape.supports});
    for (auto _ : state)
    {
        benchmark::DoNotOptimize(torch::mm(views, supports.t()).data_ptr());
        benchmark::DoNotOptimize(torch::mm(targets, supports.t()).data_ptr());
        benchmark::DoNotOptimize(torch::mm(gradient, supports).data_ptr());
        benchmark::DoNotOptimize(torch::mm(gradient.t(), views).data_ptr());
    }
}
}  // namespace

int main(int argc, char** argv)
{
    const tasks::ComputeSession session(0);
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
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv))
    {
        return 2;
    }
    benchmark::RunSpecifiedBenchmarks();
    return 0;
}

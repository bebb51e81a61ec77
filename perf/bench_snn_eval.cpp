// Soft nearest-neighbour evaluation in blocks of queries, beside the matrix product that bounds it.

#include <benchmark/benchmark.h>
#include <sys/resource.h>
#include <torch/types.h>

#include <string>
#include <vector>

#include "perf/run_registered.hpp"
#include "perf/warm.hpp"
#include "src/device/matrix_product.hpp"
#include "src/loss/snn_classifier.hpp"
#include "src/session/runtime.hpp"

namespace
{
using namespace paws;

struct Shape
{
    std::int64_t queries, supports, classes, dims;
};

std::vector<std::int64_t> labels_of(std::int64_t count, std::int64_t classes)
{
    std::vector<std::int64_t> labels;
    for (std::int64_t j = 0; j < count; ++j)
    {
        labels.push_back(j % classes);
    }
    return labels;
}

void evaluate(benchmark::State& state, const Shape& shape)
{
    torch::manual_seed(0);
    const auto queries = torch::randn({shape.queries, shape.dims});
    const auto supports = torch::randn({shape.supports, shape.dims});
    const auto query_labels = labels_of(shape.queries, shape.classes);
    const auto support_labels = labels_of(shape.supports, shape.classes);
    bench::measure_warm(state,
                        [&]
                        {
                            const auto probabilities =
                                loss::snn_probabilities(queries, supports, support_labels, shape.classes, 0.1);
                            benchmark::DoNotOptimize(loss::accuracy(probabilities, query_labels).top5);
                        });
    state.SetItemsProcessed(state.iterations() * shape.queries);
    rusage used{};
    getrusage(RUSAGE_SELF, &used);
    // Of the process so far: this benchmark's own where it is the first one that runs.
    state.counters["peak_mib"] = static_cast<double>(used.ru_maxrss) / 1024;
}

void matrix_product(benchmark::State& state, const Shape& shape)
{
    torch::manual_seed(0);
    const auto queries = torch::randn({shape.queries, shape.dims});
    const auto supports = torch::randn({shape.supports, shape.dims});
    const auto similarities = torch::empty({shape.queries, shape.supports});
    bench::measure_warm(state,
                        [&]
                        {
                            device::multiply(queries, supports.t(), similarities);
                            benchmark::ClobberMemory();
                        });
    state.SetItemsProcessed(state.iterations() * shape.queries);
}
}  // namespace

int main(int argc, char** argv)
{
    const session::ComputeSession session(0);
    const auto add = [](const std::string& size, const Shape& shape)
    {
        benchmark::RegisterBenchmark(("snn_eval/" + size).c_str(), evaluate, shape)
            ->Unit(benchmark::kMillisecond)
            ->UseRealTime();
        benchmark::RegisterBenchmark(("snn_eval_floor/" + size).c_str(), matrix_product, shape)
            ->Unit(benchmark::kMillisecond)
            ->UseRealTime();
    };
    add("4096x12000", {4096, 12000, 1000, 2048});
    // As many supports as a tenth of ImageNet has, 1 GB. The product alone fills 1 GB more.
    add("2000x120000", {2000, 120000, 1000, 2048});
    return bench::run_registered(argc, argv);
}

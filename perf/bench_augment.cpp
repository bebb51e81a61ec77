// How fast images become training views, on one core, on all, and on a GPU.

#include <benchmark/benchmark.h>

#include <Kokkos_Core.hpp>
#include <algorithm>
#include <string>

#include "kernels/augment/chain.hpp"

namespace
{
using paws::kernels::AugmentKey;
using paws::kernels::AugmentSpec;

template <class Value, class Exec>
using View = Kokkos::View<Value, Kokkos::LayoutRight, typename Exec::memory_space>;

/// A View for `Exec` that is filled on the host: fill(i, value) for each of its elements.
template <class Exec, class Value, class Fill>
void fill_view(const View<Value, Exec>& view, const Fill& fill)
{
    const auto mirror = Kokkos::create_mirror_view(view);
    for (std::size_t i = 0; i < mirror.size(); ++i)
    {
        mirror.data()[i] = fill(static_cast<std::uint32_t>(i));
    }
    Kokkos::deep_copy(view, mirror);
}

/// The published transform for CIFAR-10 with a jitter of strength 0.5.
AugmentSpec cifar10_spec(int size, double scale_min, double scale_max)
{
    AugmentSpec spec;
    spec.size = size;
    spec.scale_min = scale_min;
    spec.scale_max = scale_max;
    spec.flip_p = 0.5;
    spec.jitter_p = 0.8;
    spec.brightness = spec.contrast = spec.saturation = 0.8 * 0.5;
    spec.hue = 0.2 * 0.5;
    spec.solarise_p = 0.2;
    spec.equalise_p = 0.2;
    const float mean[] = {0.4914F, 0.4822F, 0.4465F};
    const float std[] = {0.2023F, 0.1994F, 0.2010F};
    for (int c = 0; c < 3; ++c)
    {
        spec.mean[c] = mean[c];
        spec.std[c] = std[c];
    }
    return spec;
}

/// `count` views of each image, and what the kernel reads and writes for them.
template <class Exec>
struct Crops
{
    AugmentSpec spec;
    View<std::int64_t*, Exec> index;
    View<std::uint32_t*, Exec> view;
    View<float****, Exec> out;

    Crops(const AugmentSpec& its_spec, int images, int count, int first_view)
        : spec(its_spec),
          index("index", static_cast<std::size_t>(images * count)),
          view("view", index.extent(0)),
          out("out", index.extent(0), static_cast<std::size_t>(spec.size), static_cast<std::size_t>(spec.size), 3)
    {
        const auto views = static_cast<std::uint32_t>(count);
        fill_view<Exec>(index, [&](std::uint32_t i) { return std::int64_t{i / views}; });
        fill_view<Exec>(view, [&](std::uint32_t i) { return static_cast<std::uint32_t>(first_view) + i % views; });
    }

    void make(const Exec& exec, const AugmentKey& key, const View<std::uint8_t****, Exec>& images) const
    {
        paws::kernels::augment_views(exec, spec, key, images, index, view, out);
    }
};

constexpr int batch_images = 64;

template <class Exec>
View<std::uint8_t****, Exec> random_images()
{
    const View<std::uint8_t****, Exec> batch("pictures", batch_images, 32, 32, 3);
    fill_view<Exec>(batch,
                    [](std::uint32_t i) {
                        return static_cast<std::uint8_t>(paws::kernels::philox4x32({{i, 0, 0, 0}}, 0, 0).word[0] & 255);
                    });
    return batch;
}

/// A 32 × 32 image becomes 2 views of 32 × 32 and 6 of 18 × 18.
template <class Exec>
void cifar10(benchmark::State& state)
{
    const auto batch = random_images<Exec>();
    const Crops<Exec> large(cifar10_spec(32, 0.75, 1), batch_images, 2, 0);
    const Crops<Exec> small(cifar10_spec(18, 0.3, 0.75), batch_images, 6, 2);
    const Exec exec;
    AugmentKey key{17, 0};
    for (auto _ : state)
    {
        ++key.epoch;
        large.make(exec, key, batch);
        small.make(exec, key, batch);
        exec.fence();
        benchmark::DoNotOptimize(large.out.data());
        benchmark::DoNotOptimize(small.out.data());
    }
    state.SetItemsProcessed(state.iterations() * batch_images * 8);
}

/// The bytes alone, on one core: every view reads as many bytes of an image as it has values, and writes them as
/// normalised floats.
void cifar10_bytes(benchmark::State& state)
{
    const auto batch = random_images<Kokkos::DefaultHostExecutionSpace>();
    constexpr std::size_t values = batch_images * (2 * 32 * 32 + 6 * 18 * 18) * 3;
    const View<float*, Kokkos::DefaultHostExecutionSpace> out("out", values);
    for (auto _ : state)
    {
        const auto* const in = batch.data();
        auto* const view = out.data();
        for (std::size_t done = 0; done < values;)
        {
            const auto count = std::min(batch.size(), values - done);
            for (std::size_t i = 0; i < count; ++i)
            {
                view[done + i] = (static_cast<float>(in[i]) - 125.0F) * 0.02F;
            }
            done += count;
        }
        benchmark::ClobberMemory();
    }
    state.SetItemsProcessed(state.iterations() * batch_images * 8);
}
}  // namespace

int main(int argc, char** argv)
{
    const Kokkos::ScopeGuard kokkos(argc, argv);
    benchmark::RegisterBenchmark("augment/cifar10", cifar10<Kokkos::Serial>)->Unit(benchmark::kMicrosecond);
    benchmark::RegisterBenchmark("augment_floor/cifar10", cifar10_bytes)->Unit(benchmark::kMicrosecond);
    const std::string host = Kokkos::DefaultHostExecutionSpace::name();
    benchmark::RegisterBenchmark(("augment/cifar10/" + host).c_str(), cifar10<Kokkos::DefaultHostExecutionSpace>)
        ->Unit(benchmark::kMicrosecond)
        ->UseRealTime();
#ifdef KOKKOS_ENABLE_CUDA
    benchmark::RegisterBenchmark("augment/cifar10/Cuda", cifar10<Kokkos::Cuda>)
        ->Unit(benchmark::kMicrosecond)
        ->UseRealTime();
#endif
    benchmark::Initialize(&argc, argv);
    benchmark::RunSpecifiedBenchmarks();
    return 0;
}

// Runs one kernel on small arrays and one thread, so that valgrind can count its instructions, which no other program
// disturbs: see perf/regressions.py. Built for any processor of the architecture: valgrind knows no AVX-512 and no AMX.
//
//     count_kernels --list | --about | CASE

#include <gnu/libc-version.h>

#include <Kokkos_Core.hpp>
#include <array>
#include <cmath>
#include <cstdio>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "kernels/augment/host_views.hpp"
#include "kernels/batch_norm.hpp"
#include "kernels/class_cross_entropy.hpp"
#include "kernels/l2_normalize.hpp"
#include "kernels/lars_sgd.hpp"
#include "kernels/multicrop_targets.hpp"
#include "kernels/nt_xent.hpp"
#include "kernels/paws_loss.hpp"
#include "kernels/soft_nearest_neighbours.hpp"
#include "kernels/storage_types.hpp"

/// What callgrind counts: from its begin to its end (--toggle-collect).
extern "C" __attribute__((noinline)) void paws_counted(const std::function<void()>& kernel)
{
    kernel();
    // A call in the last place would be a jump, after which callgrind sees no return.
    __asm__ volatile("" ::: "memory");
}

namespace
{
using namespace paws::kernels;

#if defined(KOKKOS_ENABLE_SERIAL)
using Exec = Kokkos::Serial;
#else
using Exec = Kokkos::DefaultHostExecutionSpace;
#endif
template <class Value>
using View = Kokkos::View<Value, Kokkos::LayoutRight, Kokkos::HostSpace>;
using Kernel = std::function<void()>;

/// Values between `low` and `high` that look like any.
template <class ViewType, class... Extents>
ViewType filled(double low, double high, Extents... extents)
{
    ViewType view("filled", static_cast<std::size_t>(extents)...);
    using Value = typename ViewType::non_const_value_type;
    auto* const values = view.data();
    for (std::size_t i = 0; i < view.size(); ++i)
    {
        const double place = 0.5 + 0.5 * std::sin(1.7 * static_cast<double>(i) + 0.3);
        using Real = typename Compute<Value>::type;
        store(values[i], static_cast<Real>(low + (high - low) * place));
    }
    return view;
}

/// Rows that sum to one.
View<float**> probabilities(int rows, int classes)
{
    auto p = filled<View<float**>>(0.01, 1, rows, classes);
    for (int n = 0; n < rows; ++n)
    {
        float sum = 0;
        for (int k = 0; k < classes; ++k)
        {
            sum += p(n, k);
        }
        for (int k = 0; k < classes; ++k)
        {
            p(n, k) /= sum;
        }
    }
    return p;
}

constexpr int classes = 10;

/// Supports that are sorted by class, equally many of each.
ClassSegments<View<std::int32_t*>> segments(int supports)
{
    View<std::int32_t*> offsets("offsets", classes + 1);
    for (int k = 0; k <= classes; ++k)
    {
        offsets(k) = k * supports / classes;
    }
    return {offsets, 0.91, 0.01};
}

Kernel l2_normalize_forward()
{
    const auto x = filled<View<float**>>(-1, 1, 256, 128), y = filled<View<float**>>(0, 0, 256, 128);
    const auto norms = filled<View<float*>>(0, 0, 256);
    return [=] { l2_normalize(Exec(), x, y, norms); };
}

Kernel l2_normalize_gradient()
{
    const auto grad = filled<View<float**>>(-1, 1, 256, 128), y = filled<View<float**>>(-0.1, 0.1, 256, 128);
    const auto norms = filled<View<float*>>(1, 2, 256);
    const auto grad_x = filled<View<float**>>(0, 0, 256, 128);
    return [=] { l2_normalize_backward(Exec(), grad, y, norms, grad_x); };
}

Kernel neighbours_forward()
{
    const auto similarities = filled<View<float**>>(-1, 1, 64, 640), p = filled<View<float**>>(0, 0, 64, classes);
    const auto totals = filled<View<float*>>(0, 0, 64);
    return [=, labels = segments(640)] { soft_nearest_neighbours(Exec(), similarities, labels, 0.1, totals, p); };
}

Kernel neighbours_gradient()
{
    const auto numerators = filled<View<float**>>(0, 1, 64, 640), grad = filled<View<float**>>(-1, 1, 64, classes);
    const auto totals = filled<View<float*>>(300, 340, 64);
    return [=, labels = segments(640)]
    { soft_nearest_neighbours_backward(Exec(), grad, labels, 0.1, totals, numerators); };
}

Kernel targets_of_crops()
{
    const auto p = probabilities(64, classes);
    const auto targets = filled<View<float**>>(0, 0, 256, classes);
    return [=] { multicrop_targets(Exec(), p, 0.25, targets); };
}

Kernel loss_forward()
{
    const auto p = probabilities(256, classes), targets = probabilities(256, classes);
    const auto sharpened = filled<View<float**>>(0, 0, 256, classes);
    const auto losses = filled<View<float*>>(0, 0, 256), mean = filled<View<float*>>(0, 0, classes);
    const auto slope = filled<View<float*>>(0, 0, classes);
    const View<float> loss("loss"), me_max("me_max");
    return [=]
    {
        cross_entropy(Exec(), p, targets, losses);
        mean_sharpened(Exec(), p, 0.25, sharpened, mean);
        me_max_slope(Exec(), mean, slope);
        paws_loss(Exec(), losses, mean, loss, me_max);
    };
}

Kernel loss_gradient()
{
    const auto p = probabilities(256, classes), targets = probabilities(256, classes);
    const auto slope = filled<View<float*>>(-2, 0, classes);
    const auto grad = filled<View<float**>>(0, 0, 256, classes);
    const auto of_loss = filled<View<float>>(1, 1), of_me_max = filled<View<float>>(1, 1);
    return [=] { paws_loss_backward(Exec(), p, targets, slope, 0.25, true, of_loss, of_me_max, grad); };
}

Kernel simclr()
{
    const auto similarities = filled<View<float**>>(-1, 1, 64, 256);
    const auto losses = filled<View<float*>>(0, 0, 64);
    return [=] { nt_xent(Exec(), similarities, {32, 0, 0}, 0.1, losses); };
}

Kernel suncet()
{
    const auto p = probabilities(256, classes);
    const View<std::int32_t*> own("own", 256);
    for (int n = 0; n < 256; ++n)
    {
        own(n) = n % classes;
    }
    const auto losses = filled<View<float*>>(0, 0, 256);
    return [=, labels = segments(640)] { class_cross_entropy(Exec(), p, own, labels, losses); };
}

/// A layer of 32 channels.
template <class Stored>
struct Layer
{
    static constexpr int rows = 4096, channels = 32;
    View<Stored**> x = filled<View<Stored**>>(-2, 2, rows, channels);
    View<Stored**> grad = filled<View<Stored**>>(-1, 1, rows, channels);
    View<Stored**> out = filled<View<Stored**>>(0, 0, rows, channels);
    View<float*> mean = filled<View<float*>>(-0.1, 0.1, channels), scale = filled<View<float*>>(0.5, 1, channels);
    View<float*> bias = filled<View<float*>>(-0.1, 0.1, channels), slope = filled<View<float*>>(0, 0.1, channels);
    View<float*> sum = filled<View<float*>>(0, 0, channels), product = filled<View<float*>>(0, 0, channels);
    View<float***> scratch = filled<View<float***>>(0, 0, batch_norm_chunks<Exec>(rows, channels), 2, channels);
};

template <class Stored>
Kernel norm_statistics()
{
    return [l = Layer<Stored>()] { batch_norm_statistics(Exec(), l.x, l.sum, l.product, l.scratch); };
}

template <class Stored>
Kernel norm_apply()
{
    return [l = Layer<Stored>()] { batch_norm_apply(Exec(), l.x, l.mean, l.scale, l.bias, true, l.out); };
}

Kernel norm_add_relu()
{
    return [l = Layer<float>()] { batch_norm_add_relu_apply(Exec(), l.x, l.mean, l.scale, l.bias, l.grad, l.out); };
}

template <class Stored>
Kernel norm_gradient_sums()
{
    return [l = Layer<Stored>()]
    { batch_norm_backward_sums(Exec(), l.x, l.grad, l.mean, l.scale, l.bias, true, l.sum, l.product, l.scratch); };
}

template <class Stored>
Kernel norm_gradient()
{
    return [l = Layer<Stored>()]
    { batch_norm_backward_apply(Exec(), l.x, l.grad, l.mean, l.scale, l.bias, l.slope, l.slope, true, l.out); };
}

/// One layer of several chunks under LARS, and a bias.
Kernel optimiser_step()
{
    constexpr std::int64_t sizes[] = {3 * chunk_elements, 32};
    const View<ParameterSlice<float>*> slices("slices", 2);
    const View<ParameterChunk*> chunks("chunks", 4);
    const auto p = filled<View<float**>>(-1, 1, 2, sizes[0]), g = filled<View<float**>>(-1, 1, 2, sizes[0]);
    const auto m = filled<View<float**>>(-0.1, 0.1, 2, sizes[0]);
    for (int c = 0; c < 3; ++c)
    {
        chunks(c) = {0, c * chunk_elements, (c + 1) * chunk_elements};
    }
    chunks(3) = {1, 0, sizes[1]};
    slices(0) = {&p(0, 0), &g(0, 0), &m(0, 0), sizes[0], 0, 3, 1e-6, true};
    slices(1) = {&p(1, 0), &g(1, 0), &m(1, 0), sizes[1], 3, 1, 0, false};
    const View<double**> sums("sums", 4, 2), rates("rates", 2, 2);
    const View<std::int32_t> overflowed("overflowed");
    const View<double*> rate_and_scale("rate_and_scale", 2);
    rate_and_scale(0) = 0.1;
    rate_and_scale(1) = 1;
    return [=, kept = std::array{p, g, m}] {
        lars_sgd(Exec(), slices, chunks, {0.9, false}, rate_and_scale, sums, rates, overflowed);
    };
}

/// All of the published steps for images of that size, always taken.
AugmentSpec every_step(int size, bool photographs)
{
    AugmentSpec spec;
    spec.size = size;
    spec.scale_min = 0.5;
    spec.flip_p = spec.jitter_p = 1;
    spec.brightness = spec.contrast = spec.saturation = 0.8;
    spec.hue = 0.2;
    if (photographs)
    {
        spec.blur_p = 1;
        spec.blur_sigma_min = 0.1;
        spec.blur_sigma_max = 2;
    }
    else
    {
        spec.solarise_p = spec.equalise_p = 1;
    }
    return spec;
}

Kernel views(int size, int height, int width, int count)
{
    const auto spec = every_step(size, size > 64);
    const auto pixels = filled<View<double***>>(0, 255, height, width, 3);
    const View<std::uint8_t***> image("picture", static_cast<std::size_t>(height), static_cast<std::size_t>(width), 3);
    std::copy(pixels.data(), pixels.data() + pixels.size(), image.data());
    const View<float***> out("out", static_cast<std::size_t>(size), static_cast<std::size_t>(size), 3);
    return [=, maker = std::make_shared<HostViews>()]
    {
        for (int v = 0; v < count; ++v)
        {
            maker->make(spec, {7, 0}, image.data(), height, width, v, 0, out.data());
        }
    };
}

const std::map<std::string, std::function<Kernel()>>& cases()
{
    static const std::map<std::string, std::function<Kernel()>> all{
        {"augment/32", [] { return views(32, 32, 32, 8); }},
        {"augment/224", [] { return views(224, 256, 256, 1); }},
        {"batch_norm_statistics/fp32", norm_statistics<float>},
        {"batch_norm_statistics/bf16", norm_statistics<bfloat16>},
        {"batch_norm_apply/fp32", norm_apply<float>},
        {"batch_norm_apply/bf16", norm_apply<bfloat16>},
        {"batch_norm_add_relu_apply/fp32", norm_add_relu},
        {"batch_norm_backward_sums/fp32", norm_gradient_sums<float>},
        {"batch_norm_backward_sums/bf16", norm_gradient_sums<bfloat16>},
        {"batch_norm_backward_apply/fp32", norm_gradient<float>},
        {"batch_norm_backward_apply/bf16", norm_gradient<bfloat16>},
        {"class_cross_entropy", suncet},
        {"l2_normalize", l2_normalize_forward},
        {"l2_normalize_backward", l2_normalize_gradient},
        {"lars_sgd", optimiser_step},
        {"multicrop_targets", targets_of_crops},
        {"nt_xent", simclr},
        {"paws_loss", loss_forward},
        {"paws_loss_backward", loss_gradient},
        {"soft_nearest_neighbours", neighbours_forward},
        {"soft_nearest_neighbours_backward", neighbours_gradient},
    };
    return all;
}

/// What the numbers of instructions depend on besides our code.
void print_about()
{
#if defined(__clang__)
    const std::string compiler = std::string("Clang ") + __clang_version__;
#else
    const std::string compiler = std::string("GNU ") + __VERSION__;
#endif
#if defined(__x86_64__)
    const char* const architecture = "x86_64";
    // The C library has other functions where the processor multiplies and adds at once.
    const bool fma = __builtin_cpu_supports("fma") != 0;
#else
    const char* const architecture = "other";
    const bool fma = false;
#endif
    std::printf("{\"compiler\": \"%s\", \"architecture\": \"%s\", \"fma\": %s, \"libc\": \"%s\", \"kokkos\": %d}\n",
                compiler.c_str(), architecture, fma ? "true" : "false", gnu_get_libc_version(), KOKKOS_VERSION);
}
}  // namespace

int main(int argc, char** argv)
{
    const std::string name = argc == 2 ? argv[1] : "";
    if (name == "--about")
    {
        print_about();
        return 0;
    }
    if (name == "--list")
    {
        for (const auto& one : cases())
        {
            std::printf("%s\n", one.first.c_str());
        }
        return 0;
    }
    const auto found = cases().find(name);
    if (found == cases().end())
    {
        std::fprintf(stderr, "usage: count_kernels --list | --about | CASE (there is no case '%s')\n", name.c_str());
        return 2;
    }
    const Kokkos::ScopeGuard kokkos;
    {
        // Whatever is set up once is set up now; the arrays that it changes are others.
        found->second()();
        const auto kernel = found->second();
        paws_counted(kernel);
    }
    return 0;
}

#include <functional>
#include <vector>

#include "src/loss/paws_loss.hpp"
#include "src/loss/simclr_loss.hpp"
#include "src/loss/snn_classifier.hpp"
#include "src/loss/suncet_loss.hpp"
#include "src/nn/batch_norm_relu.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/golden_tensors.hpp"
#include "tests/support/gpu.hpp"

// Our kernels on a GPU give what they give on a CPU. In double, so that only a wrong kernel differs, not a rounding.

using namespace paws;
using test::relative_error;

namespace
{
/// Results and gradients of run(leaves) on either device, of leaves with the same values.
using Run = std::function<std::vector<torch::Tensor>(const std::vector<torch::Tensor>&)>;

std::vector<torch::Tensor> with_gradients(const std::vector<torch::Tensor>& values, const torch::Device& device,
                                          const Run& run)
{
    std::vector<torch::Tensor> leaves;
    for (const auto& value : values)
    {
        leaves.push_back(value.to(device).requires_grad_());
    }
    auto results = run(leaves);
    auto total = torch::zeros({}, torch::TensorOptions(device).dtype(torch::kFloat64));
    for (std::size_t i = 0; i < results.size(); ++i)
    {
        // Weights that are no symmetry of any loss.
        const auto weights = torch::linspace(-0.4, 1.1, results[i].numel(), torch::kFloat64).to(device);
        total = total + (results[i].to(torch::kFloat64) * weights.view(results[i].sizes())).sum();
    }
    total.backward();
    for (const auto& leaf : leaves)
    {
        results.push_back(leaf.grad());
    }
    return results;
}

void check_devices_agree(const std::vector<torch::Tensor>& values, const Run& run, double tolerance = 1e-11)
{
    const auto host = with_gradients(values, torch::kCPU, run);
    const auto device = with_gradients(values, torch::kCUDA, run);
    for (std::size_t i = 0; i < host.size(); ++i)
    {
        INFO("result " << i);
        CHECK(relative_error(device[i].cpu(), host[i]) < tolerance);
    }
}

std::shared_ptr<const loss::SupportLabels> labels_on(const torch::Tensor& like, const loss::SupportLabels& labels)
{
    return std::make_shared<const loss::SupportLabels>(labels.to(like.device()));
}
}  // namespace

TEST_CASE("losses on a GPU are those on a CPU", "[gpu]")
{
    if (!test::has_gpu())
    {
        return;
    }
    torch::manual_seed(1);
    constexpr std::int64_t images = 6, multicrop = 3, classes = 7, dims = 40;
    const auto labels = loss::SupportLabels::stratified(classes, 3, 2, 0.1);
    const auto views = torch::randn({(2 + multicrop) * images, dims}, torch::kFloat64);
    const auto supports = torch::randn({labels.supports(), dims}, torch::kFloat64);
    const auto target_views = torch::randn({2 * images, dims}, torch::kFloat64);
    const auto target_supports = torch::randn({labels.supports(), dims}, torch::kFloat64);
    for (const std::int64_t bytes : {std::int64_t{1} << 30, std::int64_t{2000}})
    {
        INFO("similarities in " << bytes << " bytes");
        check_devices_agree({views, supports},
                            [&](const std::vector<torch::Tensor>& leaves) -> std::vector<torch::Tensor>
                            {
                                loss::PawsLossSettings settings{multicrop};
                                settings.similarity_bytes = bytes;
                                const auto device = leaves[0].device();
                                const auto value =
                                    loss::paws_loss(leaves[0], leaves[1], target_views.to(device),
                                                    target_supports.to(device), labels_on(leaves[0], labels), settings);
                                return {value.cross_entropy, value.me_max};
                            });
        const loss::ContrastiveSettings settings{0.2, bytes};
        check_devices_agree({supports},
                            [&](const std::vector<torch::Tensor>& leaves) -> std::vector<torch::Tensor>
                            { return {loss::suncet_loss(leaves[0], labels_on(leaves[0], labels), settings)}; });
        check_devices_agree({target_views},
                            [&](const std::vector<torch::Tensor>& leaves) -> std::vector<torch::Tensor>
                            { return {loss::simclr_loss(leaves[0], settings)}; });
    }
}

TEST_CASE("soft nearest neighbours on a GPU are those on a CPU", "[gpu]")
{
    if (!test::has_gpu())
    {
        return;
    }
    torch::manual_seed(2);
    const auto queries = torch::randn({50, 33}, torch::kFloat64), supports = torch::randn({41, 33}, torch::kFloat64);
    std::vector<std::int64_t> labels;
    for (std::int64_t i = 0; i < supports.size(0); ++i)
    {
        labels.push_back((i * 5) % 9);
    }
    const auto host = loss::snn_probabilities(queries, supports, labels, 9, 0.1);
    const auto device = loss::snn_probabilities(queries.cuda(), supports.cuda(), labels, 9, 0.1);
    CHECK(relative_error(device.cpu(), host) < 1e-11);
    std::vector<std::int64_t> wanted(50, 3);
    CHECK(loss::accuracy(device, wanted).top1 == loss::accuracy(host, wanted).top1);
}

TEST_CASE("batch norms on a GPU are those on a CPU", "[gpu]")
{
    if (!test::has_gpu())
    {
        return;
    }
    torch::manual_seed(3);
    // A unit in the last place of what is stored, and values so near zero that rounding decides what a ReLU lets
    // through.
    const std::vector<std::pair<torch::ScalarType, double>> types{
        {torch::kFloat64, 1e-11}, {torch::kFloat32, 1e-3}, {torch::kFloat16, 2e-3}, {torch::kBFloat16, 1.6e-2}};
    // Odd channels, rows of channels that are read 16 bytes at a time, more channels than a block has threads for, and
    // more chunks than a device takes at a time.
    const std::vector<std::vector<std::int64_t>> shapes{
        {3, 5, 4, 6}, {40, 48, 8, 8}, {6, 200, 3, 3}, {2, 4096, 2, 2}, {17, 64, 128, 128}};
    for (const auto& [type, tolerance] : types)
    {
        for (const auto& shape : shapes)
        {
            INFO(toString(type) << ", " << shape);
            const auto x = (torch::randn(shape, torch::kFloat64) + 0.3).to(type),
                       shortcut = torch::randn(shape, torch::kFloat64).to(type);
            const auto weight = torch::rand({shape[1]}, torch::kFloat64) + 0.5;
            const auto layer_of = [&](const torch::Tensor& like)
            {
                nn::BatchNorm2d bn(shape[1]);
                bn->to(like.device(), like.scalar_type() == torch::kFloat64 ? torch::kFloat64 : torch::kFloat32);
                const torch::NoGradGuard no_gradient;
                bn->weight.copy_(weight);
                bn->bias.copy_(weight - 1);
                return bn;
            };
            check_devices_agree(
                {x},
                [&](const std::vector<torch::Tensor>& leaves) -> std::vector<torch::Tensor>
                {
                    auto bn = layer_of(leaves[0]);
                    return {nn::fused_batch_norm(*bn, leaves[0], true), bn->running_mean, bn->running_var};
                },
                tolerance);
            check_devices_agree(
                {x, shortcut},
                [&](const std::vector<torch::Tensor>& leaves) -> std::vector<torch::Tensor>
                {
                    auto bn = layer_of(leaves[0]), other = layer_of(leaves[0]);
                    return {nn::fused_batch_norm_add_relu(*bn, leaves[0], leaves[1]),
                            nn::fused_batch_norm_pair_relu(*bn, leaves[0], *other, leaves[1]),
                            nn::fused_batch_norm(*other, leaves[1], false)};
                },
                tolerance);
        }
    }
}

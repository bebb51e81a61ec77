#include "src/nn/batch_norm_relu.hpp"

#include <cmath>
#include <vector>

#include "src/nn/blocked_images.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/golden_tensors.hpp"

namespace
{
using namespace paws;
using test::relative_error;

nn::BatchNorm2d layer_before_relu(std::int64_t channels, torch::ScalarType type)
{
    nn::BatchNorm2d bn(torch::nn::BatchNorm2dOptions(channels).momentum(0.3));
    bn->to(type);
    const torch::NoGradGuard no_gradient;
    bn->weight.uniform_(-1, 2);
    bn->bias.uniform_(-1, 1);
    bn->running_mean.uniform_(-1, 1);
    bn->running_var.uniform_(0.5, 2);
    return bn;
}

nn::BatchNorm2d copy_of(const nn::BatchNorm2d& bn)
{
    auto copy = nn::BatchNorm2d(bn->options);
    copy->to(bn->weight.scalar_type());
    const torch::NoGradGuard no_gradient;
    copy->weight.copy_(bn->weight);
    copy->bias.copy_(bn->bias);
    copy->running_mean.copy_(bn->running_mean);
    copy->running_var.copy_(bn->running_var);
    return copy;
}

/// Output, gradients and running statistics of ours against LibTorch's batch norm and ReLU.
void check_against_libtorch(std::vector<std::int64_t> shape, torch::ScalarType type, bool training, bool relu,
                            double offset, double tolerance)
{
    INFO("shape " << shape[0] << " " << shape[1] << " " << shape[2] << " " << shape[3] << ", training " << training
                  << ", relu " << relu);
    torch::manual_seed(5);
    auto ours = layer_before_relu(shape[1], type);
    auto theirs = copy_of(ours);
    ours->train(training);
    theirs->train(training);
    const auto input = torch::randn(shape, type) * 1.7 + offset;
    const auto direction = torch::randn(shape, type);
    auto x = input.clone().requires_grad_();
    auto reference_x = input.clone().requires_grad_();
    const auto y = nn::fused_batch_norm(*ours, x, relu);
    auto reference = theirs->forward_by_libtorch(reference_x);
    reference = relu ? torch::relu(reference) : reference;
    CHECK(relative_error(y, reference) < tolerance);
    (y * direction).sum().backward();
    (reference * direction).sum().backward();
    CHECK(relative_error(x.grad(), reference_x.grad()) < tolerance);
    CHECK(relative_error(ours->weight.grad(), theirs->weight.grad()) < tolerance);
    CHECK(relative_error(ours->bias.grad(), theirs->bias.grad()) < tolerance);
    CHECK(relative_error(ours->running_mean, theirs->running_mean) < tolerance);
    CHECK(relative_error(ours->running_var, theirs->running_var) < tolerance);
    CHECK(ours->num_batches_tracked.equal(theirs->num_batches_tracked));
}

/// The same for the end of a residual block, with the gradient of the shortcut.
void check_residual_against_libtorch(const std::vector<std::int64_t>& shape, torch::ScalarType type, bool training,
                                     double tolerance)
{
    INFO("shape " << shape[0] << " " << shape[1] << " " << shape[2] << " " << shape[3] << ", training " << training);
    torch::manual_seed(8);
    auto ours = layer_before_relu(shape[1], type);
    auto theirs = copy_of(ours);
    ours->train(training);
    theirs->train(training);
    const auto direction = torch::randn(shape, type);
    auto x = torch::randn(shape, type).requires_grad_();
    auto shortcut = torch::randn(shape, type).requires_grad_();
    auto reference_x = x.detach().clone().requires_grad_();
    auto reference_shortcut = shortcut.detach().clone().requires_grad_();
    const auto y = nn::fused_batch_norm_add_relu(*ours, x, shortcut);
    const auto reference = torch::relu(theirs->forward_by_libtorch(reference_x) + reference_shortcut);
    CHECK(relative_error(y, reference) < tolerance);
    (y * direction).sum().backward();
    (reference * direction).sum().backward();
    CHECK(relative_error(x.grad(), reference_x.grad()) < tolerance);
    CHECK(relative_error(shortcut.grad(), reference_shortcut.grad()) < tolerance);
    CHECK(relative_error(ours->weight.grad(), theirs->weight.grad()) < tolerance);
    CHECK(relative_error(ours->bias.grad(), theirs->bias.grad()) < tolerance);
    CHECK(relative_error(ours->running_mean, theirs->running_mean) < tolerance);
    CHECK(relative_error(ours->running_var, theirs->running_var) < tolerance);
    CHECK(ours->num_batches_tracked.equal(theirs->num_batches_tracked));
}

/// The same for the beginning of a residual block, whose images go two ways.
void check_fork_against_libtorch(const std::vector<std::int64_t>& shape, torch::ScalarType type, bool training,
                                 double tolerance)
{
    INFO("shape " << shape[0] << " " << shape[1] << " " << shape[2] << " " << shape[3] << ", training " << training);
    torch::manual_seed(9);
    auto ours = layer_before_relu(shape[1], type);
    auto theirs = copy_of(ours);
    ours->train(training);
    theirs->train(training);
    const auto direction = torch::randn(shape, type), other_direction = torch::randn(shape, type);
    auto x = torch::randn(shape, type).requires_grad_();
    auto reference_x = x.detach().clone().requires_grad_();
    const auto [y, shortcut] = nn::fused_batch_norm_relu_fork(*ours, x);
    const auto reference = torch::relu(theirs->forward_by_libtorch(reference_x));
    CHECK(relative_error(y, reference) < tolerance);
    CHECK(shortcut.equal(x));
    ((y * direction).sum() + (shortcut * other_direction).sum()).backward();
    ((reference * direction).sum() + (reference_x * other_direction).sum()).backward();
    CHECK(relative_error(x.grad(), reference_x.grad()) < tolerance);
    CHECK(relative_error(ours->weight.grad(), theirs->weight.grad()) < tolerance);
    CHECK(relative_error(ours->bias.grad(), theirs->bias.grad()) < tolerance);
    CHECK(relative_error(ours->running_mean, theirs->running_mean) < tolerance);
}

/// The same for a block whose shortcut has a layer of its own.
void check_pair_against_libtorch(const std::vector<std::int64_t>& shape, torch::ScalarType type, bool training,
                                 double tolerance)
{
    INFO("shape " << shape[0] << " " << shape[1] << " " << shape[2] << " " << shape[3] << ", training " << training);
    torch::manual_seed(12);
    auto ours = layer_before_relu(shape[1], type), ours_of_shortcut = layer_before_relu(shape[1], type);
    auto theirs = copy_of(ours), theirs_of_shortcut = copy_of(ours_of_shortcut);
    for (auto* const bn : {&ours, &ours_of_shortcut, &theirs, &theirs_of_shortcut})
    {
        (*bn)->train(training);
    }
    const auto direction = torch::randn(shape, type);
    auto x = torch::randn(shape, type).requires_grad_();
    auto shortcut = (torch::randn(shape, type) * 2 + 0.5).requires_grad_();
    auto reference_x = x.detach().clone().requires_grad_();
    auto reference_shortcut = shortcut.detach().clone().requires_grad_();
    const auto y = nn::fused_batch_norm_pair_relu(*ours, x, *ours_of_shortcut, shortcut);
    const auto reference = torch::relu(theirs->forward_by_libtorch(reference_x) +
                                       theirs_of_shortcut->forward_by_libtorch(reference_shortcut));
    CHECK(relative_error(y, reference) < tolerance);
    (y * direction).sum().backward();
    (reference * direction).sum().backward();
    CHECK(relative_error(x.grad(), reference_x.grad()) < tolerance);
    CHECK(relative_error(shortcut.grad(), reference_shortcut.grad()) < tolerance);
    for (const auto& [mine, other] : {std::pair(ours, theirs), std::pair(ours_of_shortcut, theirs_of_shortcut)})
    {
        CHECK(relative_error(mine->weight.grad(), other->weight.grad()) < tolerance);
        CHECK(relative_error(mine->bias.grad(), other->bias.grad()) < tolerance);
        CHECK(relative_error(mine->running_mean, other->running_mean) < tolerance);
        CHECK(relative_error(mine->running_var, other->running_var) < tolerance);
        CHECK(mine->num_batches_tracked.equal(other->num_batches_tracked));
    }
}
}  // namespace

TEST_CASE("batch norm and ReLU agree with LibTorch's", "[nn]")
{
    for (const bool training : {true, false})
    {
        for (const bool relu : {true, false})
        {
            check_against_libtorch({5, 3, 7, 9}, torch::kFloat64, training, relu, 0.3, 1e-11);
            check_against_libtorch({6, 43, 5, 3}, torch::kFloat64, training, relu, 0.3, 1e-11);
            // Several chunks, full and partial groups of channels.
            check_against_libtorch({40, 48, 8, 8}, torch::kFloat64, training, relu, 0.3, 1e-11);
            check_against_libtorch({40, 48, 8, 8}, torch::kFloat32, training, relu, 0.3, 2e-5);
            check_against_libtorch({2, 16, 1, 1}, torch::kFloat64, training, relu, 0.3, 1e-9);
        }
    }
}

TEST_CASE("batch norm, shortcut and ReLU in one agree with LibTorch's composition", "[nn]")
{
    for (const auto& shape : std::vector<std::vector<std::int64_t>>{{5, 3, 7, 9}, {6, 43, 5, 3}, {40, 48, 8, 8}})
    {
        for (const auto& [type, tolerance] : {std::pair{torch::kFloat64, 1e-11}, std::pair{torch::kFloat32, 2e-5}})
        {
            // A layer in evaluation mode is frozen, whatever the network around it does.
            check_residual_against_libtorch(shape, type, true, tolerance);
            check_residual_against_libtorch(shape, type, false, tolerance);
        }
    }
}

TEST_CASE("batch norm and ReLU of images that go another way as well agree with LibTorch's", "[nn]")
{
    for (const bool training : {true, false})
    {
        check_fork_against_libtorch({5, 48, 7, 9}, torch::kFloat64, training, 1e-12);
        check_fork_against_libtorch({9, 32, 16, 16}, torch::kFloat32, training, 2e-5);
    }
}

TEST_CASE("two batch norms, their sum and ReLU in one agree with LibTorch's composition", "[nn]")
{
    for (const auto& shape : std::vector<std::vector<std::int64_t>>{{5, 3, 7, 9}, {6, 43, 5, 3}, {40, 48, 8, 8}})
    {
        for (const auto& [type, tolerance] : {std::pair{torch::kFloat64, 1e-11}, std::pair{torch::kFloat32, 2e-5}})
        {
            check_pair_against_libtorch(shape, type, true, tolerance);
            check_pair_against_libtorch(shape, type, false, tolerance);
        }
    }
}

TEST_CASE("batch norms of images in blocks of channels give what they give in channels-last order", "[nn]")
{
    // Several images a chunk, one, and a part of one; an odd number of each.
    for (const auto& shape :
         std::vector<std::vector<std::int64_t>>{{37, 48, 5, 5}, {7, 32, 16, 16}, {3, 64, 33, 31}, {1, 16, 9, 7}})
    {
        for (const bool training : {true, false})
        {
            INFO("shape " << shape[0] << " " << shape[1] << " " << shape[2] << " " << shape[3] << ", training "
                          << training);
            torch::manual_seed(15);
            const auto bn = layer_before_relu(shape[1], torch::kFloat32),
                       shortcut_bn = layer_before_relu(shape[1], torch::kFloat32);
            const auto images = torch::randn(shape) * 1.7 + 0.3, other = torch::randn(shape);
            const auto direction = torch::randn(shape);
            const auto run = [&](bool in_blocks, int kind)
            {
                auto first = copy_of(bn), second = copy_of(shortcut_bn);
                first->train(training);
                second->train(training);
                auto x = images.clone().requires_grad_();
                auto shortcut = other.clone().requires_grad_();
                const auto ordered = [&](const torch::Tensor& t) { return in_blocks ? nn::to_blocks(t) : t; };
                auto fork = nn::Fork();
                if (kind == 3)
                {
                    fork = nn::fused_batch_norm_relu_fork(*first, ordered(x));
                }
                auto y = kind == 3   ? fork.normalised + fork.shortcut
                         : kind == 0 ? nn::fused_batch_norm(*first, ordered(x), true)
                         : kind == 1 ? nn::fused_batch_norm_add_relu(*first, ordered(x), ordered(shortcut))
                                     : nn::fused_batch_norm_pair_relu(*first, ordered(x), *second, ordered(shortcut));
                CHECK(nn::is_in_blocks(y) == in_blocks);
                y = in_blocks ? nn::from_blocks(y) : y;
                (y * direction).sum().backward();
                const auto nothing = torch::zeros({1});
                return std::vector<torch::Tensor>{y,
                                                  x.grad(),
                                                  kind == 1 || kind == 2 ? shortcut.grad() : nothing,
                                                  first->weight.grad(),
                                                  first->bias.grad(),
                                                  first->running_mean,
                                                  first->running_var,
                                                  kind == 2 ? second->weight.grad() : nothing,
                                                  kind == 2 ? second->bias.grad() : nothing};
            };
            for (const int kind : {0, 1, 2, 3})
            {
                INFO("kind " << kind);
                const auto blocked = run(true, kind), plain = run(false, kind);
                for (std::size_t i = 0; i < plain.size(); ++i)
                {
                    INFO("result " << i);
                    CHECK(relative_error(blocked[i], plain[i]) < 2e-5);
                }
            }
        }
    }
}

TEST_CASE("a shortcut of another type or memory order is taken", "[nn]")
{
    torch::manual_seed(6);
    auto ours = layer_before_relu(20, torch::kFloat32);
    auto theirs = copy_of(ours);
    const auto x = torch::randn({4, 20, 5, 6}).to(torch::kBFloat16);
    auto shortcut = torch::randn({4, 6, 5, 20}).permute({0, 3, 2, 1}).requires_grad_();
    auto reference_shortcut = shortcut.detach().clone().requires_grad_();
    const auto y = nn::batch_norm_add_relu(*ours, x, shortcut);
    const auto reference = torch::relu(theirs->forward_by_libtorch(x.to(torch::kFloat32)) + reference_shortcut);
    CHECK(y.scalar_type() == torch::kBFloat16);
    CHECK(relative_error(y, reference) < 0.006);
    y.sum().backward();
    reference.sum().backward();
    CHECK(shortcut.grad().scalar_type() == torch::kFloat32);
    // Ones and zeros: where a value is within rounding of zero the mask may differ.
    CHECK((shortcut.grad() - reference_shortcut.grad()).abs().sum().item<double>() <= 2);
}

TEST_CASE("frozen statistics stay, and their layer has gradients", "[nn]")
{
    torch::manual_seed(7);
    auto bn = layer_before_relu(16, torch::kFloat32);
    bn->eval();
    const auto mean = bn->running_mean.clone();
    const auto variance = bn->running_var.clone();
    auto x = torch::randn({4, 16, 5, 5}).requires_grad_();
    nn::batch_norm(*bn, x).sum().backward();
    CHECK(bn->running_mean.equal(mean));
    CHECK(bn->running_var.equal(variance));
    CHECK(bn->num_batches_tracked.item<std::int64_t>() == 0);
    const auto slope = (bn->weight / (variance + 1e-5).sqrt()).view({1, 16, 1, 1}).expand_as(x);
    CHECK(relative_error(x.grad(), slope.detach()) < 1e-6);
    CHECK(bn->weight.grad().abs().sum().item<double>() > 0);
}

TEST_CASE("a large mean costs batch norm no precision", "[nn]")
{
    check_against_libtorch({40, 17, 8, 8}, torch::kFloat64, true, true, 1e4, 1e-9);
    torch::manual_seed(1);
    auto bn = layer_before_relu(16, torch::kFloat32);
    const auto x = torch::randn({64, 16, 8, 8}, torch::kFloat64) + 300;
    auto exact = copy_of(bn);
    exact->to(torch::kFloat64);
    CHECK(relative_error(nn::fused_batch_norm(*bn, x.to(torch::kFloat32), true),
                         torch::relu(exact->forward_by_libtorch(x))) < 1e-4);
}

TEST_CASE("batch norm on images of 16 bits follows the float one to rounding", "[nn]")
{
    // Half a unit in the last of bfloat16's eight and float16's eleven digits.
    const auto [type, tolerance] = GENERATE(std::pair{torch::kBFloat16, 0.004}, std::pair{torch::kFloat16, 0.0005});
    torch::manual_seed(2);
    auto bn = layer_before_relu(20, torch::kFloat32);
    auto exact = copy_of(bn);
    auto x = torch::randn({8, 20, 6, 6}).to(type).requires_grad_();
    auto reference_x = x.detach().to(torch::kFloat32).requires_grad_();
    const auto direction = torch::randn({8, 20, 6, 6}).to(type);
    const auto y = nn::fused_batch_norm(*bn, x, true);
    const auto reference = torch::relu(exact->forward_by_libtorch(reference_x));
    CHECK(y.scalar_type() == type);
    CHECK(y.is_contiguous(torch::MemoryFormat::ChannelsLast));
    CHECK(relative_error(y, reference) < tolerance);
    (y * direction).sum().backward();
    (reference * direction.to(torch::kFloat32)).sum().backward();
    CHECK(relative_error(x.grad(), reference_x.grad()) < 1.5 * tolerance);
    CHECK(relative_error(bn->weight.grad(), exact->weight.grad()) < 1e-4);
    CHECK(relative_error(bn->running_var, exact->running_var) < 1e-5);
}

TEST_CASE("batch norm and ReLU agree with plain loops", "[nn]")
{
    torch::manual_seed(9);
    constexpr std::int64_t images = 3, channels = 5, side = 4;
    auto bn = layer_before_relu(channels, torch::kFloat64);
    const auto x = torch::randn({images, channels, side, side}, torch::kFloat64);
    const auto y = nn::fused_batch_norm(*bn, x, true).contiguous();
    const auto* const in = x.data_ptr<double>();
    const auto* const out = y.data_ptr<double>();
    const auto at = [](std::int64_t n, std::int64_t c, std::int64_t p) { return (n * channels + c) * side * side + p; };
    for (std::int64_t c = 0; c < channels; ++c)
    {
        double mean = 0, variance = 0;
        constexpr double count = images * side * side;
        for (std::int64_t n = 0; n < images; ++n)
        {
            for (std::int64_t p = 0; p < side * side; ++p)
            {
                mean += in[at(n, c, p)] / count;
            }
        }
        for (std::int64_t n = 0; n < images; ++n)
        {
            for (std::int64_t p = 0; p < side * side; ++p)
            {
                variance += (in[at(n, c, p)] - mean) * (in[at(n, c, p)] - mean) / count;
            }
        }
        const double weight = bn->weight[c].item<double>();
        const double bias = bn->bias[c].item<double>();
        for (std::int64_t n = 0; n < images; ++n)
        {
            for (std::int64_t p = 0; p < side * side; ++p)
            {
                const double value = (in[at(n, c, p)] - mean) / std::sqrt(variance + 1e-5) * weight + bias;
                CHECK(out[at(n, c, p)] == Approx(std::max(0.0, value)).margin(1e-12));
            }
        }
    }
}

TEST_CASE("the gradient of batch norm and ReLU agrees with finite differences", "[nn]")
{
    torch::manual_seed(4);
    auto bn = layer_before_relu(3, torch::kFloat64);
    auto x = torch::randn({2, 3, 2, 2}, torch::kFloat64).requires_grad_();
    const auto direction = torch::randn({2, 3, 2, 2}, torch::kFloat64);
    const auto value = [&] { return (nn::fused_batch_norm(*bn, x, true) * direction).sum(); };
    value().backward();
    auto numeric = torch::zeros_like(x);
    {
        const torch::NoGradGuard no_gradient;
        for (std::int64_t i = 0; i < x.numel(); ++i)
        {
            auto* const entry = x.data_ptr<double>() + i;
            const double kept = *entry;
            *entry = kept + 1e-6;
            const double above = value().item<double>();
            *entry = kept - 1e-6;
            const double below = value().item<double>();
            *entry = kept;
            numeric.view({-1})[i] = (above - below) / 2e-6;
        }
    }
    CHECK(relative_error(x.grad(), numeric) < 1e-7);
}

TEST_CASE("a NaN goes through batch norm and ReLU", "[nn]")
{
    auto bn = layer_before_relu(16, torch::kFloat32);
    bn->eval();
    auto x = torch::zeros({1, 16, 2, 2});
    x[0][3][1][1] = std::nan("");
    CHECK(nn::fused_batch_norm(*bn, x, true).isnan().sum().item<std::int64_t>() == 1);
    CHECK(nn::fused_batch_norm(*bn, x.to(torch::kBFloat16), true).isnan().sum().item<std::int64_t>() == 1);
}

TEST_CASE("what batch norm cannot take is refused", "[nn]")
{
    auto bn = layer_before_relu(16, torch::kFloat32);
    CHECK_THROWS_WITH(nn::fused_batch_norm(*bn, torch::zeros({2, 8, 4, 4}), true),
                      Catch::Contains("number of channels"));
    CHECK_THROWS_WITH(nn::fused_batch_norm(*bn, torch::zeros({1, 16, 1, 1}), true), Catch::Contains("no statistics"));
    CHECK_THROWS_WITH(nn::fused_batch_norm(*bn, torch::zeros({2, 16, 4, 4}, torch::kInt64), true),
                      Catch::Contains("bfloat16"));
    CHECK_THROWS_WITH(nn::fused_batch_norm_add_relu(*bn, torch::zeros({2, 16, 4, 4}), torch::zeros({2, 16, 4, 3})),
                      Catch::Contains("the shape of the images"));
    CHECK_THROWS_WITH(nn::fused_batch_norm_add_relu(*bn, torch::zeros({2, 8, 4, 4}), torch::zeros({2, 8, 4, 4})),
                      Catch::Contains("number of channels"));
}

#include "src/nn/blocked_convolution.hpp"

#include <ATen/Parallel.h>

#include "src/nn/blocked_images.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/golden_tensors.hpp"

namespace
{
using namespace paws;
using nn::ConvolutionShape;
using test::relative_error;

/// What F(4×4, 3×3) loses in float32: its transforms multiply by up to 8 and add what cancels.
constexpr double winograd_tolerance = 2e-5;

struct Results
{
    torch::Tensor y, grad_x, grad_weight, grad_bias;
};

/// Result and gradients of one convolution by `convolution`(x, weight, bias), for the gradient `direction` of y.
template <class Convolution>
Results results_of(const Convolution& convolution, const torch::Tensor& x, const torch::Tensor& weight,
                   const torch::Tensor& bias, const torch::Tensor& direction, torch::ScalarType type)
{
    auto input = x.to(type).clone().requires_grad_();
    auto w = weight.to(type).clone().requires_grad_();
    auto b = bias.defined() ? bias.to(type).clone().requires_grad_() : torch::Tensor();
    const auto y = convolution(input, w, b);
    (y * direction.to(type)).sum().backward();
    return {y.detach(), input.grad(), w.grad(), b.defined() ? b.grad() : torch::zeros({1})};
}

/// Ours in float32 against LibTorch's in double.
void check_against_double(const ConvolutionShape& s, bool biased, bool input_in_blocks)
{
    INFO(s.images << " images " << s.height << "x" << s.width << ", " << s.in << " to " << s.out << " channels, kernel "
                  << s.kernel << ", stride " << s.stride << ", bias " << biased << ", blocks " << input_in_blocks);
    torch::manual_seed(3);
    const auto x = torch::randn({s.images, s.in, s.height, s.width});
    const auto weight = (torch::randn({s.out, s.in, s.kernel, s.kernel}) / std::sqrt(s.in * s.kernel * s.kernel))
                            .contiguous(torch::MemoryFormat::ChannelsLast);
    const auto bias = biased ? torch::randn({s.out}) : torch::Tensor();
    const auto direction = torch::randn({s.images, s.out, s.output_height(), s.output_width()});
    const auto ours = results_of(
        [&](const torch::Tensor& input, const torch::Tensor& w, const torch::Tensor& b)
        {
            const auto ordered = input_in_blocks ? nn::to_blocks(input) : input;
            const auto y = nn::blocked_convolution(ordered, w, b, s.stride, s.padding);
            CHECK(y.sizes() == torch::IntArrayRef({s.images, s.out / 16, s.output_height(), s.output_width(), 16}));
            return nn::from_blocks(y);
        },
        x, weight, bias, direction, torch::kFloat32);
    const auto reference = results_of([&](const torch::Tensor& input, const torch::Tensor& w, const torch::Tensor& b)
                                      { return torch::conv2d(input, w, b, s.stride, s.padding); },
                                      x, weight, bias, direction, torch::kFloat64);
    CHECK(relative_error(ours.y, reference.y) < winograd_tolerance);
    CHECK(relative_error(ours.grad_x, reference.grad_x) < winograd_tolerance);
    CHECK(relative_error(ours.grad_weight, reference.grad_weight) < winograd_tolerance);
    CHECK(relative_error(ours.grad_bias, reference.grad_bias) < winograd_tolerance);
    CHECK(ours.grad_weight.is_contiguous(torch::MemoryFormat::ChannelsLast));
}
}  // namespace

TEST_CASE("blocks of channels are another order of the same images", "[nn]")
{
    const auto images = torch::arange(2 * 48 * 3 * 5, torch::kFloat32).reshape({2, 48, 3, 5});
    const auto blocks = nn::to_blocks(images);
    REQUIRE(blocks.sizes() == torch::IntArrayRef({2, 3, 3, 5, 16}));
    CHECK(nn::channels_of(blocks) == 48);
    CHECK(blocks[1][2][0][4][7].item<float>() == images[1][2 * 16 + 7][0][4].item<float>());
    CHECK(nn::from_blocks(blocks).equal(images));
    CHECK(nn::images_as_blocks(nn::blocks_as_images(blocks), 48).equal(blocks));
    CHECK(nn::blocks_as_images(blocks).data_ptr() == blocks.data_ptr());
    CHECK(relative_error(nn::mean_of_pixels(blocks), images.to(torch::kFloat64).mean({2, 3})) < 1e-6);
}

TEST_CASE("blocked convolutions agree with LibTorch's in double", "[nn]")
{
    if (!nn::has_blocked_convolutions())
    {
        WARN("this processor has no AVX-512: blocked convolutions are not tested");
        return;
    }
    // The shapes of the networks: stages of wide_resnet28w2 for large and small views, and resnet50's 3×3 layers.
    for (const auto& [channels, size] : std::vector<std::pair<std::int64_t, std::int64_t>>{{32, 32},
                                                                                           {64, 16},
                                                                                           {128, 8},
                                                                                           {32, 18},
                                                                                           {64, 9},
                                                                                           {128, 5},
                                                                                           {64, 56},
                                                                                           {64, 24},
                                                                                           {256, 14},
                                                                                           {512, 7},
                                                                                           {512, 3}})
    {
        check_against_double({3, channels, channels, size, size, 3, 1, 1}, true, true);
    }
    // Into a stage, and its shortcut.
    check_against_double({5, 16, 32, 32, 32, 3, 1, 1}, true, true);
    check_against_double({5, 32, 64, 32, 32, 3, 2, 1}, true, true);
    check_against_double({5, 64, 128, 9, 9, 3, 2, 1}, false, true);
    check_against_double({5, 32, 64, 32, 32, 1, 2, 0}, true, true);
    check_against_double({2, 64, 256, 14, 14, 1, 1, 0}, false, true);
    // The first layers, from images as they come.
    check_against_double({7, 3, 16, 32, 32, 3, 1, 1}, true, false);
    check_against_double({2, 3, 64, 30, 34, 7, 2, 3}, false, false);
    // One image, and sides that differ.
    check_against_double({1, 32, 32, 13, 22, 3, 1, 1}, true, true);
}

TEST_CASE("what a blocked convolution adds has a gradient of its own", "[nn]")
{
    if (!nn::has_blocked_convolutions())
    {
        return;
    }
    torch::manual_seed(6);
    // By Winograd's algorithm and directly.
    for (const std::int64_t stride : {1, 2})
    {
        const auto side = 16 / stride;
        const auto x = torch::randn({3, 32, 16, 16}), weight = torch::randn({32, 32, 3, 3}) / 17;
        auto addend = torch::randn({3, 2, side, side, 16}).requires_grad_();
        auto images = x.clone().requires_grad_();
        const auto y = nn::blocked_convolution(nn::to_blocks(images), weight, {}, stride, 1, addend);
        auto plain = x.to(torch::kFloat64).requires_grad_();
        const auto convolved = torch::conv2d(plain, weight.to(torch::kFloat64), {}, stride, 1);
        const auto expected = convolved + nn::from_blocks(addend.detach()).to(torch::kFloat64);
        CHECK(relative_error(nn::from_blocks(y.detach()), expected.detach()) < winograd_tolerance);
        const auto direction = torch::randn_like(y);
        (y * direction).sum().backward();
        (convolved * nn::from_blocks(direction).to(torch::kFloat64)).sum().backward();
        CHECK(addend.grad().equal(direction));
        CHECK(relative_error(images.grad(), plain.grad()) < winograd_tolerance);
        CHECK_THROWS_WITH(
            nn::blocked_convolution(nn::to_blocks(x), weight, {}, stride, 1, torch::randn({3, 2, 5, 5, 16})),
            Catch::Contains("must have the shape of the result"));
    }
}

TEST_CASE("many channels on many threads have their weights' gradient computed directly", "[nn]")
{
    if (!nn::has_blocked_convolutions())
    {
        return;
    }
    const auto threads = at::get_num_threads();
    at::set_num_threads(16);
    check_against_double({2, 512, 512, 7, 7, 3, 1, 1}, true, true);
    at::set_num_threads(threads);
}

TEST_CASE("a blocked convolution gives the same bits again", "[nn]")
{
    if (!nn::has_blocked_convolutions())
    {
        return;
    }
    torch::manual_seed(4);
    const auto x = torch::randn({9, 4, 16, 16, 16});
    const auto weight = torch::randn({64, 64, 3, 3});
    const auto bias = torch::randn({64});
    const auto direction = torch::randn({9, 4, 16, 16, 16});
    const auto run = [&]
    {
        return results_of([](const auto& input, const auto& w, const auto& b)
                          { return nn::blocked_convolution(input, w, b, 1, 1); },
                          x, weight, bias, direction, torch::kFloat32);
    };
    const auto first = run();
    // Another shape in between, which uses the same scratchpad.
    nn::blocked_convolution(torch::randn({3, 2, 32, 32, 16}), torch::randn({32, 32, 3, 3}), {}, 1, 1);
    const auto second = run();
    CHECK(first.y.equal(second.y));
    CHECK(first.grad_x.equal(second.grad_x));
    CHECK(first.grad_weight.equal(second.grad_weight));
    CHECK(first.grad_bias.equal(second.grad_bias));
}

TEST_CASE("blocked convolutions refuse what they cannot compute", "[nn]")
{
    const auto blocks = torch::zeros({1, 2, 8, 8, 16});
    const auto weight = torch::zeros({32, 32, 3, 3});
    CHECK_THROWS_AS(nn::blocked_convolution(blocks, torch::zeros({32, 16, 3, 3}), {}, 1, 1), std::invalid_argument);
    CHECK_THROWS_AS(nn::blocked_convolution(blocks, torch::zeros({40, 32, 3, 3}), {}, 1, 1), std::invalid_argument);
    CHECK_THROWS_AS(nn::blocked_convolution(blocks.to(torch::kFloat64), weight, {}, 1, 1), std::invalid_argument);
    CHECK_THROWS_AS(nn::blocked_convolution(blocks[0], weight, {}, 1, 1), std::invalid_argument);
}

TEST_CASE("Winograd's algorithm is chosen for 3x3 convolutions that tiles of 4x4 cover well", "[nn]")
{
    const auto pays = [](std::int64_t size, std::int64_t kernel, std::int64_t stride, std::int64_t in) {
        return nn::winograd_pays({8, in, 64, size, size, kernel, stride, kernel / 2});
    };
    CHECK(pays(32, 3, 1, 64));
    CHECK(pays(56, 3, 1, 64));
    CHECK(pays(9, 3, 1, 64));
    CHECK(pays(32, 3, 1, 16));
    CHECK_FALSE(pays(32, 3, 2, 64));
    CHECK_FALSE(pays(32, 1, 1, 64));
    CHECK_FALSE(pays(32, 3, 1, 3));
    CHECK_FALSE(pays(5, 3, 1, 64));
    // The weights' matrices would take longer than the images.
    CHECK_FALSE(nn::winograd_pays({1, 512, 512, 7, 7, 3, 1, 1}));
    CHECK(nn::winograd_pays({64, 512, 512, 7, 7, 3, 1, 1}));
}

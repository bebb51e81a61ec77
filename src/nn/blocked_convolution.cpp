#include "src/nn/blocked_convolution.hpp"

#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/nn/functional/conv.h>
#include <torch/nn/modules/conv.h>

#include <algorithm>
#include <map>
#include <stdexcept>
#include <string>

#include "src/nn/blocked_images.hpp"
#include "src/nn/winograd.hpp"

#ifdef PAWS_ONEDNN
#include <oneapi/dnnl/dnnl.hpp>
#endif

namespace paws::nn
{
namespace
{
constexpr std::int64_t winograd_tile = 4;

/// Tiles of all images.
std::int64_t tiles_of(const ConvolutionShape& shape)
{
    const auto tiles = [](std::int64_t size) { return (size + winograd_tile - 1) / winograd_tile; };
    return shape.images * tiles(shape.height) * tiles(shape.width);
}

/// Pixels of the tiles over those of the images.
double tile_waste(const ConvolutionShape& shape)
{
    return static_cast<double>(tiles_of(shape) * winograd_tile * winograd_tile) /
           static_cast<double>(shape.images * shape.height * shape.width);
}
}  // namespace

bool winograd_pays(const ConvolutionShape& shape)
{
    const bool fits = shape.kernel == 3 && shape.stride == 1 && shape.padding == 1 && shape.in % block_channels == 0 &&
                      shape.out % block_channels == 0;
    constexpr double most_waste = 2;
    return fits && tile_waste(shape) <= most_waste && tiles_of(shape) >= std::min(shape.in, shape.out) / 2;
}

#ifdef PAWS_ONEDNN
namespace
{
using dnnl::algorithm;
using dnnl::memory;
using torch::autograd::AutogradContext;
using torch::autograd::tensor_list;

const dnnl::engine& engine()
{
    static const dnnl::engine cpu(dnnl::engine::kind::cpu, 0);
    return cpu;
}

/// What primitives work in. One at a time runs in a thread, so that the largest serves all.
void* scratchpad_of(std::size_t bytes)
{
    thread_local torch::Tensor pad;
    const auto wanted = static_cast<std::int64_t>(bytes);
    if (wanted > (pad.defined() ? pad.numel() : 0))
    {
        pad = torch::Tensor();
        pad = torch::empty({wanted}, torch::kUInt8);
    }
    return pad.defined() ? pad.data_ptr() : nullptr;
}

/// A layer's convolution of one shape of images.
struct Key
{
    ConvolutionShape shape;
    bool has_bias;
    bool is_in_blocks;  ///< its input
    int threads;        ///< that a primitive divides its work among is fixed when it is made

    auto operator<=>(const Key&) const = default;

    memory::desc input() const
    {
        return {{shape.images, shape.in, shape.height, shape.width},
                memory::data_type::f32,
                is_in_blocks ? memory::format_tag::nChw16c : memory::format_tag::nchw};
    }
    memory::desc output() const
    {
        return {{shape.images, shape.out, shape.output_height(), shape.output_width()},
                memory::data_type::f32,
                memory::format_tag::nChw16c};
    }
    memory::desc weight() const
    {
        return {{shape.out, shape.in, shape.kernel, shape.kernel}, memory::data_type::f32, memory::format_tag::any};
    }
    memory::desc bias() const
    {
        return has_bias ? memory::desc({shape.out}, memory::data_type::f32, memory::format_tag::x) : memory::desc();
    }
    memory::dims strides() const { return {shape.stride, shape.stride}; }
    memory::dims padding() const { return {shape.padding, shape.padding}; }
};

dnnl::primitive_attr attributes()
{
    dnnl::primitive_attr attr;
    attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    return attr;
}

constexpr auto direct = algorithm::convolution_direct;

using Forward = dnnl::convolution_forward;
using InputGradient = dnnl::convolution_backward_data;
using WeightGradient = dnnl::convolution_backward_weights;

/// The description of a key's primitive: what it wants its operands in.
template <class Primitive>
typename Primitive::primitive_desc description_of(const Key& key)
{
    if constexpr (std::is_same_v<Primitive, Forward>)
    {
        const Forward::desc wanted(dnnl::prop_kind::forward_training, direct, key.input(), key.weight(), key.bias(),
                                   key.output(), key.strides(), key.padding(), key.padding());
        return {wanted, attributes(), engine()};
    }
    else
    {
        const auto wanted = [&]() -> typename Primitive::desc
        {
            if constexpr (std::is_same_v<Primitive, WeightGradient>)
            {
                return {direct,       key.input(),   key.weight(),  key.bias(),
                        key.output(), key.strides(), key.padding(), key.padding()};
            }
            else
            {
                return {direct, key.input(), key.weight(), key.output(), key.strides(), key.padding(), key.padding()};
            }
        };
        // oneDNN asks for the description of the forward convolution behind a backward pass.
        return {wanted(), attributes(), engine(), description_of<Forward>(key)};
    }
}

template <class Primitive>
struct Prepared
{
    explicit Prepared(const Key& key) : description(description_of<Primitive>(key)), primitive(description) {}
    typename Primitive::primitive_desc description;
    Primitive primitive;
};

/// Networks have tens of layers and a few sizes of batches; what is kept of a primitive is some hundred KiB of code.
constexpr std::size_t most_kept = 512;

/// The primitive of `key`, made at its first use.
template <class Primitive>
const Prepared<Primitive>& primitive_of(const Key& key)
{
    thread_local std::map<Key, Prepared<Primitive>> made;
    auto found = made.find(key);
    if (found == made.end())
    {
        if (made.size() >= most_kept)
        {
            made.clear();
        }
        found = made.emplace(key, Prepared<Primitive>(key)).first;
    }
    return found->second;
}

memory at(const memory::desc& description, const torch::Tensor& tensor)
{
    return {description, engine(), tensor.data_ptr()};
}

template <class Primitive>
void execute(const Prepared<Primitive>& convolution, std::unordered_map<int, memory> arguments)
{
    const auto pad = convolution.description.scratchpad_desc();
    arguments.emplace(DNNL_ARG_SCRATCHPAD, memory(pad, engine(), scratchpad_of(pad.get_size())));
    dnnl::stream stream(engine());
    convolution.primitive.execute(stream, arguments);
    stream.wait();
}

/// weight's own order, as oneDNN describes it.
memory::desc order_of(const torch::Tensor& weight)
{
    return {weight.sizes().vec(), memory::data_type::f32, weight.strides().vec()};
}

torch::Tensor space_for(const memory::desc& description)
{
    return torch::empty({static_cast<std::int64_t>(description.get_size())}, torch::kUInt8);
}

void reorder(const memory& from, const memory& to)
{
    dnnl::stream stream(engine());
    dnnl::reorder(from, to).execute(stream, const_cast<memory&>(from), const_cast<memory&>(to));
    stream.wait();
}

/// A copy of `weight` in the order that a primitive wants.
torch::Tensor reordered(const torch::Tensor& weight, const memory::desc& wanted)
{
    auto copy = space_for(wanted);
    reorder(at(order_of(weight), weight), at(wanted, copy));
    return copy;
}

Key key_of(const torch::Tensor& x, const torch::Tensor& weight, bool has_bias, std::int64_t stride,
           std::int64_t padding)
{
    return {{x.size(0), channels_of(x), weight.size(0), x.size(2), x.size(3), weight.size(2), stride, padding},
            has_bias,
            is_in_blocks(x),
            at::get_num_threads()};
}

/// run(share, shares), in as many threads as there are.
template <class Run>
void in_shares(const Run& run)
{
    const std::int64_t shares = at::get_num_threads();
    at::parallel_for(0, shares, 1,
                     [&](std::int64_t begin, std::int64_t end)
                     {
                         for (std::int64_t share = begin; share < end; ++share)
                         {
                             run(share, shares);
                         }
                     });
}

/// One convolution by Winograd's algorithm. What it works in lies in the scratchpad: the matrices, or sums of their
/// gradients and the bias' of each share, and then each share's space.
struct Winograd
{
    explicit Winograd(const ConvolutionShape& shape)
        : images{shape.images, shape.in, shape.out, shape.height, shape.width},
          matrix_floats(winograd::matrix_floats(images))
    {
    }
    static constexpr std::int64_t most_bytes_of_sums = std::int64_t{512} << 20;
    winograd::Images images;
    std::int64_t matrix_floats;

    static winograd::Strides strides_of(const torch::Tensor& weight)
    {
        return {weight.stride(0), weight.stride(1), weight.stride(2), weight.stride(3)};
    }

    static float* scratchpad(std::int64_t floats)
    {
        return static_cast<float*>(scratchpad_of(static_cast<std::size_t>(floats) * sizeof(float)));
    }

    /// y = x * weight + bias + addend, where these are not null; for the gradient of the input, `images` has x's and
    /// y's channels exchanged.
    void convolve(const torch::Tensor& x, const torch::Tensor& weight, bool is_turned, const float* bias,
                  const float* addend, const torch::Tensor& y) const
    {
        const auto space_floats = winograd::space_floats(images, at::get_num_threads());
        float* const matrices = scratchpad(matrix_floats + at::get_num_threads() * space_floats);
        float* const space = matrices + matrix_floats;
        in_shares(
            [&](std::int64_t share, std::int64_t shares)
            {
                winograd::transform_weights(images, weight.data_ptr<float>(), strides_of(weight), is_turned, matrices,
                                            share, shares);
            });
        in_shares(
            [&](std::int64_t share, std::int64_t shares)
            {
                winograd::convolve(images, x.data_ptr<float>(), matrices, bias, addend, y.data_ptr<float>(),
                                   space + share * space_floats, share, shares);
            });
    }

    /// Whether the sums of all threads take no more than most_bytes_of_sums: many channels on many cores would take
    /// gigabytes, and as long to be added up.
    bool has_room_for_sums() const
    {
        return at::get_num_threads() * matrix_floats * static_cast<std::int64_t>(sizeof(float)) <= most_bytes_of_sums;
    }

    /// Gradients of the weights and of the bias, [out].
    void sum_gradients(const torch::Tensor& x, const torch::Tensor& grad_y, const torch::Tensor& grad_weight,
                       const torch::Tensor& grad_bias) const
    {
        const std::int64_t threads = at::get_num_threads();
        const auto space_floats = winograd::space_floats(images, threads);
        float* const sums = scratchpad(threads * (matrix_floats + images.out + space_floats));
        float* const bias_sums = sums + threads * matrix_floats;
        float* const space = bias_sums + threads * images.out;
        in_shares(
            [&](std::int64_t share, std::int64_t shares)
            {
                winograd::sum_gradients(images, x.data_ptr<float>(), grad_y.data_ptr<float>(),
                                        sums + share * matrix_floats, bias_sums + share * images.out,
                                        space + share * space_floats, share, shares);
            });
        in_shares(
            [&](std::int64_t share, std::int64_t shares) {
                winograd::finish_gradients(images, sums, grad_weight.data_ptr<float>(), strides_of(grad_weight), share,
                                           shares);
            });
        auto* const bias_gradient = grad_bias.data_ptr<float>();
        for (std::int64_t o = 0; o < images.out; ++o)
        {
            bias_gradient[o] = 0;
            for (std::int64_t share = 0; share < threads; ++share)
            {
                bias_gradient[o] += bias_sums[share * images.out + o];
            }
        }
    }
};

/// The convolution of y's gradient that gives x's.
ConvolutionShape turned(ConvolutionShape shape)
{
    std::swap(shape.in, shape.out);
    return shape;
}

/// The values of an operand, null where it has none.
const float* values_of(const torch::Tensor& operand)
{
    return operand.numel() > 0 ? operand.data_ptr<float>() : nullptr;
}

/// bias: [O], or [0] for none: an input of an autograd function has to be defined. addend likewise.
class BlockedConvolution : public torch::autograd::Function<BlockedConvolution>
{
public:
    static torch::Tensor forward(AutogradContext* context, const torch::Tensor& images, const torch::Tensor& weight,
                                 const torch::Tensor& bias, const torch::Tensor& addend, std::int64_t stride,
                                 std::int64_t padding)
    {
        const auto x = images.contiguous();
        const auto key = key_of(x, weight, bias.numel() > 0, stride, padding);
        auto y = torch::empty({x.size(0), weight.size(0) / block_channels, key.shape.output_height(),
                               key.shape.output_width(), block_channels},
                              x.options());
        if (addend.numel() > 0 && addend.sizes() != y.sizes())
        {
            throw std::invalid_argument("blocked_convolution: what is added must have the shape of the result");
        }
        if (winograd_pays(key.shape))
        {
            const auto offset = bias.contiguous();
            const auto added = addend.contiguous();
            Winograd(key.shape).convolve(x, weight, false, values_of(offset), values_of(added), y);
        }
        else
        {
            directly(key, x, weight, bias, y);
            if (addend.numel() > 0)
            {
                y.add_(addend);
            }
        }
        context->save_for_backward({x, weight});
        context->saved_data["has_bias"] = key.has_bias;
        context->saved_data["stride"] = stride;
        context->saved_data["padding"] = padding;
        context->saved_data["has_addend"] = addend.numel() > 0;
        return y;
    }

    static tensor_list backward(AutogradContext* context, tensor_list grads)
    {
        const auto saved = context->get_saved_variables();
        const auto &x = saved[0], &weight = saved[1];
        const auto grad_y = grads[0].contiguous();
        const auto key = key_of(x, weight, context->saved_data["has_bias"].toBool(),
                                context->saved_data["stride"].toInt(), context->saved_data["padding"].toInt());
        torch::Tensor grad_x, grad_weight, grad_bias;
        if (x.requires_grad())
        {
            grad_x = input_gradient(key, weight, grad_y, x);
        }
        if (weight.requires_grad())
        {
            std::tie(grad_weight, grad_bias) = parameter_gradients(key, weight, grad_y, x);
        }
        const auto grad_addend = context->saved_data["has_addend"].toBool() ? grad_y : torch::Tensor();
        return {grad_x, grad_weight, grad_bias, grad_addend, {}, {}};
    }

private:
    static void directly(const Key& key, const torch::Tensor& x, const torch::Tensor& weight, const torch::Tensor& bias,
                         const torch::Tensor& y)
    {
        const auto& convolution = primitive_of<Forward>(key);
        const auto wanted = convolution.description.weights_desc();
        const auto ordered = reordered(weight, wanted);
        std::unordered_map<int, memory> arguments{{DNNL_ARG_SRC, at(key.input(), x)},
                                                  {DNNL_ARG_WEIGHTS, at(wanted, ordered)},
                                                  {DNNL_ARG_DST, at(key.output(), y)}};
        if (key.has_bias)
        {
            arguments.emplace(DNNL_ARG_BIAS, at(key.bias(), bias));
        }
        execute(convolution, std::move(arguments));
    }

    static torch::Tensor input_gradient(const Key& key, const torch::Tensor& weight, const torch::Tensor& grad_y,
                                        const torch::Tensor& x)
    {
        auto grad_x = torch::empty_like(x);
        if (winograd_pays(key.shape))
        {
            Winograd(turned(key.shape)).convolve(grad_y, weight, true, nullptr, nullptr, grad_x);
            return grad_x;
        }
        const auto& convolution = primitive_of<InputGradient>(key);
        const auto wanted = convolution.description.weights_desc();
        const auto ordered = reordered(weight, wanted);
        execute(convolution, {{DNNL_ARG_DIFF_DST, at(key.output(), grad_y)},
                              {DNNL_ARG_WEIGHTS, at(wanted, ordered)},
                              {DNNL_ARG_DIFF_SRC, at(key.input(), grad_x)}});
        return grad_x;
    }

    static std::pair<torch::Tensor, torch::Tensor> parameter_gradients(const Key& key, const torch::Tensor& weight,
                                                                       const torch::Tensor& grad_y,
                                                                       const torch::Tensor& x)
    {
        auto grad_weight = torch::empty_like(weight);
        auto grad_bias = torch::empty({weight.size(0)}, weight.options());
        if (const Winograd winograd(key.shape); winograd_pays(key.shape) && winograd.has_room_for_sums())
        {
            winograd.sum_gradients(x, grad_y, grad_weight, grad_bias);
            return {grad_weight, key.has_bias ? grad_bias : torch::Tensor()};
        }
        const auto& convolution = primitive_of<WeightGradient>(key);
        const auto given = convolution.description.diff_weights_desc();
        const auto ordered = space_for(given);
        std::unordered_map<int, memory> arguments{{DNNL_ARG_SRC, at(key.input(), x)},
                                                  {DNNL_ARG_DIFF_DST, at(key.output(), grad_y)},
                                                  {DNNL_ARG_DIFF_WEIGHTS, at(given, ordered)}};
        if (key.has_bias)
        {
            arguments.emplace(DNNL_ARG_DIFF_BIAS, at(key.bias(), grad_bias));
        }
        execute(convolution, std::move(arguments));
        reorder(at(given, ordered), at(order_of(grad_weight), grad_weight));
        return {grad_weight, key.has_bias ? grad_bias : torch::Tensor()};
    }
};

void require_operands(const torch::Tensor& x, const torch::Tensor& weight, const torch::Tensor& bias,
                      const torch::Tensor& addend)
{
    const auto fail = [](const char* reason)
    { throw std::invalid_argument(std::string("blocked_convolution: ") + reason); };
    if (!(x.dim() == 4 || is_in_blocks(x)) || weight.dim() != 4 || weight.size(1) != channels_of(x))
    {
        fail("images must be [N, C, H, W] or [N, C / 16, H, W, 16], weights [O, C, K, K]");
    }
    if (weight.size(0) % block_channels != 0 || (is_in_blocks(x) && x.size(4) != block_channels))
    {
        fail("channels must be a multiple of 16");
    }
    for (const auto& tensor : {x, weight, bias, addend})
    {
        if (tensor.defined() && (!tensor.is_cpu() || tensor.scalar_type() != torch::kFloat32))
        {
            fail("images and weights must be float32, in host memory");
        }
    }
    if (!has_blocked_convolutions())
    {
        fail("this processor has no AVX-512");
    }
}
}  // namespace

bool has_blocked_convolutions()
{
#if defined(__x86_64__)
    return winograd::is_built() && dnnl::get_effective_cpu_isa() >= dnnl::cpu_isa::avx512_core;
#else
    return false;
#endif
}

torch::Tensor blocked_convolution(const torch::Tensor& x, const torch::Tensor& weight, const torch::Tensor& bias,
                                  std::int64_t stride, std::int64_t padding, const torch::Tensor& addend)
{
    require_operands(x, weight, bias, addend);
    const auto none = torch::empty({0}, weight.options());
    return BlockedConvolution::apply(x, weight, bias.defined() ? bias : none, addend.defined() ? addend : none, stride,
                                     padding);
}
#else
bool has_blocked_convolutions()
{
    return false;
}

torch::Tensor blocked_convolution(const torch::Tensor&, const torch::Tensor&, const torch::Tensor&, std::int64_t,
                                  std::int64_t, const torch::Tensor&)
{
    throw std::invalid_argument("blocked_convolution: this build has no oneDNN");
}
#endif

torch::Tensor convolve_to_blocks(torch::nn::Conv2dImpl& conv, const torch::Tensor& x, const torch::Tensor& addend)
{
    // Of c10's variant or, in newer LibTorch, the standard library's.
    const auto& padding = get<torch::ExpandingArray<2>>(conv.options.padding());
    return blocked_convolution(x, conv.weight, conv.bias, conv.options.stride()->at(0), padding->at(0), addend);
}

torch::Tensor convolve(torch::nn::Conv2dImpl& conv, const torch::Tensor& x)
{
    return is_in_blocks(x) ? convolve_to_blocks(conv, x) : conv.forward(x);
}

torch::Tensor convolve_and_add(torch::nn::Conv2dImpl& conv, const torch::Tensor& x, const torch::Tensor& addend)
{
    return is_in_blocks(x) ? convolve_to_blocks(conv, x, addend) : conv.forward(x).add_(addend);
}
}  // namespace paws::nn

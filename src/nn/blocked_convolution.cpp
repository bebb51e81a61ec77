#include "src/nn/blocked_convolution.hpp"

#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/nn/functional/conv.h>
#include <torch/nn/modules/conv.h>

#include <map>
#include <stdexcept>
#include <string>

#include "src/nn/blocked_images.hpp"

#ifdef PAWS_ONEDNN
#include <oneapi/dnnl/dnnl.hpp>
#endif

namespace paws::nn
{
namespace
{
constexpr std::int64_t winograd_tile = 4;

/// Pixels of the tiles that an image is cut into, over its own.
double tile_waste(std::int64_t height, std::int64_t width)
{
    const auto covered = [](std::int64_t size) { return (size + winograd_tile - 1) / winograd_tile * winograd_tile; };
    return static_cast<double>(covered(height) * covered(width)) / static_cast<double>(height * width);
}
}  // namespace

bool winograd_pays(const ConvolutionShape& shape, ConvolutionPass pass)
{
    const bool fits = shape.kernel == 3 && shape.stride == 1 && shape.padding == 1 && shape.in % block_channels == 0 &&
                      shape.out % block_channels == 0;
    // One block of channels is too little work for the transforms of a tile, but for the gradient of the weights.
    const bool has_work = shape.in > block_channels || pass == ConvolutionPass::weight_gradient;
    constexpr double most_waste = 1.5;
    return fits && has_work && tile_waste(shape.height, shape.width) <= most_waste;
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
    algorithm fastest(ConvolutionPass pass) const
    {
        return winograd_pays(shape, pass) ? algorithm::convolution_winograd : algorithm::convolution_direct;
    }
};

dnnl::primitive_attr attributes()
{
    dnnl::primitive_attr attr;
    attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    return attr;
}

/// make(algorithm) with the faster algorithm; where oneDNN has no such primitive (make gives an empty one), directly.
template <class Make>
auto described(const Key& key, ConvolutionPass pass, const Make& make)
{
    auto description = make(key.fastest(pass));
    if (description.get(true) == nullptr)
    {
        description = make(algorithm::convolution_direct);
    }
    if (description.get(true) == nullptr)
    {
        throw std::runtime_error("blocked_convolution: oneDNN has no convolution for these images");
    }
    return description;
}

dnnl::convolution_forward::primitive_desc forward_description(const Key& key, algorithm how)
{
    const dnnl::convolution_forward::desc wanted(dnnl::prop_kind::forward_training, how, key.input(), key.weight(),
                                                 key.bias(), key.output(), key.strides(), key.padding(), key.padding());
    return {wanted, attributes(), engine(), true};
}

/// make(description of the forward convolution by the same algorithm), which oneDNN asks for behind a backward pass.
template <class Primitive, class Make>
typename Primitive::primitive_desc behind_forward(const Key& key, algorithm how, const Make& make)
{
    const auto hint = forward_description(key, how);
    return hint.get(true) == nullptr ? typename Primitive::primitive_desc() : make(hint);
}

using Forward = dnnl::convolution_forward;
using InputGradient = dnnl::convolution_backward_data;
using WeightGradient = dnnl::convolution_backward_weights;

/// The description of a key's primitive: what it wants its operands in.
template <class Primitive>
typename Primitive::primitive_desc description_of(const Key& key)
{
    if constexpr (std::is_same_v<Primitive, Forward>)
    {
        return described(key, ConvolutionPass::forward, [&](algorithm how) { return forward_description(key, how); });
    }
    else
    {
        constexpr bool of_weight = std::is_same_v<Primitive, WeightGradient>;
        const auto wanted = [&](algorithm how) -> typename Primitive::desc
        {
            if constexpr (of_weight)
            {
                return {how,          key.input(),   key.weight(),  key.bias(),
                        key.output(), key.strides(), key.padding(), key.padding()};
            }
            else
            {
                return {how, key.input(), key.weight(), key.output(), key.strides(), key.padding(), key.padding()};
            }
        };
        return described(key, of_weight ? ConvolutionPass::weight_gradient : ConvolutionPass::input_gradient,
                         [&](algorithm how)
                         {
                             return behind_forward<Primitive>(
                                 key, how,
                                 [&](const Forward::primitive_desc& hint) -> typename Primitive::primitive_desc {
                                     return {wanted(how), attributes(), engine(), hint, true};
                                 });
                         });
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

/// bias: [O], or [0] for none: an input of an autograd function has to be defined.
class BlockedConvolution : public torch::autograd::Function<BlockedConvolution>
{
public:
    static torch::Tensor forward(AutogradContext* context, const torch::Tensor& images, const torch::Tensor& weight,
                                 const torch::Tensor& bias, std::int64_t stride, std::int64_t padding)
    {
        const auto x = images.contiguous();
        const auto key = key_of(x, weight, bias.numel() > 0, stride, padding);
        const auto& convolution = primitive_of<Forward>(key);
        const auto wanted = convolution.description.weights_desc();
        const auto ordered = reordered(weight, wanted);
        auto y = torch::empty({x.size(0), weight.size(0) / block_channels, key.shape.output_height(),
                               key.shape.output_width(), block_channels},
                              x.options());
        std::unordered_map<int, memory> arguments{{DNNL_ARG_SRC, at(key.input(), x)},
                                                  {DNNL_ARG_WEIGHTS, at(wanted, ordered)},
                                                  {DNNL_ARG_DST, at(key.output(), y)}};
        if (key.has_bias)
        {
            arguments.emplace(DNNL_ARG_BIAS, at(key.bias(), bias));
        }
        execute(convolution, std::move(arguments));
        context->save_for_backward({x, weight});
        context->saved_data["has_bias"] = key.has_bias;
        context->saved_data["stride"] = stride;
        context->saved_data["padding"] = padding;
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
        return {grad_x, grad_weight, grad_bias, {}, {}};
    }

private:
    static torch::Tensor input_gradient(const Key& key, const torch::Tensor& weight, const torch::Tensor& grad_y,
                                        const torch::Tensor& x)
    {
        const auto& convolution = primitive_of<InputGradient>(key);
        const auto wanted = convolution.description.weights_desc();
        const auto ordered = reordered(weight, wanted);
        auto grad_x = torch::empty_like(x);
        execute(convolution, {{DNNL_ARG_DIFF_DST, at(key.output(), grad_y)},
                              {DNNL_ARG_WEIGHTS, at(wanted, ordered)},
                              {DNNL_ARG_DIFF_SRC, at(key.input(), grad_x)}});
        return grad_x;
    }

    static std::pair<torch::Tensor, torch::Tensor> parameter_gradients(const Key& key, const torch::Tensor& weight,
                                                                       const torch::Tensor& grad_y,
                                                                       const torch::Tensor& x)
    {
        const auto& convolution = primitive_of<WeightGradient>(key);
        const auto given = convolution.description.diff_weights_desc();
        const auto ordered = space_for(given);
        auto grad_weight = torch::empty_like(weight);
        torch::Tensor grad_bias;
        std::unordered_map<int, memory> arguments{{DNNL_ARG_SRC, at(key.input(), x)},
                                                  {DNNL_ARG_DIFF_DST, at(key.output(), grad_y)},
                                                  {DNNL_ARG_DIFF_WEIGHTS, at(given, ordered)}};
        if (key.has_bias)
        {
            grad_bias = torch::empty({weight.size(0)}, weight.options());
            arguments.emplace(DNNL_ARG_DIFF_BIAS, at(key.bias(), grad_bias));
        }
        execute(convolution, std::move(arguments));
        reorder(at(given, ordered), at(order_of(grad_weight), grad_weight));
        return {grad_weight, grad_bias};
    }
};

void require_operands(const torch::Tensor& x, const torch::Tensor& weight, const torch::Tensor& bias)
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
    for (const auto& tensor : {x, weight, bias})
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
    return dnnl::get_effective_cpu_isa() >= dnnl::cpu_isa::avx512_core;
#else
    return false;
#endif
}

torch::Tensor blocked_convolution(const torch::Tensor& x, const torch::Tensor& weight, const torch::Tensor& bias,
                                  std::int64_t stride, std::int64_t padding)
{
    require_operands(x, weight, bias);
    return BlockedConvolution::apply(x, weight, bias.defined() ? bias : torch::empty({0}, weight.options()), stride,
                                     padding);
}
#else
bool has_blocked_convolutions()
{
    return false;
}

torch::Tensor blocked_convolution(const torch::Tensor&, const torch::Tensor&, const torch::Tensor&, std::int64_t,
                                  std::int64_t)
{
    throw std::invalid_argument("blocked_convolution: this build has no oneDNN");
}
#endif

torch::Tensor convolve_to_blocks(torch::nn::Conv2dImpl& conv, const torch::Tensor& x)
{
    return blocked_convolution(x, conv.weight, conv.bias, conv.options.stride()->at(0),
                               c10::get<torch::ExpandingArray<2>>(conv.options.padding())->at(0));
}

torch::Tensor convolve(torch::nn::Conv2dImpl& conv, const torch::Tensor& x)
{
    return is_in_blocks(x) ? convolve_to_blocks(conv, x) : conv.forward(x);
}
}  // namespace paws::nn

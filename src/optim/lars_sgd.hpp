#pragma once

#include <torch/nn/module.h>
#include <torch/types.h>

#include <list>
#include <string>
#include <utility>
#include <vector>

namespace paws::optim
{
struct LarsSgdOptions
{
    double momentum = 0.9;
    double weight_decay = 1e-6;
    bool nesterov = false;
    bool lars = true;  ///< off: plain SGD, with weight decay for the same tensors
    double trust_coefficient = 0.001;
};

/// True for names with `bias` or `bn` in them: no weight decay and no layer-wise adaptation. As published, this leaves
/// batch norms inside `downsample` and `shortcut` out, whose names have numbers only.
bool excluded_from_adaptation(const std::string& name);

using NamedTensors = std::vector<std::pair<std::string, torch::Tensor>>;

/// The parameters of `module` that require a gradient, in its order and under its names.
NamedTensors trainable_parameters(const torch::nn::Module& module);

/// SGD under LARS (arXiv 1708.03888) over all parameters of a network at once (see kernels/lars_sgd.hpp).
/// Parameters are float32 or float64 (all of one type), all on one device, which does the work.
class LarsSgd
{
public:
    using NamedTensors = optim::NamedTensors;

    /// Throws std::invalid_argument where there are no parameters, or of more than one type or device.
    LarsSgd(NamedTensors parameters, const LarsSgdOptions& options);

    /// Trains trainable_parameters(module).
    LarsSgd(const torch::nn::Module& module, const LarsSgdOptions& options);

    /// Updates every parameter that has a gradient, which is of a loss that was multiplied by `loss_scale` (float32,
    /// 0-dimensional, on the parameters' device; undefined: by one). A gradient with an infinity or a NaN in it (or one
    /// so large that its norm is infinite) leaves all parameters and momenta as they were. Returns how many tensors
    /// have such a gradient: int32, 0-dimensional, on the device, overwritten by the next update. Nobody waits for the
    /// device.
    torch::Tensor update(double learning_rate, const torch::Tensor& loss_scale = {});

    /// The two parts of it: the rate of the updates from here on, and the update.
    void set_learning_rate(double learning_rate);
    torch::Tensor apply(const torch::Tensor& loss_scale = {});

    /// The same for those who want to know at once: whether the parameters were updated.
    bool step(double learning_rate, double loss_scale = 1);

    /// Around the capture of a graph on the current stream, whose gradients are no other ones' memory: an apply() in
    /// between reads where the gradients lie from memory that is filled at the end, and stays with this object.
    void begin_capture();
    void end_capture();

    void zero_grad();

    /// One buffer a parameter, under its name; zeros before the first step. They share memory with the optimiser.
    const NamedTensors& momentum() const { return momentum_; }

private:
    /// Where the kernels find what they update: arrays of kernels::ParameterSlice and kernels::ParameterChunk, as
    /// bytes on the device.
    struct Tables
    {
        std::vector<const void*> addresses;  ///< for which they were made
        torch::Tensor slices, chunks;
        std::int64_t slice_count = 0;
        std::int64_t chunk_count = 0;
        torch::Tensor host_slices, host_chunks;  ///< what pending upload
    };

    template <class Scalar>
    void apply_typed();
    template <class Scalar>
    void fill(Tables& tables, const std::vector<torch::Tensor>& gradients) const;
    template <class Scalar>
    Tables empty_tables() const;
    static void upload(Tables& tables);

    NamedTensors parameters_;
    NamedTensors momentum_;
    LarsSgdOptions options_;
    Tables tables_;
    std::list<Tables> captured_;
    bool is_capturing_ = false;
    bool is_scaled_ = false;        ///< whether rate_and_scale_ has another scale than one
    torch::Tensor rate_and_scale_;  ///< double [2]
    torch::Tensor square_sums_;     ///< double [chunks, 2], scratch of the kernel
    torch::Tensor rates_;           ///< double [parameters, 2], likewise
    torch::Tensor overflowed_;      ///< int32, 0-dimensional
};
}  // namespace paws::optim

#pragma once

#include <torch/nn/module.h>
#include <torch/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "src/config/config.hpp"

namespace torch::nn
{
class Conv2dImpl;
class SequentialImpl;
}  // namespace torch::nn

namespace paws::nn
{
/// What the encoder gives for a list of views, in the order of the list.
struct Encoding
{
    torch::Tensor h;  ///< [N, output_dim] after the projection head: what targets are made of; [N, classes] of a
                      ///< classifier, the logits
    torch::Tensor
        z;  ///< [N, output_dim] after the prediction head (h itself where there is none): what anchors are made of
};

/// Which of the outputs stands for an image in evaluation and in dumps: features [N, feature_dim()], h or z.
using config::Embedding;

/// A backbone with the published heads: `fc` (projection, three linear layers) and the optional `pred` (bottleneck);
/// or, in their place, with the published classifier: `fc`, the projection's first layer and one linear layer to
/// classes. Names and shapes of all parameters and buffers are those of the published PyTorch models.
class Encoder : public torch::nn::Module
{
public:
    /// Images [N, 3, H, W] to backbone features [N, feature_dim()].
    virtual torch::Tensor features(torch::Tensor images) = 0;
    virtual std::int64_t feature_dim() const = 0;

    /// `views`: tensors [N_i, 3, S_i, S_i]. Neighbours of one size go through the network together, as one batch with
    /// common batch-norm statistics; another size is another pass.
    Encoding forward(const std::vector<torch::Tensor>& views);

    /// One output for images [N, 3, S, S].
    torch::Tensor embed(const torch::Tensor& images, Embedding which);
    /// Several, in the order of `which`, with one pass through the network.
    std::vector<torch::Tensor> embed_as(const torch::Tensor& images, const std::vector<Embedding>& which);

    /// How convolutions of float32 images in host memory are computed from now on, where no autocast says otherwise.
    /// Direct at first.
    void use_convolution(config::Convolution convolution) { convolution_ = convolution; }

    /// Adds the heads; the last modules to be registered, so that the order of the state dict is the published one.
    void add_heads(std::int64_t output_dim, bool use_pred_head);
    void add_classifier(std::int64_t classes);

protected:
    /// The first layer's convolution of `images` [N, 3, H, W]; all that come after it take the order of its result.
    torch::Tensor first_convolution(torch::nn::Conv2dImpl& conv, const torch::Tensor& images) const;

private:
    config::Convolution convolution_ = config::Convolution::direct;
    std::shared_ptr<torch::nn::SequentialImpl> projection_;  ///< or the classifier
    std::shared_ptr<torch::nn::SequentialImpl> prediction_;
};

struct EncoderSettings
{
    std::string model_name;
    std::int64_t output_dim = 128;
    bool use_pred_head = false;
    std::int64_t classes = 0;  ///< above 0: a classifier in place of the heads, and the two above mean nothing
};

/// The names that make_encoder knows.
const std::vector<std::string>& model_names();

/// A freshly initialised network; LibTorch's default generator gives the random numbers.
/// Throws std::invalid_argument that lists the known names when `model_name` is none of them.
std::shared_ptr<Encoder> make_encoder(const EncoderSettings& settings);

/// Parameters and buffers in PyTorch's state-dict order: a module's own parameters, its buffers, then its children.
/// The tensors share memory with the module.
std::vector<std::pair<std::string, torch::Tensor>> state_dict(const torch::nn::Module& module);

/// Puts four-dimensional weights into channels-last order, in which convolutions run fastest; the values stay.
void to_channels_last(torch::nn::Module& module);

/// The number of trainable values.
std::int64_t parameter_count(const torch::nn::Module& module);
}  // namespace paws::nn

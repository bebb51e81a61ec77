#pragma once

#include <torch/types.h>

#include <memory>
#include <string>
#include <vector>

#include "io/hdf5/h5.hpp"
#include "src/nn/encoder.hpp"
#include "src/optim/lars_sgd.hpp"
#include "src/optim/schedule.hpp"
#include "tests/support/fill.hpp"

namespace paws::test
{
/// A network and its optimiser on the way through the steps of a golden trace, from the deterministic fill.
class TraceRun
{
public:
    /// With the published heads, and LARS, in double.
    explicit TraceRun(const io::h5::Group& group, torch::Device device = torch::kCPU)
        : TraceRun(group,
                   {group.attribute<std::string>("model_name"), group.attribute<std::int64_t>("output_dim"),
                    group.attribute<bool>("use_pred_head")},
                   true, group.attribute<double>("trust_coefficient"), torch::kFloat64, device)
    {
    }

    /// With the published heads, and LARS, in float32 on a CPU.
    static TraceRun in_float32(const io::h5::Group& group, config::Convolution convolution)
    {
        TraceRun run(group,
                     {group.attribute<std::string>("model_name"), group.attribute<std::int64_t>("output_dim"),
                      group.attribute<bool>("use_pred_head")},
                     true, group.attribute<double>("trust_coefficient"), torch::kFloat32);
        run.encoder_->use_convolution(convolution);
        return run;
    }

    /// With a classifier whose last layer starts at zero, and plain SGD.
    static TraceRun of_classifier(const io::h5::Group& group, torch::ScalarType type)
    {
        TraceRun run(
            group, {group.attribute<std::string>("model_name"), 0, false, group.attribute<std::int64_t>("num_classes")},
            false, 0.001, type);
        const torch::NoGradGuard no_gradient;
        for (auto& [name, tensor] : nn::state_dict(*run.encoder_))
        {
            if (name.rfind("fc.fc2.", 0) == 0)
            {
                tensor.zero_();
            }
        }
        return run;
    }

    /// One update by the gradients that forward_backward(encoder) leaves; returns what it returns.
    template <class ForwardBackward>
    auto step(const ForwardBackward& forward_backward, double rate)
    {
        optimizer_.zero_grad();
        auto value = forward_backward(*encoder_);
        optimizer_.step(rate);
        return value;
    }

    /// In PyTorch's order.
    std::vector<std::string> parameter_names() const
    {
        const auto parameters = encoder_->named_parameters();
        std::vector<std::string> names;
        for (const auto& [name, tensor] : nn::state_dict(*encoder_))
        {
            if (parameters.contains(name))
            {
                names.push_back(name);
            }
        }
        return names;
    }

    torch::Tensor parameter_norms(const std::vector<std::string>& names) const
    {
        std::vector<torch::Tensor> norms;
        const auto parameters = encoder_->named_parameters();
        for (const auto& name : names)
        {
            norms.push_back(parameters[name].detach().norm());
        }
        return torch::stack(norms);
    }

private:
    TraceRun(const io::h5::Group& group, const nn::EncoderSettings& settings, bool lars, double trust_coefficient,
             torch::ScalarType type, torch::Device device = torch::kCPU)
        : encoder_(nn::make_encoder(settings)),
          optimizer_(
              [&]
              {
                  deterministic_fill(*encoder_, static_cast<double>(group.attribute<std::int64_t>("fill_seed")));
                  encoder_->to(type);
                  encoder_->to(device);
                  encoder_->train();
                  return optim::LarsSgd(*encoder_,
                                        {group.attribute<double>("momentum"), group.attribute<double>("weight_decay"),
                                         group.attribute<bool>("nesterov"), lars, trust_coefficient});
              }())
    {
    }

    std::shared_ptr<nn::Encoder> encoder_;
    optim::LarsSgd optimizer_;
};

/// The learning rates of a golden trace.
inline optim::WarmupCosine schedule_of(const io::h5::Group& group)
{
    const auto real = [&](const char* name) { return group.attribute<double>(name); };
    return {real("start_lr"), real("lr"), real("final_lr"), group.attribute<std::int64_t>("warmup_steps"),
            group.attribute<std::int64_t>("total_steps")};
}
}  // namespace paws::test

#include "src/comm/gradient_hooks.hpp"

#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/variable.h>

namespace paws::comm
{
using torch::autograd::variable_list;

class GradientHooks::Hook final : public torch::autograd::FunctionPostHook
{
public:
    Hook(std::weak_ptr<const Ready> ready, std::size_t index) : ready_(std::move(ready)), index_(index) {}
    variable_list operator()(const variable_list& outputs, const variable_list&) override
    {
        if (const auto ready = ready_.lock())
        {
            (*ready)(index_);
        }
        return outputs;
    }

private:
    std::weak_ptr<const Ready> ready_;
    std::size_t index_;
};

GradientHooks::GradientHooks(const std::vector<at::Tensor>& parameters, std::function<void(std::size_t)> ready)
    : ready_(std::make_shared<const Ready>(std::move(ready)))
{
    for (std::size_t i = 0; i < parameters.size(); ++i)
    {
        auto accumulator = torch::autograd::impl::grad_accumulator(parameters[i]);
        accumulator->add_post_hook(std::make_unique<Hook>(ready_, i));
        accumulators_.push_back(std::move(accumulator));
    }
}
}  // namespace paws::comm

#include "src/comm/differentiable.hpp"

#include <torch/csrc/autograd/custom_function.h>
#include <torch/custom_class.h>

namespace paws::comm
{
namespace
{
using torch::autograd::AutogradContext;
using torch::autograd::tensor_list;

class Gather : public torch::autograd::Function<Gather>
{
public:
    static at::Tensor forward(AutogradContext* context, const at::Tensor& values,
                              std::shared_ptr<Communicator> communicator)
    {
        auto all = communicator->all_gather(values.detach().contiguous());
        context->saved_data["communicator"] =
            c10::IValue::make_capsule(c10::make_intrusive<Holder>(std::move(communicator)));
        return all;
    }

    static tensor_list backward(AutogradContext* context, tensor_list grads)
    {
        const auto holder = c10::static_intrusive_pointer_cast<Holder>(context->saved_data["communicator"].toCapsule());
        return {holder->communicator->reduce_scatter(grads[0].contiguous()), {}};
    }

private:
    struct Holder : torch::CustomClassHolder
    {
        explicit Holder(std::shared_ptr<Communicator> held) : communicator(std::move(held)) {}
        std::shared_ptr<Communicator> communicator;
    };
};
}  // namespace

at::Tensor gather_with_gradient(const std::shared_ptr<Communicator>& communicator, const at::Tensor& values)
{
    return communicator->is_alone() ? values : Gather::apply(values, communicator);
}
}  // namespace paws::comm

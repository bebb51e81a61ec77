#include "src/loss/simclr_loss.hpp"

#include <fmt/format.h>
#include <torch/csrc/autograd/custom_function.h>

#include <stdexcept>

#include "kernels/nt_xent.hpp"
#include "src/loss/neighbours.hpp"

namespace paws::loss
{
namespace
{
using device::view_of;
using torch::autograd::AutogradContext;
using torch::autograd::tensor_list;

/// The loss is one number and nothing else reads the similarities, so each block of them becomes its gradient at once:
/// the backward pass has nothing left to do but the step through the normalisation.
template <class Scalar>
class SimclrLossFunction : public torch::autograd::Function<SimclrLossFunction<Scalar>>
{
public:
    static torch::Tensor forward(AutogradContext* context, const torch::Tensor& z, const ContrastiveSettings& settings,
                                 bool with_gradient)
    {
        return device::on_device_of(
            z, [&](const auto& exec) { return forward_on(exec, context, z, settings, with_gradient); });
    }

    static tensor_list backward(AutogradContext* context, tensor_list grads)
    {
        return device::on_device_of(grads[0], [&](const auto& exec) { return backward_on(exec, context, grads[0]); });
    }

    template <class Exec>
    static torch::Tensor forward_on(const Exec& exec, AutogradContext* context, const torch::Tensor& z,
                                    const ContrastiveSettings& settings, bool with_gradient)
    {
        const auto rows = z.size(0);
        const auto queries = unit_rows<Scalar>(exec, z);
        device::hand_over(exec);
        const auto all = settings.communicator->all_gather(queries.rows);
        const auto block = std::min(rows, queries_of_block(all.size(0), sizeof(Scalar), settings.similarity_bytes));
        const auto similarities = torch::empty({block, all.size(0)}, queries.rows.options());
        const auto losses = torch::empty({rows}, queries.rows.options());
        const auto grad_queries = with_gradient ? torch::empty_like(queries.rows) : torch::Tensor();
        for (std::int64_t begin = 0; begin < rows; begin += block)
        {
            const auto count = std::min(block, rows - begin);
            const auto of_block = similarities.narrow(0, 0, count);
            device::multiply(queries.rows.narrow(0, begin, count), all.t(), of_block);
            const kernels::ViewPairs pairs{static_cast<int>(rows / 2), static_cast<int>(begin),
                                           static_cast<int>(settings.communicator->rank() * rows)};
            kernels::nt_xent(exec, view_of<Scalar, 2>(exec, of_block), pairs, settings.temperature,
                             view_of<Scalar, 1>(exec, losses.narrow(0, begin, count)));
            device::hand_over(exec);
            if (with_gradient)
            {
                device::multiply(of_block, all, grad_queries.narrow(0, begin, count));
            }
        }
        context->save_for_backward({queries.rows, queries.norms, grad_queries});
        return losses.mean();
    }

    template <class Exec>
    static tensor_list backward_on(const Exec& exec, AutogradContext* context, const torch::Tensor& grad)
    {
        const auto saved = context->get_saved_variables();
        const auto grad_units = saved[2] * (grad / saved[2].size(0));
        const auto grad_z = torch::empty_like(grad_units);
        kernels::l2_normalize_backward(exec, view_of<const Scalar, 2>(exec, grad_units),
                                       view_of<const Scalar, 2>(exec, saved[0]),
                                       view_of<const Scalar, 1>(exec, saved[1]), view_of<Scalar, 2>(exec, grad_z));
        device::hand_over(exec);
        return {grad_z, {}, {}};
    }
};

void require(bool holds, const std::string& message)
{
    if (!holds)
    {
        throw std::invalid_argument("simclr_loss: " + message);
    }
}
}  // namespace

torch::Tensor simclr_loss(const torch::Tensor& z, const ContrastiveSettings& settings)
{
    require(z.dim() == 2, "embeddings are [2B, D]");
    require(z.scalar_type() == torch::kFloat32 || z.scalar_type() == torch::kFloat64,
            "embeddings are float32 or float64");
    require(z.size(0) > 0 && z.size(0) % 2 == 0, fmt::format("{} rows are not two views of each image", z.size(0)));
    const bool with_gradient = z.requires_grad() && torch::GradMode::is_enabled();
    return z.scalar_type() == torch::kFloat64 ? SimclrLossFunction<double>::apply(z, settings, with_gradient)
                                              : SimclrLossFunction<float>::apply(z, settings, with_gradient);
}
}  // namespace paws::loss

#include "src/loss/paws_loss.hpp"

#include <fmt/format.h>
#include <torch/csrc/autograd/custom_function.h>

#include <stdexcept>

#include "kernels/multicrop_targets.hpp"
#include "kernels/paws_loss.hpp"
#include "src/comm/differentiable.hpp"
#include "src/loss/neighbours.hpp"

namespace paws::loss
{
namespace
{
using device::view_of;
using torch::autograd::AutogradContext;
using torch::autograd::tensor_list;

/// What the anchors are compared with: h of the large views, swapped [2B, D], and of the supports [M, D], without
/// gradient. Undefined where z is h: the anchors' own probabilities, swapped, are the targets' then.
struct Targets
{
    torch::Tensor views;
    torch::Tensor supports;
};

/// Forward and analytic backward around the vendor library's matrix products; see kernels/ for the formulas.
/// Where the similarities [N, M] of the anchors fit the memory allowed, the forward pass leaves their softmax to the
/// backward pass, which turns it into their gradient in place; where they don't, both passes go through blocks of
/// anchors, and the backward pass computes each block again.
template <class Scalar>
class PawsLossFunction : public torch::autograd::Function<PawsLossFunction<Scalar>>
{
public:
    static tensor_list forward(AutogradContext* context, const torch::Tensor& anchor_views,
                               const torch::Tensor& anchor_supports, const Targets& target,
                               std::shared_ptr<const SupportLabels> labels, PawsLossSettings settings)
    {
        return device::on_device_of(
            anchor_views, [&](const auto& exec)
            { return forward_on(exec, context, anchor_views, anchor_supports, target, std::move(labels), settings); });
    }

    static tensor_list backward(AutogradContext* context, tensor_list grads)
    {
        return device::on_device_of(grads[0].defined() ? grads[0] : grads[1],
                                    [&](const auto& exec) { return backward_on(exec, context, grads); });
    }

    template <class Exec>
    static tensor_list forward_on(const Exec& exec, AutogradContext* context, const torch::Tensor& anchor_views,
                                  const torch::Tensor& anchor_supports, const Targets& target,
                                  std::shared_ptr<const SupportLabels> labels, PawsLossSettings settings)
    {
        const auto options = anchor_views.options().requires_grad(false);
        const auto rows = anchor_views.size(0);
        const auto queries = unit_rows<Scalar>(exec, anchor_views);
        const auto supports = unit_rows<Scalar>(exec, anchor_supports, order_of(exec, *labels));
        torch::Tensor numerators;
        torch::Tensor totals;
        torch::Tensor probabilities;
        if (queries_of_block(labels->supports(), sizeof(Scalar), settings.similarity_bytes) >= rows)
        {
            numerators = torch::empty({rows, labels->supports()}, options);
            totals = torch::empty({rows}, options);
            probabilities = torch::empty({rows, labels->classes()}, options);
            predict<Scalar>(exec, queries.rows, supports.rows, *labels, settings.temperature, numerators, totals,
                            probabilities);
        }
        else
        {
            probabilities = predict_in_blocks<Scalar>(exec, queries.rows, supports.rows, *labels, settings.temperature,
                                                      settings.similarity_bytes);
        }

        const auto targets = torch::empty_like(probabilities);
        kernels::multicrop_targets(
            exec,
            view_of<const Scalar, 2>(exec, target.views.defined()
                                               ? target_probabilities(exec, target, *labels, settings)
                                               : swapped_large_views(probabilities, settings.multicrop)),
            settings.sharpen, view_of<Scalar, 2>(exec, targets));
        device::hand_over(exec);

        const auto row_losses = torch::empty({rows}, options);
        const auto mean = torch::zeros({labels->classes()}, options);
        const auto slope = torch::zeros({labels->classes()}, options);
        const auto loss = torch::empty({}, options);
        const auto me_max = torch::empty({}, options);
        const auto p = view_of<const Scalar, 2>(exec, probabilities);
        kernels::cross_entropy(exec, p, view_of<const Scalar, 2>(exec, targets), view_of<Scalar, 1>(exec, row_losses));
        if (settings.me_max)
        {
            const auto sharpened = torch::empty_like(probabilities);
            kernels::mean_sharpened(exec, p, settings.sharpen, view_of<Scalar, 2>(exec, sharpened),
                                    view_of<Scalar, 1>(exec, mean));
            device::hand_over(exec);
            mean_over_ranks(mean, *settings.communicator);
            kernels::me_max_slope(exec, view_of<const Scalar, 1>(exec, mean), view_of<Scalar, 1>(exec, slope));
            device::hand_over(exec);
        }
        kernels::paws_loss(exec, view_of<const Scalar, 1>(exec, row_losses), view_of<const Scalar, 1>(exec, mean),
                           view_of<Scalar, 0>(exec, loss), view_of<Scalar, 0>(exec, me_max));
        device::hand_over(exec);

        context->save_for_backward({queries.rows, queries.norms, supports.rows, supports.norms, numerators, totals,
                                    probabilities, targets, slope});
        context->saved_data["call"] =
            c10::IValue::make_capsule(c10::make_intrusive<Call>(std::move(labels), std::move(settings)));
        return {loss, me_max};
    }

    template <class Exec>
    static tensor_list backward_on(const Exec& exec, AutogradContext* context, const tensor_list& grads)
    {
        const auto saved = context->get_saved_variables();
        const auto &queries = saved[0], &query_norms = saved[1], &supports = saved[2], &support_norms = saved[3];
        const auto &probabilities = saved[6], &targets = saved[7], &slope = saved[8];
        const auto call = c10::static_intrusive_pointer_cast<Call>(context->saved_data["call"].toCapsule());
        const auto& labels = *call->labels;
        const auto& settings = call->settings;
        if (call->numerators_spent)
        {
            throw std::logic_error("the PAWS loss keeps one set of weights: backward can run once only");
        }
        const auto zero_where_undefined = [&](const torch::Tensor& grad)
        { return grad.defined() ? grad.contiguous() : torch::zeros({}, queries.options()); };
        const auto grad_loss = zero_where_undefined(grads[0]);
        const auto grad_me_max = zero_where_undefined(grads[1]);
        const auto grad_probabilities = torch::empty_like(probabilities);
        kernels::paws_loss_backward(exec, view_of<const Scalar, 2>(exec, probabilities),
                                    view_of<const Scalar, 2>(exec, targets), view_of<const Scalar, 1>(exec, slope),
                                    settings.sharpen, settings.me_max, view_of<const Scalar, 0>(exec, grad_loss),
                                    view_of<const Scalar, 0>(exec, grad_me_max),
                                    view_of<Scalar, 2>(exec, grad_probabilities));

        const auto rows = queries.size(0);
        const bool kept = saved[4].defined();
        const auto block = kept ? rows : queries_of_block(supports.size(0), sizeof(Scalar), settings.similarity_bytes);
        const auto numerators = kept ? saved[4] : torch::empty({block, supports.size(0)}, queries.options());
        const auto totals = kept ? saved[5] : torch::empty({block}, queries.options());
        const auto again = kept ? torch::Tensor() : torch::empty({block, labels.classes()}, queries.options());
        const auto grad_views = torch::empty_like(queries);
        const auto grad_sorted = kept ? torch::empty_like(supports) : torch::zeros_like(supports);
        for (std::int64_t begin = 0; begin < rows; begin += block)
        {
            const auto count = std::min(block, rows - begin);
            const auto of_block = [&](const torch::Tensor& x) { return x.narrow(0, begin, count); };
            const auto weights = numerators.narrow(0, 0, count);
            if (!kept)
            {
                predict<Scalar>(exec, of_block(queries), supports, labels, settings.temperature, weights,
                                totals.narrow(0, 0, count), again.narrow(0, 0, count));
            }
            kernels::soft_nearest_neighbours_backward(
                exec, view_of<const Scalar, 2>(exec, of_block(grad_probabilities)), segments_of(exec, labels),
                settings.temperature, view_of<const Scalar, 1>(exec, totals.narrow(0, 0, count)),
                view_of<Scalar, 2>(exec, weights));
            device::hand_over(exec);
            device::multiply(weights, supports, of_block(grad_views));
            (kept ? device::multiply : device::multiply_add)(weights.t(), of_block(queries), grad_sorted);
        }
        call->numerators_spent = kept;

        const auto grad_supports = torch::empty_like(supports);
        kernels::l2_normalize_backward(
            exec, view_of<const Scalar, 2>(exec, grad_views), view_of<const Scalar, 2>(exec, queries),
            view_of<const Scalar, 1>(exec, query_norms), view_of<Scalar, 2>(exec, grad_views));
        kernels::l2_normalize_backward(exec, view_of<const Scalar, 2>(exec, grad_sorted),
                                       view_of<const Scalar, 2>(exec, supports),
                                       view_of<const Scalar, 1>(exec, support_norms),
                                       view_of<Scalar, 2>(exec, grad_supports), order_of(exec, labels));
        device::hand_over(exec);
        return {grad_views, grad_supports, {}, {}, {}};
    }

private:
    struct Call : torch::CustomClassHolder
    {
        Call(std::shared_ptr<const SupportLabels> labels_, PawsLossSettings settings_)
            : labels(std::move(labels_)), settings(settings_)
        {
        }
        std::shared_ptr<const SupportLabels> labels;
        PawsLossSettings settings;
        /// The kept numerators have become the gradient of the similarities: a second backward pass has none left.
        bool numerators_spent = false;
    };

    static void mean_over_ranks(const torch::Tensor& mean, comm::Communicator& communicator)
    {
        if (!communicator.is_alone())
        {
            communicator.all_reduce(mean);
            mean.div_(communicator.world_size());
        }
    }

    template <class Exec>
    static torch::Tensor target_probabilities(const Exec& exec, const Targets& target, const SupportLabels& labels,
                                              const PawsLossSettings& settings)
    {
        return predict_in_blocks<Scalar>(exec, unit_rows<Scalar>(exec, target.views).rows,
                                         unit_rows<Scalar>(exec, target.supports, order_of(exec, labels)).rows, labels,
                                         settings.temperature, settings.similarity_bytes);
    }

    static torch::Tensor swapped_large_views(const torch::Tensor& probabilities, std::int64_t multicrop)
    {
        const auto images = probabilities.size(0) / (2 + multicrop);
        return torch::cat({probabilities.narrow(0, images, images), probabilities.narrow(0, 0, images)});
    }
};

void require(bool holds, const std::string& message)
{
    if (!holds)
    {
        throw std::invalid_argument("paws_loss: " + message);
    }
}

void require_anchors(const torch::Tensor& views, const torch::Tensor& supports, const SupportLabels& labels,
                     const PawsLossSettings& settings)
{
    require(views.dim() == 2 && supports.dim() == 2, "embeddings are [N, D]");
    require(views.scalar_type() == torch::kFloat32 || views.scalar_type() == torch::kFloat64,
            "embeddings are float32 or float64");
    const auto per_image = 2 + settings.multicrop;
    require(views.size(0) > 0 && views.size(0) % per_image == 0,
            fmt::format("{} anchor rows are not a multiple of {} views", views.size(0), per_image));
    const auto ranks = settings.communicator->world_size();
    require(supports.size(0) * ranks == labels.supports(),
            fmt::format("{} anchor supports for {} labels", supports.size(0) * ranks, labels.supports()));
}

PawsLoss apply(const torch::Tensor& anchor_views, const torch::Tensor& own_anchor_supports, const Targets& targets,
               const std::shared_ptr<const SupportLabels>& labels, const PawsLossSettings& settings)
{
    const auto anchor_supports = comm::gather_with_gradient(settings.communicator, own_anchor_supports);
    const auto run = [&](auto scalar) -> PawsLoss
    {
        const auto parts =
            PawsLossFunction<decltype(scalar)>::apply(anchor_views, anchor_supports, targets, labels, settings);
        return {parts[0], parts[1]};
    };
    return anchor_views.scalar_type() == torch::kFloat64 ? run(double{}) : run(float{});
}
}  // namespace

PawsLoss paws_loss(const torch::Tensor& anchor_views, const torch::Tensor& anchor_supports,
                   const torch::Tensor& target_views, const torch::Tensor& target_supports,
                   std::shared_ptr<const SupportLabels> labels, const PawsLossSettings& settings)
{
    require_anchors(anchor_views, anchor_supports, *labels, settings);
    const auto views = 2 + settings.multicrop;
    require(target_views.dim() == 2 && target_supports.dim() == 2, "embeddings are [N, D]");
    require(target_views.size(0) == anchor_views.size(0) / views * 2,
            fmt::format("{} target rows for {} anchor rows of {} views each", target_views.size(0),
                        anchor_views.size(0), views));
    require(target_supports.size(0) == anchor_supports.size(0),
            fmt::format("{} target supports for {} anchor supports", target_supports.size(0), anchor_supports.size(0)));
    const auto all_target_supports = settings.communicator->all_gather(target_supports.detach().contiguous());
    return apply(anchor_views, anchor_supports, {target_views.detach(), all_target_supports}, labels, settings);
}

PawsLoss paws_loss_of_encoding(const torch::Tensor& h, const torch::Tensor& z, std::int64_t images,
                               std::shared_ptr<const SupportLabels> labels, const PawsLossSettings& settings)
{
    const auto supports = labels->supports() / settings.communicator->world_size();
    const auto anchor_views = z.narrow(0, supports, z.size(0) - supports);
    const auto anchor_supports = z.narrow(0, 0, supports);
    if (h.is_same(z))
    {
        require_anchors(anchor_views, anchor_supports, *labels, settings);
        return apply(anchor_views, anchor_supports, {}, labels, settings);
    }
    const auto targets = h.detach();
    const auto first = targets.narrow(0, supports, images);
    const auto second = targets.narrow(0, supports + images, images);
    return paws_loss(anchor_views, anchor_supports, torch::cat({second, first}), targets.narrow(0, 0, supports),
                     std::move(labels), settings);
}
}  // namespace paws::loss

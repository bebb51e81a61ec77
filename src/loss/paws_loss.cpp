#include "src/loss/paws_loss.hpp"

#include <fmt/format.h>

#include <stdexcept>

#include "kernels/l2_normalize.hpp"
#include "kernels/multicrop_targets.hpp"
#include "kernels/paws_loss.hpp"
#include "src/nn/blas_threads.hpp"
#include "src/nn/tensor_view.hpp"

namespace paws::loss
{
namespace
{
using nn::HostExec;
using nn::view_of;
using torch::autograd::AutogradContext;
using torch::autograd::tensor_list;

struct Normalized
{
    torch::Tensor rows;   ///< [N, D], of length one
    torch::Tensor norms;  ///< [N]
};

template <class Scalar>
Normalized normalized(const HostExec& exec, const torch::Tensor& x)
{
    const auto source = x.contiguous();
    Normalized result{torch::empty_like(source), torch::empty({source.size(0)}, source.options())};
    kernels::l2_normalize(exec, view_of<const Scalar, 2>(source), view_of<Scalar, 2>(result.rows),
                          view_of<Scalar, 1>(result.norms));
    return result;
}

struct Predictions
{
    torch::Tensor weights;        ///< [N, M] softmax over the supports
    torch::Tensor probabilities;  ///< [N, K]
};

template <class Scalar>
Predictions predict(const HostExec& exec, const torch::Tensor& queries, const torch::Tensor& supports,
                    const SupportLabels& labels, double temperature)
{
    const nn::BlasThreads threads(queries.size(0), supports.size(0), queries.size(1));
    Predictions result{torch::mm(queries, supports.t()),
                       torch::empty({queries.size(0), labels.classes()}, queries.options())};
    kernels::soft_nearest_neighbours(exec, view_of<Scalar, 2>(result.weights), labels.view(), temperature,
                                     view_of<Scalar, 2>(result.probabilities));
    return result;
}

/// Forward and analytic backward around the vendor library's matrix products; see kernels/ for the formulas.
template <class Scalar>
class PawsLossFunction : public torch::autograd::Function<PawsLossFunction<Scalar>>
{
public:
    static tensor_list forward(AutogradContext* context, const torch::Tensor& anchor_views,
                               const torch::Tensor& anchor_supports, const torch::Tensor& target_views,
                               const torch::Tensor& target_supports, std::shared_ptr<const SupportLabels> labels,
                               PawsLossSettings settings)
    {
        const HostExec exec;
        torch::Tensor targets = torch::empty({anchor_views.size(0), labels->classes()}, anchor_views.options());
        {
            const auto queries = normalized<Scalar>(exec, target_views);
            const auto supports = normalized<Scalar>(exec, target_supports);
            const auto swapped = predict<Scalar>(exec, queries.rows, supports.rows, *labels, settings.temperature);
            kernels::multicrop_targets(exec, view_of<const Scalar, 2>(swapped.probabilities), settings.sharpen,
                                       view_of<Scalar, 2>(targets));
        }
        const auto queries = normalized<Scalar>(exec, anchor_views);
        const auto supports = normalized<Scalar>(exec, anchor_supports);
        const auto anchors = predict<Scalar>(exec, queries.rows, supports.rows, *labels, settings.temperature);

        const auto options = anchor_views.options();
        const auto row_losses = torch::empty({anchor_views.size(0)}, options);
        const auto mean = torch::zeros({labels->classes()}, options);
        const auto loss = torch::empty({}, options);
        const auto me_max = torch::empty({}, options);
        const auto probabilities = view_of<const Scalar, 2>(anchors.probabilities);
        kernels::cross_entropy(exec, probabilities, view_of<const Scalar, 2>(targets), view_of<Scalar, 1>(row_losses));
        if (settings.me_max)
        {
            const auto sharpened = torch::empty_like(anchors.probabilities);
            kernels::mean_sharpened(exec, probabilities, settings.sharpen, view_of<Scalar, 2>(sharpened),
                                    view_of<Scalar, 1>(mean));
        }
        kernels::paws_loss(exec, view_of<const Scalar, 1>(row_losses), view_of<const Scalar, 1>(mean),
                           view_of<Scalar, 0>(loss), view_of<Scalar, 0>(me_max));
        exec.fence();

        context->save_for_backward({queries.rows, queries.norms, supports.rows, supports.norms, anchors.weights,
                                    anchors.probabilities, targets, mean});
        context->saved_data["sharpen"] = settings.sharpen;
        context->saved_data["temperature"] = settings.temperature;
        context->saved_data["me_max"] = settings.me_max;
        context->saved_data["labels"] = c10::IValue::make_capsule(c10::make_intrusive<LabelsHolder>(std::move(labels)));
        return {loss, me_max};
    }

    static tensor_list backward(AutogradContext* context, tensor_list grads)
    {
        const HostExec exec;
        const auto saved = context->get_saved_variables();
        const auto &queries = saved[0], &query_norms = saved[1], &supports = saved[2], &support_norms = saved[3];
        // The weights become the gradient of the similarities, in place: a second backward pass has no weights left.
        const auto &weights = saved[4], &probabilities = saved[5], &targets = saved[6], &mean = saved[7];
        const auto labels =
            c10::static_intrusive_pointer_cast<LabelsHolder>(context->saved_data["labels"].toCapsule())->labels;
        if (labels == nullptr)
        {
            throw std::logic_error("the PAWS loss keeps one set of weights: backward can run once only");
        }
        const auto zero_where_undefined = [&](const torch::Tensor& grad)
        { return grad.defined() ? grad.contiguous() : torch::zeros({}, queries.options()); };
        const auto grad_loss = zero_where_undefined(grads[0]);
        const auto grad_me_max = zero_where_undefined(grads[1]);

        const auto grad_probabilities = torch::empty_like(probabilities);
        kernels::paws_loss_backward(exec, view_of<const Scalar, 2>(probabilities), view_of<const Scalar, 2>(targets),
                                    view_of<const Scalar, 1>(mean), context->saved_data["sharpen"].toDouble(),
                                    context->saved_data["me_max"].toBool(), view_of<const Scalar, 0>(grad_loss),
                                    view_of<const Scalar, 0>(grad_me_max), view_of<Scalar, 2>(grad_probabilities));
        kernels::soft_nearest_neighbours_backward(exec, view_of<const Scalar, 2>(grad_probabilities), labels->view(),
                                                  context->saved_data["temperature"].toDouble(),
                                                  view_of<Scalar, 2>(weights));
        exec.fence();
        context->saved_data["labels"] = c10::IValue::make_capsule(c10::make_intrusive<LabelsHolder>(nullptr));

        const nn::BlasThreads threads(queries.size(0), supports.size(0), queries.size(1));
        auto grad_views = torch::mm(weights, supports);
        auto grad_supports = torch::mm(weights.t(), queries);
        const auto through_normalization =
            [&](const torch::Tensor& grad, const torch::Tensor& rows, const torch::Tensor& norms)
        {
            kernels::l2_normalize_backward(exec, view_of<const Scalar, 2>(grad), view_of<const Scalar, 2>(rows),
                                           view_of<const Scalar, 1>(norms), view_of<Scalar, 2>(grad));
        };
        through_normalization(grad_views, queries, query_norms);
        through_normalization(grad_supports, supports, support_norms);
        exec.fence();
        return {grad_views, grad_supports, {}, {}, {}, {}};
    }

private:
    struct LabelsHolder : torch::CustomClassHolder
    {
        explicit LabelsHolder(std::shared_ptr<const SupportLabels> labels_) : labels(std::move(labels_)) {}
        std::shared_ptr<const SupportLabels> labels;
    };
};

void require(bool holds, const std::string& message)
{
    if (!holds)
    {
        throw std::invalid_argument("paws_loss: " + message);
    }
}
}  // namespace

PawsLoss paws_loss(const torch::Tensor& anchor_views, const torch::Tensor& anchor_supports,
                   const torch::Tensor& target_views, const torch::Tensor& target_supports,
                   std::shared_ptr<const SupportLabels> labels, const PawsLossSettings& settings)
{
    const auto views = 2 + settings.multicrop;
    require(
        anchor_views.dim() == 2 && anchor_supports.dim() == 2 && target_views.dim() == 2 && target_supports.dim() == 2,
        "embeddings are [N, D]");
    require(anchor_views.size(0) > 0 && anchor_views.size(0) % views == 0,
            fmt::format("{} anchor rows are no multiple of {} views", anchor_views.size(0), views));
    require(target_views.size(0) == anchor_views.size(0) / views * 2,
            fmt::format("{} target rows for {} anchor rows of {} views each", target_views.size(0),
                        anchor_views.size(0), views));
    require(anchor_supports.size(0) == labels->supports() && target_supports.size(0) == labels->supports(),
            fmt::format("{} and {} supports for {} labels", anchor_supports.size(0), target_supports.size(0),
                        labels->supports()));
    const auto type = anchor_views.scalar_type();
    const auto apply = [&](auto scalar) -> PawsLoss
    {
        const auto parts = PawsLossFunction<decltype(scalar)>::apply(
            anchor_views, anchor_supports, target_views.detach(), target_supports.detach(), labels, settings);
        return {parts[0], parts[1]};
    };
    require(type == torch::kFloat32 || type == torch::kFloat64, "embeddings are float32 or float64");
    return type == torch::kFloat64 ? apply(double{}) : apply(float{});
}

PawsLoss paws_loss_of_encoding(const torch::Tensor& h, const torch::Tensor& z, std::int64_t pictures,
                               std::shared_ptr<const SupportLabels> labels, const PawsLossSettings& settings)
{
    const auto supports = labels->supports();
    const auto targets = h.detach();
    const auto first = targets.narrow(0, supports, pictures);
    const auto second = targets.narrow(0, supports + pictures, pictures);
    return paws_loss(z.narrow(0, supports, z.size(0) - supports), z.narrow(0, 0, supports), torch::cat({second, first}),
                     targets.narrow(0, 0, supports), std::move(labels), settings);
}
}  // namespace paws::loss

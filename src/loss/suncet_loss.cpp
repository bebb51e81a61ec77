#include "src/loss/suncet_loss.hpp"

#include <fmt/format.h>
#include <torch/csrc/autograd/custom_function.h>

#include <stdexcept>

#include "kernels/class_cross_entropy.hpp"
#include "src/comm/differentiable.hpp"
#include "src/loss/neighbours.hpp"

namespace paws::loss
{
namespace
{
using device::view_of;
using torch::autograd::AutogradContext;
using torch::autograd::tensor_list;

/// This rank's rows, `first` … `first` + `rows` − 1 of all.
struct Queries
{
    torch::Tensor places;   ///< int64 [rows]: where they stand when all rows are sorted by class
    torch::Tensor columns;  ///< the same as int32
    torch::Tensor classes;  ///< int32 [rows]
};

Queries queries_of(const SupportLabels& labels, std::int64_t first, std::int64_t rows)
{
    const auto places = labels.places().narrow(0, first, rows);
    return {places, places.to(torch::kInt32), labels.class_of().narrow(0, first, rows)};
}

/// As in the SimCLR loss, each block of similarities becomes its gradient at once, and the backward pass has nothing
/// left to do but the step through the normalisation.
template <class Scalar>
class SuncetLossFunction : public torch::autograd::Function<SuncetLossFunction<Scalar>>
{
public:
    /// all: [M, D], of which the queries are the rows `first` … `first` + `rows` − 1.
    static torch::Tensor forward(AutogradContext* context, const torch::Tensor& all, std::int64_t first,
                                 std::int64_t rows, std::shared_ptr<const SupportLabels> labels,
                                 const ContrastiveSettings& settings, bool with_gradient)
    {
        return device::on_device_of(
            all, [&](const auto& exec)
            { return forward_on(exec, context, all, first, rows, std::move(labels), settings, with_gradient); });
    }

    static tensor_list backward(AutogradContext* context, tensor_list grads)
    {
        return device::on_device_of(grads[0], [&](const auto& exec) { return backward_on(exec, context, grads[0]); });
    }

    template <class Exec>
    static torch::Tensor forward_on(const Exec& exec, AutogradContext* context, const torch::Tensor& all,
                                    std::int64_t first, std::int64_t rows, std::shared_ptr<const SupportLabels> labels,
                                    const ContrastiveSettings& settings, bool with_gradient)
    {
        const auto supports = unit_rows<Scalar>(exec, all, order_of(exec, *labels));
        device::hand_over(exec);
        const auto queries = queries_of(*labels, first, rows);
        const auto query_rows = supports.rows.index_select(0, queries.places);
        const auto options = supports.rows.options();
        const auto block = std::min(rows, queries_of_block(all.size(0), sizeof(Scalar), settings.similarity_bytes));
        const auto similarities = torch::empty({block, all.size(0)}, options);
        const auto totals = torch::empty({block}, options);
        const auto probabilities = torch::empty({block, labels->classes()}, options);
        const auto losses = torch::empty({rows}, options);
        const auto grad_queries = with_gradient ? torch::empty_like(query_rows) : torch::Tensor();
        const auto grad_supports = with_gradient ? torch::zeros_like(supports.rows) : torch::Tensor();
        for (std::int64_t begin = 0; begin < rows; begin += block)
        {
            const auto count = std::min(block, rows - begin);
            const auto block_rows = query_rows.narrow(0, begin, count);
            const auto numerators = similarities.narrow(0, 0, count);
            const auto s = view_of<Scalar, 2>(exec, numerators);
            const auto p = view_of<Scalar, 2>(exec, probabilities.narrow(0, 0, count));
            const auto t = view_of<Scalar, 1>(exec, totals.narrow(0, 0, count));
            device::multiply(block_rows, supports.rows.t(), numerators);
            kernels::exclude_columns(exec, s,
                                     view_of<const std::int32_t, 1>(exec, queries.columns.narrow(0, begin, count)));
            kernels::soft_nearest_neighbours(exec, s, segments_of(exec, *labels), settings.temperature, t, p);
            kernels::class_cross_entropy(
                exec, p, view_of<const std::int32_t, 1>(exec, queries.classes.narrow(0, begin, count)),
                segments_of(exec, *labels), view_of<Scalar, 1>(exec, losses.narrow(0, begin, count)));
            if (with_gradient)
            {
                kernels::soft_nearest_neighbours_backward(exec, p, segments_of(exec, *labels), settings.temperature, t,
                                                          s);
                device::hand_over(exec);
                device::multiply(numerators, supports.rows, grad_queries.narrow(0, begin, count));
                device::multiply_add(numerators.t(), block_rows, grad_supports);
            }
            device::hand_over(exec);
        }
        if (with_gradient)
        {
            grad_supports.index_add_(0, queries.places, grad_queries);
        }
        context->save_for_backward({supports.rows, supports.norms, grad_supports});
        context->saved_data["rows"] = rows;
        context->saved_data["labels"] = c10::IValue::make_capsule(c10::make_intrusive<Holder>(std::move(labels)));
        return losses.mean();
    }

    template <class Exec>
    static tensor_list backward_on(const Exec& exec, AutogradContext* context, const torch::Tensor& grad)
    {
        const auto saved = context->get_saved_variables();
        const auto holder = c10::static_intrusive_pointer_cast<Holder>(context->saved_data["labels"].toCapsule());
        const auto grad_units = saved[2] * (grad / context->saved_data["rows"].toInt());
        const auto grad_all = torch::empty_like(grad_units);
        kernels::l2_normalize_backward(exec, view_of<const Scalar, 2>(exec, grad_units),
                                       view_of<const Scalar, 2>(exec, saved[0]),
                                       view_of<const Scalar, 1>(exec, saved[1]), view_of<Scalar, 2>(exec, grad_all),
                                       order_of(exec, *holder->labels));
        device::hand_over(exec);
        return {grad_all, {}, {}, {}, {}, {}};
    }

private:
    struct Holder : torch::CustomClassHolder
    {
        explicit Holder(std::shared_ptr<const SupportLabels> held) : labels(std::move(held)) {}
        std::shared_ptr<const SupportLabels> labels;
    };
};

void require(bool holds, const std::string& message)
{
    if (!holds)
    {
        throw std::invalid_argument("suncet_loss: " + message);
    }
}

void require_neighbours(const SupportLabels& labels)
{
    require(labels.supports() > 1, "one labelled image has no neighbours; give more");
    if (labels.off() == 0 && labels.lone_class())
    {
        require(false, fmt::format("class {} has one image in the batch, which no neighbour can predict; give more "
                                   "images of each class, or a label smoothing",
                                   *labels.lone_class()));
    }
}
}  // namespace

torch::Tensor suncet_loss(const torch::Tensor& z, const std::shared_ptr<const SupportLabels>& labels,
                          const ContrastiveSettings& settings)
{
    const auto ranks = settings.communicator->world_size();
    require(z.dim() == 2, "embeddings are [N, D]");
    require(z.scalar_type() == torch::kFloat32 || z.scalar_type() == torch::kFloat64,
            "embeddings are float32 or float64");
    require(z.size(0) > 0 && z.size(0) * ranks == labels->supports(),
            fmt::format("{} rows on each of {} ranks for {} labels", z.size(0), ranks, labels->supports()));
    require_neighbours(*labels);
    const bool with_gradient = z.requires_grad() && torch::GradMode::is_enabled();
    const auto all = comm::gather_with_gradient(settings.communicator, z);
    const auto first = settings.communicator->rank() * z.size(0);
    return z.scalar_type() == torch::kFloat64
               ? SuncetLossFunction<double>::apply(all, first, z.size(0), labels, settings, with_gradient)
               : SuncetLossFunction<float>::apply(all, first, z.size(0), labels, settings, with_gradient);
}
}  // namespace paws::loss

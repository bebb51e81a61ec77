#include "src/methods/fine_tuning.hpp"

#include <fmt/format.h>

#include "src/data/labelled_loader.hpp"
#include "src/methods/fine_tuning_steps.hpp"
#include "src/methods/loader_method.hpp"
#include "src/methods/support_batches.hpp"

namespace paws::methods
{
namespace
{
class SnnFineTuning final : public LoaderMethod<data::LabelledLoader>
{
public:
    SnnFineTuning(const config::Config& config, const data::Dataset& dataset, const data::RankShare& share,
                  const std::shared_ptr<comm::Communicator>& communicator, torch::Device device)
        : LoaderMethod(dataset, config, share, device),
          labels_(labels_of_supports(config, share.world_size, device)),
          settings_{config.criterion.temperature, similarity_bytes(config.criterion), communicator},
          images_per_step_(config.criterion.classes_per_batch * config.criterion.supervised_batch_size *
                           share.world_size)
    {
    }

    std::int64_t images_per_step() const override { return images_per_step_; }
    bool freezes_statistics() const override { return true; }

    std::vector<torch::Tensor> forward_backward(nn::Encoder& encoder, device::Precision precision,
                                                const optim::LossScaler* scaler) override
    {
        return {snn_forward_backward(encoder, batch().views, labels_, settings_, precision, scaler)};
    }

    std::vector<std::string> columns() const override { return {"suncet-loss"}; }

    std::string describe(const logging::StepValues& values) const override { return fmt::format("SuNCEt {:.3f}", values[0]); }

private:
    std::shared_ptr<const loss::SupportLabels> labels_;
    loss::ContrastiveSettings settings_;
    std::int64_t images_per_step_;
};

class FineTuning final : public LoaderMethod<data::LabelledLoader>
{
public:
    FineTuning(const config::Config& config, const data::Dataset& dataset, const data::RankShare& share,
               torch::Device device)
        : LoaderMethod(dataset, config, share, device),
          images_per_step_(config.optimization.batch_size * share.world_size)
    {
    }

    std::int64_t images_per_step() const override { return images_per_step_; }

    std::vector<torch::Tensor> forward_backward(nn::Encoder& encoder, device::Precision precision,
                                                const optim::LossScaler* scaler) override
    {
        const auto value = classifier_forward_backward(encoder, batch().views, batch().classes, precision, scaler);
        return {value.cross_entropy, value.top1};
    }

    std::vector<std::string> columns() const override { return {"cross-entropy-loss", "train-top1"}; }

    double loss_of(const logging::StepValues& values) const override { return values[0]; }

    std::string describe(const logging::StepValues& values) const override
    {
        return fmt::format("loss {:.3f}  training top-1 {:.1f} %", values[0], 100 * values[1]);
    }

private:
    std::int64_t images_per_step_;
};
}  // namespace

std::unique_ptr<Method> make_snn_fine_tuning(const config::Config& config, const data::Dataset& dataset,
                                             const data::RankShare& share,
                                             const std::shared_ptr<comm::Communicator>& communicator,
                                             torch::Device device)
{
    return std::make_unique<SnnFineTuning>(config, dataset, share, communicator, device);
}

std::unique_ptr<Method> make_fine_tuning(const config::Config& config, const data::Dataset& dataset,
                                         const data::RankShare& share, torch::Device device)
{
    return std::make_unique<FineTuning>(config, dataset, share, device);
}
}  // namespace paws::methods

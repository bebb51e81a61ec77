#include "src/methods/pre_training.hpp"

#include <fmt/format.h>

#include <cmath>

#include "src/data/paws_loader.hpp"
#include "src/methods/loader_method.hpp"
#include "src/methods/paws_step.hpp"
#include "src/methods/suncet_step.hpp"
#include "src/methods/support_batches.hpp"

namespace paws::methods
{
namespace
{
/// What the two have in common: labels of the supports, and unlabelled images that an epoch is counted by.
class PreTraining : public LoaderMethod<data::PawsLoader>
{
public:
    PreTraining(const config::Config& config, const data::Dataset& dataset, const data::RankShare& share,
                torch::Device device)
        : LoaderMethod(dataset, config, share, device),
          labels_(labels_of_supports(config, share.world_size, device)),
          images_per_step_(config.criterion.unsupervised_batch_size * share.world_size)
    {
    }

    std::int64_t images_per_step() const override { return images_per_step_; }

protected:
    const std::shared_ptr<const loss::SupportLabels>& labels() const { return labels_; }

private:
    std::shared_ptr<const loss::SupportLabels> labels_;
    std::int64_t images_per_step_;
};

class PawsMethod final : public PreTraining
{
public:
    PawsMethod(const config::Config& config, const data::Dataset& dataset, const data::RankShare& share,
               const std::shared_ptr<comm::Communicator>& communicator, torch::Device device)
        : PreTraining(config, dataset, share, device), settings_{config.data.multicrop,
                                                                 config.criterion.temperature,
                                                                 config.criterion.sharpen,
                                                                 config.criterion.me_max,
                                                                 similarity_bytes(config.criterion),
                                                                 communicator}
    {
    }

    std::vector<torch::Tensor> forward_backward(nn::Encoder& encoder, device::Precision precision,
                                                const optim::LossScaler* scaler) override
    {
        const auto value = paws_forward_backward(encoder, batch(), labels(), settings_, precision, scaler);
        return {value.cross_entropy, value.me_max};
    }

    std::vector<std::string> columns() const override { return {"paws-xent-loss", "paws-me_max-reg"}; }

    std::string describe(const logging::StepValues& values) const override
    {
        // Without me-max nobody computes the entropy.
        return settings_.me_max ? fmt::format("loss {:.3f}  entropy {:.2f} of {:.2f}", values[0], -values[1],
                                              std::log(static_cast<double>(labels()->classes())))
                                : fmt::format("loss {:.3f}", values[0]);
    }

private:
    loss::PawsLossSettings settings_;
};

class SuncetMethod final : public PreTraining
{
public:
    SuncetMethod(const config::Config& config, const data::Dataset& dataset, const data::RankShare& share,
                 const std::shared_ptr<comm::Communicator>& communicator, torch::Device device)
        : PreTraining(config, dataset, share, device),
          settings_{config.criterion.temperature, similarity_bytes(config.criterion), communicator}
    {
    }

    std::vector<torch::Tensor> forward_backward(nn::Encoder& encoder, device::Precision precision,
                                                const optim::LossScaler* scaler) override
    {
        const auto value = suncet_forward_backward(encoder, batch(), labels(), settings_, precision, scaler);
        return {value.suncet, value.simclr};
    }

    std::vector<std::string> columns() const override { return {"suncet-loss", "simclr-loss"}; }

    std::string describe(const logging::StepValues& values) const override
    {
        return fmt::format("SuNCEt {:.3f}  SimCLR {:.3f}", values[0], values[1]);
    }

private:
    loss::ContrastiveSettings settings_;
};
}  // namespace

std::unique_ptr<Method> make_paws(const config::Config& config, const data::Dataset& dataset,
                                  const data::RankShare& share, const std::shared_ptr<comm::Communicator>& communicator,
                                  torch::Device device)
{
    return std::make_unique<PawsMethod>(config, dataset, share, communicator, device);
}

std::unique_ptr<Method> make_suncet(const config::Config& config, const data::Dataset& dataset,
                                    const data::RankShare& share,
                                    const std::shared_ptr<comm::Communicator>& communicator, torch::Device device)
{
    return std::make_unique<SuncetMethod>(config, dataset, share, communicator, device);
}
}  // namespace paws::methods

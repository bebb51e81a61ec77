#include "src/train/method.hpp"

#include <fmt/format.h>

#include <cmath>

#include "src/train/paws_step.hpp"
#include "src/train/suncet_step.hpp"

namespace paws::train
{
namespace
{
std::shared_ptr<const loss::SupportLabels> labels_of_supports(const config::Config& config, std::int64_t world_size)
{
    const auto& criterion = config.criterion;
    return std::make_shared<const loss::SupportLabels>(loss::SupportLabels::stratified(
        criterion.classes_per_batch, criterion.supervised_imgs_per_class, criterion.supervised_views,
        config.data.label_smoothing, world_size, config.data.unique_classes_per_rank));
}

std::int64_t similarity_bytes(const config::Criterion& criterion)
{
    return static_cast<std::int64_t>(criterion.similarity_memory_gb * (std::int64_t{1} << 30));
}

class PawsMethod final : public Method
{
public:
    PawsMethod(const config::Config& config, std::int64_t world_size,
               const std::shared_ptr<comm::Communicator>& communicator)
        : labels_(labels_of_supports(config, world_size)), settings_{config.data.multicrop,
                                                                     config.criterion.temperature,
                                                                     config.criterion.sharpen,
                                                                     config.criterion.me_max,
                                                                     similarity_bytes(config.criterion),
                                                                     communicator}
    {
    }

    std::array<torch::Tensor, loss_parts> forward_backward(nn::Encoder& encoder, const data::PawsBatch& batch,
                                                           nn::Precision precision) override
    {
        const auto value = paws_forward_backward(encoder, batch, labels_, settings_, precision);
        return {value.cross_entropy, value.me_max};
    }

    std::array<const char*, loss_parts> columns() const override { return {"paws-xent-loss", "paws-me_max-reg"}; }

    std::string describe(const std::array<double, loss_parts>& parts) const override
    {
        return fmt::format("loss {:.3f}  entropy {:.2f} of {:.2f}", parts[0], -parts[1],
                           std::log(static_cast<double>(labels_->classes())));
    }

private:
    std::shared_ptr<const loss::SupportLabels> labels_;
    loss::PawsLossSettings settings_;
};

class SuncetMethod final : public Method
{
public:
    SuncetMethod(const config::Config& config, std::int64_t world_size,
                 const std::shared_ptr<comm::Communicator>& communicator)
        : labels_(labels_of_supports(config, world_size)),
          settings_{config.criterion.temperature, similarity_bytes(config.criterion), communicator}
    {
        const auto rows_of_class = labels_->supports() / labels_->classes();
        if (config.criterion.supervised_epochs > 0 && rows_of_class < 2 && config.data.label_smoothing == 0)
        {
            throw config::Error(
                "criterion.supervised_imgs_per_class: a class has one picture in the batch of all ranks, which has no "
                "neighbour of its class to be found by; raise it to 2, or criterion.supervised_views, or set "
                "data.label_smoothing");
        }
    }

    std::array<torch::Tensor, loss_parts> forward_backward(nn::Encoder& encoder, const data::PawsBatch& batch,
                                                           nn::Precision precision) override
    {
        const auto value = suncet_forward_backward(encoder, batch, labels_, settings_, precision);
        return {value.suncet, value.simclr};
    }

    std::array<const char*, loss_parts> columns() const override { return {"suncet-loss", "simclr-loss"}; }

    std::string describe(const std::array<double, loss_parts>& parts) const override
    {
        return fmt::format("SuNCEt {:.3f}  SimCLR {:.3f}", parts[0], parts[1]);
    }

private:
    std::shared_ptr<const loss::SupportLabels> labels_;
    loss::ContrastiveSettings settings_;
};
}  // namespace

std::unique_ptr<Method> make_method(const config::Config& config, std::int64_t world_size,
                                    const std::shared_ptr<comm::Communicator>& communicator)
{
    switch (config.task)
    {
        case config::Task::paws_train:
            return std::make_unique<PawsMethod>(config, world_size, communicator);
        case config::Task::suncet_train:
            return std::make_unique<SuncetMethod>(config, world_size, communicator);
        default:
            throw config::Error(
                fmt::format("task: {} does not pre-train; paws_train and suncet_train do", to_string(config.task)));
    }
}
}  // namespace paws::train

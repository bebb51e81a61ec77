#include "src/train/trainer.hpp"

#include <fmt/format.h>

#include <chrono>
#include <cmath>

#include "src/nn/batch_norm.hpp"
#include "src/train/phase.hpp"

namespace paws::train
{
namespace
{
using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start)
{
    return std::chrono::duration<double>(Clock::now() - start).count();
}

std::shared_ptr<nn::Encoder> new_encoder(const config::Meta& meta, nn::Precision precision,
                                         const std::shared_ptr<comm::Communicator>& communicator)
{
    torch::manual_seed(static_cast<std::uint64_t>(meta.seed));
    auto encoder = nn::make_encoder({meta.model_name, meta.output_dim, meta.use_pred_head});
    if (meta.init_backbone)
    {
        const auto notes = load_backbone(*meta.init_backbone, *encoder);
        for (const auto& note : communicator->rank() == 0 ? notes : std::vector<std::string>())
        {
            fmt::print("note: {}\n", note);
        }
    }
    encoder->to(nn::storage_type(precision));
    nn::to_channels_last(*encoder);
    nn::synchronise_batch_norm(*encoder, communicator);
    return encoder;
}

/// Equal seeds give equal weights where libraries and processors are the same; broadcast, they are equal everywhere.
void broadcast_state(const nn::Encoder& encoder, const optim::LarsSgd& optimizer, comm::Communicator& communicator)
{
    const torch::NoGradGuard no_gradient;
    for (const auto& [name, tensor] : nn::state_dict(encoder))
    {
        communicator.broadcast(tensor.detach(), 0);
    }
    for (const auto& [name, tensor] : optimizer.momentum())
    {
        communicator.broadcast(tensor, 0);
    }
}

std::optional<torch::ScalarType> wire_type(config::Precision precision)
{
    switch (precision)
    {
        case config::Precision::bf16:
            return torch::kBFloat16;
        case config::Precision::fp16:
            return torch::kFloat16;
        default:
            return std::nullopt;
    }
}

comm::ReducerSettings reducer_settings(const config::Meta& meta)
{
    return {static_cast<std::int64_t>(meta.bucket_mb * (1 << 20)), wire_type(meta.reduce_precision)};
}

using LossValues = std::array<double, loss_parts>;

LossValues values_of(const std::array<torch::Tensor, loss_parts>& loss)
{
    return {loss[0].item<double>(), loss[1].item<double>()};
}

LossValues mean_over_ranks(const LossValues& values, comm::Communicator& communicator)
{
    const auto sum = torch::tensor({values[0], values[1]}, torch::kFloat64);
    communicator.all_reduce(sum);
    const auto ranks = communicator.world_size();
    return {sum[0].item<double>() / ranks, sum[1].item<double>() / ranks};
}

/// The mean of what was added.
class Mean
{
public:
    void add(double value)
    {
        sum_ += value;
        ++count_;
    }
    double value() const { return count_ == 0 ? 0 : sum_ / static_cast<double>(count_); }

private:
    double sum_ = 0;
    std::int64_t count_ = 0;
};
}  // namespace

Trainer::Trainer(const config::Config& config, const data::Dataset& dataset, nn::Precision precision,
                 std::shared_ptr<comm::Communicator> communicator)
    : config_(config),
      precision_(precision),
      communicator_(std::move(communicator)),
      share_(data::rank_share(communicator_->rank(), communicator_->world_size(), config.meta.emulate_world)),
      method_(make_method(config, share_.world_size, communicator_)),
      loader_(dataset, config, share_),
      encoder_(new_encoder(config.meta, precision, communicator_)),
      optimizer_(std::make_unique<optim::LarsSgd>(
          *encoder_, optim::LarsSgdOptions{config.optimization.momentum, config.optimization.weight_decay,
                                           config.optimization.nesterov, config.optimization.use_lars,
                                           config.optimization.trust_coefficient})),
      reducer_(std::make_unique<comm::GradientReducer>(optim::trainable_parameters(*encoder_), communicator_,
                                                       reducer_settings(config.meta))),
      schedule_{config.optimization.start_lr, config.optimization.lr, config.optimization.final_lr,
                config.optimization.warmup * loader_.steps_per_epoch(),
                config.optimization.epochs * loader_.steps_per_epoch()}
{
    progress_.world_size = share_.world_size;
}

void Trainer::resume(const std::filesystem::path& checkpoint)
{
    progress_ = resume_from(checkpoint, *encoder_, *optimizer_, config_);
    if (progress_.world_size == share_.world_size)
    {
        loader_.restore_support_state(progress_.supports);
    }
    else
    {
        // Batches of another world: the epochs stay, steps and supports are those of this one.
        progress_.world_size = share_.world_size;
        progress_.steps_done = progress_.epochs_done * loader_.steps_per_epoch();
    }
}

void Trainer::synchronise()
{
    broadcast_state(*encoder_, *optimizer_, *communicator_);
}

void Trainer::save(const std::filesystem::path& checkpoint) const
{
    save_checkpoint(checkpoint, *encoder_, *optimizer_, progress_, config_);
}

double Trainer::run_epoch(const OnStep& on_step)
{
    encoder_->train();
    const auto pictures = static_cast<double>(config_.criterion.unsupervised_batch_size * share_.world_size);
    std::array<Mean, loss_parts> means, own_means;
    Mean step_time;
    StepReport report;
    report.epoch = progress_.epochs_done;
    const auto epoch_start = Clock::now();
    const auto waited_before = communicator_->seconds_waiting();
    loader_.start_epoch(report.epoch);
    for (;; ++report.step)
    {
        std::optional<data::PawsBatch> batch;
        {
            const Phase phase("data wait");
            batch = loader_.next();
        }
        if (!batch)
        {
            break;
        }
        const auto step_start = Clock::now();
        optimizer_->zero_grad();
        reducer_->start();
        const auto loss = values_of(method_->forward_backward(*encoder_, *batch, precision_));
        {
            const Phase phase("reduce");
            reducer_->finish();
        }
        report.learning_rate = schedule_.at(progress_.steps_done);
        bool updated = false;
        {
            const Phase phase("update");
            updated = optimizer_->step(report.learning_rate);
        }
        ++progress_.steps_done;

        const auto loss_of_all = mean_over_ranks(loss, *communicator_);
        step_time.add(1000 * seconds_since(step_start));
        for (std::size_t part = 0; part < loss_parts; ++part)
        {
            own_means[part].add(loss[part]);
            means[part].add(loss_of_all[part]);
            report.own_loss[part] = own_means[part].value();
            report.loss[part] = means[part].value();
        }
        report.step_milliseconds = step_time.value();
        report.epoch_seconds = seconds_since(epoch_start);
        report.pictures_per_second = pictures * static_cast<double>(report.step + 1) / report.epoch_seconds;
        report.data_wait_share = loader_.seconds_waited() / report.epoch_seconds;
        report.comm_wait_share = (communicator_->seconds_waiting() - waited_before) / report.epoch_seconds;
        const bool finite = std::isfinite(report.loss[0] + report.loss[1]);
        if (!finite || !updated)
        {
            throw std::runtime_error(fmt::format(
                "the {} is no number at epoch {}, step {} (learning rate {:.3g}); the last checkpoint is kept: lower "
                "optimization.lr or optimization.start_lr and start again",
                finite ? "gradient" : "loss", report.epoch + 1, report.step, report.learning_rate));
        }
        on_step(report);
    }
    ++progress_.epochs_done;
    progress_.loss = report.loss[0] + report.loss[1];
    progress_.best_loss = std::min(progress_.best_loss, progress_.loss);
    progress_.supports = loader_.support_state();
    return progress_.loss;
}
}  // namespace paws::train

#include "src/train/trainer.hpp"

#include <fmt/format.h>

#include <chrono>
#include <cmath>

#include "src/nn/batch_norm.hpp"
#include "src/train/phase.hpp"
#include "src/train/seconds.hpp"
#include "src/train/starting_network.hpp"

namespace paws::train
{
namespace
{
using Clock = std::chrono::steady_clock;

std::shared_ptr<nn::Encoder> prepared_network(const config::Config& config, nn::Precision precision,
                                              const std::shared_ptr<comm::Communicator>& communicator,
                                              std::vector<std::string>& notes)
{
    auto start = starting_network(config);
    notes = std::move(start.notes);
    auto& encoder = start.encoder;
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

StepValues values_of(const std::vector<torch::Tensor>& tensors)
{
    StepValues values;
    for (const auto& tensor : tensors)
    {
        values.push_back(tensor.item<double>());
    }
    return values;
}

/// What all ranks know of a step.
struct Agreed
{
    StepValues mean;
    bool stop = false;
    bool save = false;
};

/// One reduction for all of it.
Agreed agree_on_step(const StepValues& values, const StepRequest& asked, comm::Communicator& communicator)
{
    auto all = values;
    all.push_back(asked.stop ? 1 : 0);
    all.push_back(asked.save ? 1 : 0);
    const auto sum = torch::tensor(all, torch::kFloat64);
    communicator.all_reduce(sum);
    const auto mean = sum / communicator.world_size();
    const auto* const first = mean.data_ptr<double>();
    return {{first, first + values.size()}, first[values.size()] > 0, first[values.size() + 1] > 0};
}

std::vector<StepValues> gather_values(const StepValues& values, comm::Communicator& communicator)
{
    const auto all = communicator.all_gather(torch::tensor(values, torch::kFloat64).unsqueeze(0));
    std::vector<StepValues> of_ranks;
    for (std::int64_t rank = 0; rank < all.size(0); ++rank)
    {
        const auto row = all[rank];
        of_ranks.emplace_back(row.data_ptr<double>(), row.data_ptr<double>() + row.numel());
    }
    return of_ranks;
}
}  // namespace

Trainer::Trainer(const config::Config& config, const data::Dataset& dataset, nn::Precision precision,
                 std::shared_ptr<comm::Communicator> communicator)
    : config_(config),
      precision_(precision),
      communicator_(std::move(communicator)),
      share_(data::rank_share(communicator_->rank(), communicator_->world_size(), config.meta.emulate_world)),
      method_(make_method(config, dataset, share_, communicator_)),
      encoder_(prepared_network(config, precision, communicator_, progress_.notes)),
      optimizer_(std::make_unique<optim::LarsSgd>(
          *encoder_, optim::LarsSgdOptions{config.optimization.momentum, config.optimization.weight_decay,
                                           config.optimization.nesterov, config.optimization.use_lars,
                                           config.optimization.trust_coefficient})),
      reducer_(std::make_unique<comm::GradientReducer>(optim::trainable_parameters(*encoder_), communicator_,
                                                       reducer_settings(config.meta))),
      schedule_{config.optimization.start_lr, config.optimization.lr, config.optimization.final_lr,
                config.optimization.warmup * method_->steps_per_epoch(),
                config.optimization.epochs * method_->steps_per_epoch()}
{
    progress_.world_size = share_.world_size;
}

void Trainer::resume(const std::filesystem::path& checkpoint)
{
    progress_ = resume_from(checkpoint, *encoder_, *optimizer_, config_);
    auto& meters = progress_.meters;
    if (progress_.world_size == share_.world_size)
    {
        method_->restore_samplers(progress_.samplers);
    }
    else
    {
        // Batches of another world: places in epochs stay, steps and samplers are those of this one.
        if (progress_.world_size > 0)
        {
            const auto of_rank = method_->pictures_per_step() / share_.world_size;
            progress_.notes.push_back(fmt::format(
                "{} is of {} rank{}, this run computes for {}: a step has {} pictures instead of {}, and the "
                "supports of as many ranks; meta.emulate_world: {} keeps the mathematics",
                checkpoint.string(), progress_.world_size, progress_.world_size == 1 ? "" : "s", share_.world_size,
                of_rank * share_.world_size, of_rank * progress_.world_size, progress_.world_size));
        }
        meters = meters.in_steps_of(method_->pictures_per_step());
        progress_.world_size = share_.world_size;
        progress_.steps_done = progress_.epochs_done * method_->steps_per_epoch() + meters.steps;
        progress_.samplers = method_->sampler_state();
    }
    means_ = Means(meters.sums, meters.steps);
    const auto rank = static_cast<std::size_t>(communicator_->rank());
    const bool same_ranks = meters.own_sums.size() == static_cast<std::size_t>(communicator_->world_size());
    own_means_ = Means(same_ranks ? meters.own_sums[rank] : meters.sums, meters.steps);
}

void Trainer::synchronise()
{
    broadcast_state(*encoder_, *optimizer_, *communicator_);
}

io::Checkpoint Trainer::snapshot(io::Checkpoint recycled)
{
    auto& meters = progress_.meters;
    if (meters.steps > 0)
    {
        meters.sums = means_.sums();
        meters.own_sums = gather_values(own_means_.sums(), *communicator_);
    }
    return communicator_->rank() == 0 ? make_checkpoint(*encoder_, *optimizer_, progress_, config_, std::move(recycled))
                                      : io::Checkpoint{};
}

void Trainer::record_accuracy(double top1)
{
    is_best_ = !progress_.best_top1 || top1 > *progress_.best_top1;
    progress_.top1 = top1;
    progress_.best_top1 = is_best_ ? top1 : *progress_.best_top1;
}

bool Trainer::run_epoch(const OnStep& on_step, const Asked& asked)
{
    encoder_->train();
    if (method_->freezes_statistics())
    {
        nn::freeze_statistics(*encoder_);
    }
    const auto first_step = progress_.meters.steps;
    const auto pictures = method_->pictures_per_step();
    Means step_time;
    StepReport report;
    report.epoch = progress_.epochs_done;
    report.values = means_.values();
    const auto epoch_start = Clock::now();
    const auto waited_before = communicator_->seconds_waiting();
    method_->start_epoch(report.epoch, first_step);
    for (report.step = first_step;; ++report.step)
    {
        const Phase whole_step("step");
        {
            const Phase phase("data wait");
            if (!method_->next())
            {
                break;
            }
        }
        const auto step_start = Clock::now();
        optimizer_->zero_grad();
        reducer_->start();
        const auto own_values = values_of(method_->forward_backward(*encoder_, precision_));
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

        const auto agreed = agree_on_step(own_values, asked ? asked() : StepRequest{}, *communicator_);
        report.own_values = own_means_.add(own_values);
        report.values = means_.add(agreed.mean);
        report.step_milliseconds = step_time.add({1000 * seconds_since(step_start)}).front();
        report.epoch_seconds = seconds_since(epoch_start);
        report.pictures_per_second =
            static_cast<double>(pictures * (report.step - first_step + 1)) / report.epoch_seconds;
        report.data_wait_share = method_->seconds_waited() / report.epoch_seconds;
        report.comm_wait_share = (communicator_->seconds_waiting() - waited_before) / report.epoch_seconds;
        const bool finite = std::isfinite(method_->loss_of(report.values));
        if (!finite || !updated)
        {
            throw NotFinite(
                fmt::format("the {} is no number at epoch {}, step {} (learning rate {:.3g}); the last checkpoint is "
                            "kept: lower optimization.lr or optimization.start_lr and start again",
                            finite ? "gradient" : "loss", report.epoch + 1, report.step, report.learning_rate),
                report.epoch, report.step, method_->rows_of_step(report.step));
        }
        progress_.meters.steps = report.step + 1;
        progress_.meters.pictures = pictures;
        report.stops = agreed.stop;
        report.saves = agreed.save;
        on_step(report);
        if (report.stops)
        {
            return false;
        }
    }
    ++progress_.epochs_done;
    progress_.meters = {};
    means_ = own_means_ = {};
    progress_.loss = method_->loss_of(report.values);
    progress_.best_loss = std::min(progress_.best_loss, progress_.loss);
    progress_.top1.reset();
    progress_.samplers = method_->sampler_state();
    is_best_ = !progress_.best_top1 && progress_.loss <= progress_.best_loss;
    return true;
}
}  // namespace paws::train

#include "src/train/trainer.hpp"

#include <algorithm>

#include "io/base/seconds.hpp"
#include "src/checkpoint/starting_network.hpp"
#include "src/methods/registry.hpp"
#include "src/nn/batch_norm.hpp"
#include "src/profile/phase.hpp"

namespace paws::train
{
namespace
{
std::shared_ptr<nn::Encoder> prepared_network(const config::Config& config, device::Precision precision,
                                              const std::shared_ptr<comm::Communicator>& communicator,
                                              torch::Device device, std::vector<std::string>& notes)
{
    auto start = checkpoint::starting_network(config);
    notes = std::move(start.notes);
    auto& encoder = start.encoder;
    encoder->to(device::storage_type(precision));
    nn::to_channels_last(*encoder);
    encoder->to(device);
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

std::vector<logging::StepValues> gather_values(const logging::StepValues& values, comm::Communicator& communicator)
{
    const auto all = communicator.all_gather(torch::tensor(values, torch::kFloat64).unsqueeze(0));
    std::vector<logging::StepValues> of_ranks;
    for (std::int64_t rank = 0; rank < all.size(0); ++rank)
    {
        const auto row = all[rank];
        of_ranks.emplace_back(row.data_ptr<double>(), row.data_ptr<double>() + row.numel());
    }
    return of_ranks;
}
}  // namespace

Trainer::Trainer(const config::Config& config, const data::Dataset& dataset, device::Precision precision,
                 std::shared_ptr<comm::Communicator> communicator, torch::Device device)
    : config_(config),
      precision_(precision),
      communicator_(std::move(communicator)),
      device_(device),
      share_(data::rank_share(communicator_->rank(), communicator_->world_size(), config.meta.emulate_world)),
      loader_(methods::make_loader(config, dataset, share_, device)),
      method_(methods::make_method({config, share_.world_size, communicator_, device})),
      source_(dataset.source),
      encoder_(prepared_network(config, precision, communicator_, device, progress_.notes)),
      optimizer_(std::make_unique<optim::LarsSgd>(
          *encoder_, optim::LarsSgdOptions{config.optimization.momentum, config.optimization.weight_decay,
                                           config.optimization.nesterov, config.optimization.use_lars,
                                           config.optimization.trust_coefficient})),
      schedule_{config.optimization.start_lr, config.optimization.lr, config.optimization.final_lr,
                config.optimization.warmup * loader_->steps_per_epoch(),
                config.optimization.epochs * loader_->steps_per_epoch()},
      sums_(device, precision == device::Precision::fp16),
      reads_each_step_(device.is_cpu())
{
    progress_.world_size = share_.world_size;
    if (communicator_->rank() == 0)
    {
        // It writes the checkpoints, and compares for all.
        progress_.data = data::content_of(config.data, dataset);
    }
    if (precision == device::Precision::fp16)
    {
        scaler_.emplace(device);
    }
    if (config.meta.cuda_graph)
    {
        graph_.emplace(make_graph_recorder(device), *optimizer_);
    }
    // Gradients are accumulated on the stream that was current when somebody first asked for their accumulators, as the
    // reducer does: that of the steps.
    const StepGraph::Scope graph_scope(graph());
    reducer_ = std::make_unique<comm::GradientReducer>(optim::trainable_parameters(*encoder_), communicator_,
                                                       reducer_settings(config.meta));
}

void Trainer::synchronise()
{
    broadcast_state(*encoder_, *optimizer_, *communicator_);
}

io::Checkpoint Trainer::snapshot(io::Checkpoint recycled)
{
    auto& meters = progress_.meters;
    if (sums_.steps() > 0)
    {
        take_sums_into_means(meters.steps - 1);
    }
    if (meters.steps > 0)
    {
        meters.sums = means_.sums();
        meters.own_sums = gather_values(own_means_.sums(), *communicator_);
        meters.counted = means_.count();
        meters.own_counted.clear();
        for (const auto& count : gather_values({own_means_.count()}, *communicator_))
        {
            meters.own_counted.push_back(count.front());
        }
    }
    progress_.scaler = scaler_ ? std::optional(scaler_->state()) : std::nullopt;
    return communicator_->rank() == 0
               ? checkpoint::make_checkpoint(*encoder_, *optimizer_, progress_, config_, std::move(recycled))
               : io::Checkpoint{};
}

void Trainer::record_accuracy(double top1)
{
    is_best_ = !progress_.best_top1 || top1 > *progress_.best_top1;
    progress_.top1 = top1;
    progress_.best_top1 = is_best_ ? top1 : *progress_.best_top1;
}

bool Trainer::run(std::int64_t epochs, const Observers& observers)
{
    const auto tell = [&](auto event, auto&... what)
    {
        for (auto* const observer : observers)
        {
            (observer->*event)(what...);
        }
    };
    EpochReport start{progress_.epochs_done, progress_.steps_done, progress_.epochs_done >= epochs, {}, {}};
    tell(&Observer::before_training, start);
    bool stops = false;
    while (!stops && progress_.epochs_done < epochs)
    {
        tell(&Observer::before_epoch);
        {
            const StepGraph::Scope graph_scope(graph());
            begin_epoch();
            while (!stops)
            {
                const profile::Phase whole_step("step");
                auto batch = next_batch();
                if (!batch)
                {
                    break;
                }
                pace_.step_start = Clock::now();
                optimizer_->set_learning_rate(schedule_.at(progress_.steps_done));
                sums_.add(graph_ ? graph_->run(batch->tensors(), [&] { return take_step(*batch); })
                                 : take_step(*batch));
                const auto step = advance();

                StepRequest request;
                tell(&Observer::ask, progress_.steps_done, request);
                const auto& report = report_step(step, agree(step, request));
                tell(&Observer::after_step, report);
                stops = report.stops;
            }
            if (!stops)
            {
                finish_epoch();
            }
        }
        if (!stops)
        {
            EpochReport done{progress_.epochs_done, progress_.steps_done, progress_.epochs_done >= epochs, report_, {}};
            tell(&Observer::after_epoch, done);
        }
    }
    tell(&Observer::after_training);
    return !stops;
}

std::vector<torch::Tensor> Trainer::take_step(const data::Batch& batch)
{
    optimizer_->zero_grad();
    reducer_->start();
    auto outcome = method_->forward_backward(*encoder_, batch, precision_, scaler());
    for (auto& value : outcome)
    {
        value = value.detach();
    }
    {
        const profile::Phase phase("reduce");
        reducer_->finish();
    }
    const profile::Phase phase("update");
    outcome.push_back(optimizer_->apply(scaler_ ? scaler_->scale() : torch::Tensor()));
    if (scaler_)
    {
        scaler_->update(outcome.back());
    }
    return outcome;
}

void Trainer::begin_epoch()
{
    encoder_->train();
    if (method_->freezes_statistics())
    {
        nn::freeze_statistics(*encoder_);
    }
    report_ = {};
    left_out_ = 0;
    pace_ = {progress_.meters.steps, Clock::now(), Clock::now(), communicator_->seconds_waiting(), {}};
    loader_->start_epoch(progress_.epochs_done, pace_.first_step);
}

std::optional<data::Batch> Trainer::next_batch()
{
    const profile::Phase phase("data wait");
    return loader_->next();
}

std::int64_t Trainer::advance()
{
    const auto step = progress_.meters.steps;
    ++progress_.steps_done;
    ++progress_.meters.steps;
    progress_.meters.images = loader_->images_per_step();
    return step;
}

const StepReport& Trainer::report_step(std::int64_t step, const StepRequest& agreed)
{
    report_.epoch = progress_.epochs_done + 1;
    report_.step = step;
    report_.steps_done = progress_.steps_done;
    report_.read = sums_.steps() == 0;
    report_.own_values = own_means_.values();
    report_.values = means_.values();
    report_.learning_rate = schedule_.at(progress_.steps_done - 1);
    report_.left_out = left_out_;
    report_.loss_scale = loss_scale_;
    report_.note = graph_ ? graph_->take_note().value_or("") : "";
    report_.step_milliseconds = pace_.step_milliseconds.add({1000 * io::seconds_since(pace_.step_start)}).front();
    report_.epoch_seconds = io::seconds_since(pace_.epoch_start);
    report_.images_per_second =
        static_cast<double>(loader_->images_per_step() * (step - pace_.first_step + 1)) / report_.epoch_seconds;
    report_.data_wait_share = loader_->seconds_waited() / report_.epoch_seconds;
    report_.comm_wait_share = (communicator_->seconds_waiting() - pace_.waited_before) / report_.epoch_seconds;
    report_.stops = agreed.stop;
    report_.saves = agreed.save;
    return report_;
}

void Trainer::finish_epoch()
{
    if (sums_.steps() > 0)
    {
        take_sums_into_means(progress_.meters.steps - 1);
    }
    progress_.loss = method_->loss_of(means_.values());
    ++progress_.epochs_done;
    progress_.meters = {};
    means_ = own_means_ = {};
    progress_.best_loss = std::min(progress_.best_loss, progress_.loss);
    progress_.top1.reset();
    progress_.samplers = loader_->sampler_state();
    is_best_ = !progress_.best_top1 && progress_.loss <= progress_.best_loss;
}
}  // namespace paws::train

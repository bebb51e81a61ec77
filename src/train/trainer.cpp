#include "src/train/trainer.hpp"

#include <fmt/format.h>

#include <chrono>
#include <cmath>

#include "src/checkpoint/starting_network.hpp"
#include "src/nn/batch_norm.hpp"
#include "src/profile/phase.hpp"
#include "io/base/seconds.hpp"

namespace paws::train
{
namespace
{
using Clock = std::chrono::steady_clock;

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

logging::StepValues figures_of(const StepRequest& request)
{
    return {request.stop ? 1.0 : 0.0, request.save ? 1.0 : 0.0};
}

/// From the means of the figures over ranks.
StepRequest request_of(const logging::StepValues& figures)
{
    return {figures[0] > 0, figures[1] > 0};
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
      method_(methods::make_method(config, dataset, share_, communicator_, device)),
      source_(dataset.source),
      encoder_(prepared_network(config, precision, communicator_, device, progress_.notes)),
      optimizer_(std::make_unique<optim::LarsSgd>(
          *encoder_, optim::LarsSgdOptions{config.optimization.momentum, config.optimization.weight_decay,
                                           config.optimization.nesterov, config.optimization.use_lars,
                                           config.optimization.trust_coefficient})),
      schedule_{config.optimization.start_lr, config.optimization.lr, config.optimization.final_lr,
                config.optimization.warmup * method_->steps_per_epoch(),
                config.optimization.epochs * method_->steps_per_epoch()},
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
    const StepGraph::Scope graph_scope(graph_ ? &*graph_ : nullptr);
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
        read_sums(meters.steps - 1);
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

std::vector<torch::Tensor> Trainer::take_step()
{
    optimizer_->zero_grad();
    reducer_->start();
    auto outcome = method_->forward_backward(*encoder_, precision_, scaler());
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

StepRequest Trainer::agree(const StepRequest& asked, std::int64_t step, bool is_due)
{
    if (reads_each_step_)
    {
        // One reduction for all of it.
        return request_of(read_sums(step, figures_of(asked)));
    }
    // The hosts agree among themselves, beside what their devices do.
    const auto figures = torch::tensor(figures_of(asked), torch::kFloat64);
    communicator_->all_reduce(figures);
    const auto agreed = request_of({figures.data_ptr<double>(), figures.data_ptr<double>() + 2});
    if (is_due || agreed.stop || agreed.save)
    {
        read_sums(step);
    }
    return agreed;
}

logging::StepValues Trainer::read_sums(std::int64_t step, const logging::StepValues& extra)
{
    const auto steps = sums_.steps();
    const auto reading = sums_.read(*communicator_, extra);
    own_means_.add(reading.own.sums, reading.own.steps);
    means_.add(reading.mean.sums, reading.mean.steps);
    if (!std::isfinite(method_->loss_of(means_.sums())))
    {
        fail("loss is no number", step, reading, steps);
    }
    if (!scaler_)
    {
        if (reading.overflows > 0)
        {
            fail("gradient is no number", step, reading, steps);
        }
        return reading.extra;
    }
    left_out_ += reading.overflows;
    loss_scale_ = scaler_->scale().item<double>();
    if (loss_scale_ < 1)
    {
        fail("gradient is no number, whatever the loss is scaled by,", step, reading, steps);
    }
    return reading.extra;
}

void Trainer::fail(const std::string& what, std::int64_t last_step, const SumsReading& reading, std::int64_t steps)
{
    const auto own = std::min(last_step, last_step - steps + 1 + reading.steps_until);
    const auto step = communicator_->all_gather(torch::tensor({own}, torch::kInt64)).min().item<std::int64_t>();
    throw NotFinite(
        fmt::format("the {} at epoch {}, step {} (learning rate {:.3g}); the last checkpoint is kept: lower "
                    "optimization.lr or optimization.start_lr and start again",
                    what, progress_.epochs_done + 1, step, schedule_.at(progress_.steps_done - 1 - (last_step - step))),
        progress_.epochs_done, step, method_->rows_of_step(step));
}

bool Trainer::run_epoch(const OnStep& on_step, const Asked& asked)
{
    encoder_->train();
    if (method_->freezes_statistics())
    {
        nn::freeze_statistics(*encoder_);
    }
    const auto first_step = progress_.meters.steps;
    const auto images = method_->images_per_step();
    checkpoint::Means step_time;
    StepReport report;
    report.epoch = progress_.epochs_done;
    left_out_ = 0;
    const auto epoch_start = Clock::now();
    const auto waited_before = communicator_->seconds_waiting();
    const StepGraph::Scope graph_scope(graph_ ? &*graph_ : nullptr);
    method_->start_epoch(report.epoch, first_step);
    for (report.step = first_step;; ++report.step)
    {
        const profile::Phase whole_step("step");
        {
            const profile::Phase phase("data wait");
            if (!method_->next())
            {
                break;
            }
        }
        const auto step_start = Clock::now();
        report.learning_rate = schedule_.at(progress_.steps_done);
        optimizer_->set_learning_rate(report.learning_rate);
        sums_.add(graph_ ? graph_->run(method_->inputs(), [this] { return take_step(); }) : take_step());
        ++progress_.steps_done;

        const bool is_due = report.step == first_step || report.step % config_.logging.log_every == 0 ||
                            report.step + 1 == method_->steps_per_epoch();
        const auto agreed = agree(asked ? asked() : StepRequest{}, report.step, is_due);
        report.read = sums_.steps() == 0;
        report.own_values = own_means_.values();
        report.values = means_.values();
        report.left_out = left_out_;
        report.loss_scale = loss_scale_;
        report.note = graph_ ? graph_->take_note().value_or("") : "";
        report.step_milliseconds = step_time.add({1000 * io::seconds_since(step_start)}).front();
        report.epoch_seconds = io::seconds_since(epoch_start);
        report.images_per_second = static_cast<double>(images * (report.step - first_step + 1)) / report.epoch_seconds;
        report.data_wait_share = method_->seconds_waited() / report.epoch_seconds;
        report.comm_wait_share = (communicator_->seconds_waiting() - waited_before) / report.epoch_seconds;
        progress_.meters.steps = report.step + 1;
        progress_.meters.images = images;
        report.stops = agreed.stop;
        report.saves = agreed.save;
        on_step(report);
        if (report.stops)
        {
            return false;
        }
    }
    if (sums_.steps() > 0)
    {
        read_sums(report.step - 1);
    }
    progress_.loss = method_->loss_of(means_.values());
    ++progress_.epochs_done;
    progress_.meters = {};
    means_ = own_means_ = {};
    progress_.best_loss = std::min(progress_.best_loss, progress_.loss);
    progress_.top1.reset();
    progress_.samplers = method_->sampler_state();
    is_best_ = !progress_.best_top1 && progress_.loss <= progress_.best_loss;
    return true;
}
}  // namespace paws::train

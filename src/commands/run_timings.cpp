#include "src/commands/run_timings.hpp"

#include <nlohmann/json.hpp>

#include "io/base/host_name.hpp"
#include "io/files/atomic_file.hpp"
#include "io/hdf5/format.hpp"
#include "src/data/loader_settings.hpp"
#include "src/device/device.hpp"
#include "src/optim/lars_sgd.hpp"

namespace paws::commands
{
namespace
{
using Json = nlohmann::ordered_json;

/// What a rank gives to the gathers of embeddings for the loss, and to the reduction of their gradients.
Json gathers_of(const config::Config& config, device::Precision precision, std::int64_t emulated)
{
    const auto row = config.meta.output_dim * static_cast<std::int64_t>(elementSize(device::storage_type(precision)));
    const auto all = emulated * data::views_of_step(config).large;
    const auto supports = all - emulated * 2 * config.criterion.unsupervised_batch_size;
    switch (config.task)
    {
        case config::Task::paws_train:
            // With a prediction head the targets' supports are gathered beside the anchors'.
            return {{"forward_bytes", supports * row * (config.meta.use_pred_head ? 2 : 1)},
                    {"backward_bytes", supports * row}};
        case config::Task::suncet_train:
        case config::Task::snn_fine_tune:
            return {{"forward_bytes", all * row}, {"backward_bytes", supports * row}};
        default:
            return {{"forward_bytes", 0}, {"backward_bytes", 0}};
    }
}

std::int64_t bytes_of(const std::filesystem::path& path)
{
    std::error_code error;
    const auto bytes = std::filesystem::file_size(path, error);
    return error ? 0 : static_cast<std::int64_t>(bytes);
}

/// The values of one member of every row, for a data set.
template <class Row, class Value>
std::vector<Value> column(const std::vector<Row>& rows, Value Row::*member)
{
    std::vector<Value> values;
    for (const auto& row : rows)
    {
        values.push_back(row.*member);
    }
    return values;
}

template <class Row, class Value>
void write_column(io::h5::File& file, const std::string& path, const std::vector<Row>& rows, Value Row::*member)
{
    file.write<Value>(path, column(rows, member), {rows.size()});
}

/// The scalars of the JSON file as attributes.
void write_attributes(io::h5::File& file, const Json& content)
{
    for (const auto& [name, value] : content.items())
    {
        if (value.is_string())
        {
            file.set_attribute<std::string>(name, value);
        }
        else if (value.is_number_integer())
        {
            file.set_attribute<std::int64_t>(name, value);
        }
    }
}
}  // namespace

RunTimings::RunTimings(const config::Config& config, const checkpoint::RunFiles& files, train::Trainer& trainer,
                       device::Precision precision, const comm::World& world)
    : config_(config),
      files_(files),
      trainer_(trainer),
      precision_(precision),
      world_(world),
      hosts_(comm::gather_texts(*world.communicator, io::host_name())),
      timings_(world.communicator),
      table_(world.world_size())
{
    if (world_.is_first())
    {
        ready_.emplace(optim::trainable_parameters(trainer.encoder()));
        timings_.note_ready_times(&*ready_);
    }
}

void RunTimings::on_step(const train::StepReport& report)
{
    timings_.name_step(report.epoch + 1, report.step, trainer_.method().seconds_making());
}

std::optional<std::string> RunTimings::write(const std::function<void()>& before_files)
{
    table_.add(timings_.take_steps(), *world_.communicator);
    if (!world_.is_first() || table_.steps() == 0)
    {
        return std::nullopt;
    }
    try
    {
        before_files();
        write_files();
        is_written_ = true;
        return std::nullopt;
    }
    catch (const io::Error& error)
    {
        return error.what();
    }
}

Json RunTimings::content(const std::vector<profile::GradientTime>& gradients,
                         const std::vector<profile::BatchNormTime>& layers) const
{
    Json json{{"format", io::timings_format.name},
              {"version", io::timings_format.version},
              {"created_by", io::created_by()},
              {"task", to_string(config_.task)},
              {"network", config_.meta.model_name},
              {"precision", device::to_string(precision_)},
              {"device", (world_.device.is_cuda() ? "cuda: " : "") + device::describe_device(world_.device)},
              {"world_size", world_.world_size()},
              {"nodes", world_.nodes},
              {"hosts", hosts_},
              {"threads", at::get_num_threads()},
              {"steps", table_.steps()},
              {"warm_up_steps", table_.warm_up()},
              {"pictures_per_step", trainer_.method().images_per_step()},
              {"epoch_steps", trainer_.steps_per_epoch()}};
    json.update(table_.summary());
    json["gradients"] = Json::array();
    for (const auto& gradient : gradients)
    {
        json["gradients"].push_back({{"name", gradient.name}, {"bytes", gradient.bytes}, {"ready", gradient.ready}});
    }
    json["batch_norms"] = Json::array();
    for (const auto& layer : layers)
    {
        json["batch_norms"].push_back({{"channels", layer.channels},
                                       {"bytes_forward", layer.bytes_forward},
                                       {"bytes_backward", layer.bytes_backward},
                                       {"forward_at", layer.forward_at},
                                       {"backward_at", layer.backward_at}});
    }
    json["gathers"] = gathers_of(config_, precision_, trainer_.world_size() / world_.world_size());
    json["checkpoint_bytes"] = bytes_of(files_.latest());
    return json;
}

void RunTimings::write_files() const
{
    const auto gradients = ready_->gradients();
    const auto layers = ready_->batch_norms();
    const auto json = content(gradients, layers);
    auto file = io::h5::File::create(files_.timings_h5());
    io::write_format(file, io::timings_format);
    write_attributes(file, json);
    table_.write(file);
    file.write_strings("gradients/name", column(gradients, &profile::GradientTime::name));
    write_column(file, "gradients/bytes", gradients, &profile::GradientTime::bytes);
    write_column(file, "gradients/ready", gradients, &profile::GradientTime::ready);
    using Layer = profile::BatchNormTime;
    write_column(file, "batch_norms/channels", layers, &Layer::channels);
    write_column(file, "batch_norms/bytes_forward", layers, &Layer::bytes_forward);
    write_column(file, "batch_norms/bytes_backward", layers, &Layer::bytes_backward);
    write_column(file, "batch_norms/forward_at", layers, &Layer::forward_at);
    write_column(file, "batch_norms/backward_at", layers, &Layer::backward_at);
    file.save();
    io::write_atomically(files_.timings_json(), {json.dump(1), "\n"});
}
}  // namespace paws::commands

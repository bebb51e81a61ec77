#include "src/observers/run_timings.hpp"

#include <ATen/Parallel.h>
#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "io/base/error.hpp"
#include "io/base/printable.hpp"
#include "io/base/say.hpp"
#include "io/files/atomic_file.hpp"
#include "io/hdf5/format.hpp"
#include "io/ranks/host_name.hpp"
#include "src/device/device.hpp"
#include "src/optim/lars_sgd.hpp"

namespace paws::observers
{
namespace
{
using Json = nlohmann::ordered_json;

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

RunTimings::RunTimings(const config::Config& config, const checkpoint::RunFiles& files, checkpoint::RunFolder* folder,
                       train::Trainer& trainer, device::Precision precision, const comm::World& world, bool speaks)
    : config_(config),
      files_(files),
      folder_(folder),
      trainer_(trainer),
      precision_(precision),
      world_(world),
      speaks_(speaks),
      hosts_(world.group().gather_texts(ranks::host_name())),
      timings_(world.communicator),
      table_(world.world_size())
{
    if (world_.is_first())
    {
        ready_.emplace(optim::trainable_parameters(trainer.encoder()));
        timings_.note_ready_times(&*ready_);
    }
}

void RunTimings::after_step(const train::StepReport& report)
{
    timings_.name_step(report.epoch, report.step, trainer_.loader().seconds_making());
}

void RunTimings::after_epoch(train::EpochReport& report)
{
    if (!report.is_last)
    {
        write();
    }
}

void RunTimings::write()
{
    table_.add(timings_.take_steps(), *world_.communicator);
    if (folder_ == nullptr)
    {
        return;
    }
    const bool had_failed = std::exchange(has_failed_, false);
    if (table_.steps() == 0)
    {
        return;
    }
    try
    {
        folder_->restore();
        write_files();
        is_written_ = true;
    }
    catch (const io::Error& error)
    {
        has_failed_ = true;
        if (!had_failed && speaks_)
        {
            io::say_error(fmt::format("timings not written: {}; the run continues\n", io::printable(error.what())));
        }
    }
}

void RunTimings::summarise(nlohmann::json& summary) const
{
    if (is_written_)
    {
        summary["files"].push_back(files_.timings_json().string());
        summary["files"].push_back(files_.timings_h5().string());
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
              {"precision", to_string(precision_)},
              {"device", (world_.device.is_cuda() ? "cuda: " : "") + device::describe_device(world_.device)},
              {"world_size", world_.world_size()},
              {"nodes", world_.nodes},
              {"hosts", hosts_},
              {"threads", at::get_num_threads()},
              {"steps", table_.steps()},
              {"warm_up_steps", table_.warm_up()},
              {"pictures_per_step", trainer_.loader().images_per_step()},
              {"epoch_steps", trainer_.loader().steps_per_epoch()}};
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
    const auto rows = trainer_.method().gathered_rows(config_);
    const auto bytes_of_row = trainer_.world_size() / world_.world_size() * config_.meta.output_dim *
                              static_cast<std::int64_t>(elementSize(device::storage_type(precision_)));
    json["gathers"] = {{"forward_bytes", rows.forward * bytes_of_row},
                       {"backward_bytes", rows.backward * bytes_of_row}};
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
}  // namespace paws::observers

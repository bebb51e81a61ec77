#include "src/commands/describe_run.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "io/base/error.hpp"
#include "io/base/printable.hpp"
#include "io/base/quantity.hpp"
#include "io/files/input_path.hpp"
#include "io/ranks/agreed.hpp"
#include "io/ranks/host_name.hpp"
#include "io/ranks/process_limits.hpp"
#include "src/checkpoint/starting_network.hpp"
#include "src/commands/classifier_evaluation.hpp"
#include "src/commands/describe_data.hpp"
#include "src/commands/embed.hpp"
#include "src/config/task_traits.hpp"
#include "src/data/packed_file.hpp"
#include "src/device/blas_kernel.hpp"
#include "src/device/device.hpp"
#include "src/device/processor.hpp"
#include "src/methods/registry.hpp"
#include "src/nn/encoder.hpp"
#include "src/session/choose_device.hpp"
#include "src/session/choose_precision.hpp"
#include "src/session/describe_job.hpp"
#include "src/session/gpu_memory.hpp"
#include "src/session/job_limits.hpp"
#include "src/session/memory_estimate.hpp"
#include "src/session/node_load.hpp"
#include "src/session/runtime.hpp"

namespace paws::commands
{
namespace
{
/// What a run would compute on and in.
struct Plan
{
    torch::Device device = torch::kCPU;  ///< here
    bool is_for_gpus = false;
    device::Precision precision = device::Precision::fp32;
    std::string problem;  ///< why this machine cannot run it
};

/// A run for GPUs can be looked at on a machine without one. Collective.
Plan plan_of(const config::Meta& meta, const comm::World& world)
{
    Plan plan;
    try
    {
        plan.device = session::choose_device(meta, world);
        plan.is_for_gpus = plan.device.is_cuda();
        plan.precision = agreed(world.group(), [&] { return session::choose_precision(meta, plan.device); });
        return plan;
    }
    catch (const ranks::BadInput& error)
    {
        plan.problem = error.what();
    }
    // As on a GPU that can.
    plan.is_for_gpus = true;
    plan.precision = session::precision_on({true, {}, {9, 0}, ""}, meta);
    return plan;
}

/// Measured on this CPU.
session::MemoryEstimate expected_memory(const config::Config& config, device::Precision precision,
                                        const data::RankShare& share)
{
    const bool is_half = precision == device::Precision::bf16 || precision == device::Precision::fp16;
    if (!is_half || device::this_processor().avx512_bf16)
    {
        return session::estimate_memory(config, precision, share);
    }
    // Without such hardware, half precision would take minutes.
    auto memory = session::estimate_memory(config, device::Precision::fp32, share);
    memory.activations /= 2;
    return memory;
}

/// Against the GPU that there is; on a machine without one, against what clusters have.
std::string describe_gpu_memory(const config::Config& config, const Plan& plan, std::int64_t expected,
                                std::int64_t ranks)
{
    if (!plan.is_for_gpus)
    {
        return "";
    }
    const auto gpus = plan.device.is_cuda()
                          ? std::vector<session::GpuMemory>{{device::describe_device(plan.device),
                                                             device::gpu_bytes(plan.device.index())}}
                          : std::vector<session::GpuMemory>{{"a V100 of 16 GiB", std::int64_t{16} << 30},
                                                            {"a GPU of 80 GiB", std::int64_t{80} << 30}};
    const bool is_wide = plan.precision == device::Precision::fp32 || plan.precision == device::Precision::fp64;
    // A rank that emulates several can hand some of them to others; one that emulates itself has only its batch.
    const auto fewer_at_once = config.meta.emulate_world > ranks
                                   ? fmt::format(", or start more of the {} ranks", config.meta.emulate_world)
                                   : " (with more ranks, the batch of all stays)";
    const auto remedy = fmt::format("lower {}{}{}", config::traits_of(config.task).batch_key, fewer_at_once,
                                    is_wide ? ", or meta.precision: fp16" : "");
    return fmt::format("GPU memory      {}\n", session::describe_fit(expected, gpus, remedy));
}

/// Reads what is there; a dry run neither packs nor copies.
data::Dataset look_at_data(const config::Config& config)
{
    auto wanted = config;
    wanted.data.copy_data = false;
    const bool is_packed = config.data.file || !(config.data.is_cifar10() || config.data.is_synthetic());
    if (is_packed)
    {
        const auto place = data::packed_place(config.data);
        if (!place.exists && !place.folder.empty())
        {
            throw config::Error(
                fmt::format("the run begins by packing {} into {}", place.folder.string(), place.file.string()));
        }
    }
    auto dataset = data::load_dataset(wanted, data::Splits::train);
    if (is_packed && config.data.copy_data)
    {
        dataset.notes.push_back(fmt::format("data.copy_data: the run copies the file to {} of each node first",
                                            config.data.scratch.value_or("$SLURM_TMPDIR or $TMPDIR")));
    }
    return dataset;
}

std::string describe_steps(const config::Config& config, const data::Dataset& dataset, std::int64_t ranks)
{
    const auto steps = methods::make_loader(config, dataset, {0, 1, ranks}, torch::kCPU)->steps_per_epoch();
    const bool is_pre_training = config::pre_training.contains(config.task);
    return fmt::format(
        "data            {}: {}, {}{} labelled, {}\n"
        "steps           {} an epoch, {} in {}\n",
        io::printable(dataset.source), io::plural(dataset.train.count(), "training image"),
        is_pre_training ? fmt::format("{} unlabelled used, ", dataset.unlabelled.size()) : "", dataset.labelled.size(),
        io::plural(dataset.classes(), "class", "es"), steps, steps * config.optimization.epochs,
        io::plural(config.optimization.epochs, "epoch"));
}

/// "2 on a, 2 on b": equal neighbours together, the first few of many.
std::string listed_places(const std::vector<std::string>& places)
{
    constexpr std::size_t most = 8;
    std::vector<std::string> groups;
    for (std::size_t begin = 0, end = 0; begin < places.size(); begin = end)
    {
        end = begin + 1;
        while (end < places.size() && places[end] == places[begin])
        {
            ++end;
        }
        groups.push_back(fmt::format("{} on {}", end - begin, places[begin]));
    }
    const auto count = groups.size();
    groups.resize(std::min(count, most));
    return fmt::format("{}{}", fmt::join(groups, "; "), count > most ? fmt::format("; and {} more", count - most) : "");
}

/// Class-stratified images: "6 per rank, 12 in all: 3 classes × 2 images × 1 view per rank, the same classes on
/// each".
std::string describe_supports(const config::Config& config, std::int64_t ranks)
{
    const auto& criterion = config.criterion;
    const auto per_class = config::supports_per_class(config);
    const auto supports = criterion.classes_per_batch * per_class * criterion.supervised_views;
    return fmt::format("{} per rank, {} in all: {} × {} × {} per rank, {}", supports, supports * ranks,
                       io::plural(criterion.classes_per_batch, "class", "es"), io::plural(per_class, "image"),
                       io::plural(criterion.supervised_views, "view"),
                       config.data.unique_classes_per_rank ? "other classes on each" : "the same classes on each");
}

std::string describe_batch(const config::Config& config, std::int64_t ranks)
{
    const auto& criterion = config.criterion;
    const auto& data = config.data;
    if (config.task == config::Task::fine_tune)
    {
        const auto images = config.optimization.batch_size;
        return fmt::format("batch           {} per rank, {} in all, {}²\n", io::plural(images, "labelled image"),
                           images * ranks, data.crop_size);
    }
    if (config.task == config::Task::snn_fine_tune)
    {
        return fmt::format("batch           {}, {}²; statistics of batch norm as pre-trained\n",
                           describe_supports(config, ranks), data.crop_size);
    }
    const auto images = criterion.unsupervised_batch_size;
    auto text =
        fmt::format("batch           {} per rank, {} in all; of each image 2 views of {}²{}\n",
                    io::plural(images, "image"), images * ranks, data.crop_size,
                    data.multicrop > 0 ? fmt::format(" and {} of {}²", data.multicrop, data.small_crop_size) : "");
    if (!config::with_supports.contains(config.task))
    {
        return text;
    }
    const auto epochs = config.optimization.epochs;
    const auto supervised = config::epochs_with_supports(config);
    return text + fmt::format("supports        {}{}\n", describe_supports(config, ranks),
                              supervised ? fmt::format("; in {} of {}", std::min(*supervised, epochs),
                                                       io::plural(epochs, "epoch"))
                                         : "");
}

/// What fewer ranks than the published runs had do to the supports, which per-rank settings hide.
std::string note_on_supports(const config::Config& config, const data::Dataset& dataset, std::int64_t ranks)
{
    const auto& criterion = config.criterion;
    const auto in_step = config::classes_of_step(config, ranks);
    if (!config::with_supports.contains(config.task) || in_step >= dataset.classes())
    {
        return "";
    }
    return fmt::format(
        "note            {} of {} classes {} among the supports of a step{}; a support of fewer classes learns less: "
        "raise criterion.classes_per_batch{}\n",
        in_step, dataset.classes(), in_step == 1 ? "is" : "are",
        config.data.unique_classes_per_rank
            ? fmt::format(" ({} on each of {}, {} on 64)", criterion.classes_per_batch, io::plural(ranks, "rank"),
                          std::min(64 * criterion.classes_per_batch, dataset.classes()))
            : "",
        config.data.unique_classes_per_rank ? ", start more ranks, or set meta.emulate_world" : "");
}

/// What a CPU computes in, and what slows it down.
std::string describe_computing(const comm::World& world, const config::Meta& meta, device::Precision precision,
                               std::int64_t threads)
{
    // fp16 is that of a GPU which isn't here, of a dry run.
    if (!world.device.is_cpu() || precision == device::Precision::fp16)
    {
        return "";
    }
    auto text = session::describe_precision(meta, world.device);
    const auto note = device::note_on_slow_blas(device::blas_library(), device::this_processor());
    if (!note.empty())
    {
        text += fmt::format("note            {}\n", note);
    }
    if (const auto load = session::node_load())
    {
        text += session::describe_load(*load, world.ranks_on_node, threads);
    }
    return text;
}

/// What is read and written by a task that evaluates.
std::string describe_evaluation(const config::Config& config, const data::Dataset* dataset, const torch::Device& device)
{
    const auto path = config::traits_of(config.task).has_classifier
                          ? classifier_checkpoint(config).string()
                          : config.logging.path_of(config.logging.pretrain_path.value_or(""));
    auto text =
        fmt::format("checkpoint      {}{}\n", io::printable(path), io::is_there(path) ? "" : " (not there yet)");
    if (dataset != nullptr)
    {
        text += describe_data(config, *dataset, device);
    }
    if (config.task == config::Task::embed)
    {
        text += fmt::format("embeddings      {}\n", io::printable(embeddings_path(config).string()));
    }
    return text;
}
}  // namespace

std::string describe_placement(const comm::World& world, const config::Meta& meta, device::Precision precision,
                               std::int64_t threads, std::optional<std::chrono::seconds> job_seconds)
{
    const auto places = world.group().gather_texts(fmt::format(
        "{}, {}, {}", ranks::host_name(), io::plural(threads, "thread"), device::describe_device(world.device)));
    auto text = fmt::format("ranks           {} on {}: {}; {}\n", world.world_size(), io::plural(world.nodes, "node"),
                            listed_places(places), to_string(precision));
    if (world.is_first())
    {
        text += describe_computing(world, meta, precision, threads);
        text += session::describe_job({world.world_size(), static_cast<std::int64_t>(ranks::usable_cores()),
                                       world.device.is_cuda(), job_seconds});
    }
    return text;
}

std::string describe_sizes(const config::Config& config, const data::Dataset* dataset, std::int64_t ranks,
                           const torch::Device& device)
{
    const auto sized = dataset != nullptr ? checkpoint::with_classes_of(config, *dataset) : config;
    const auto encoder = checkpoint::new_network(sized);
    auto text = fmt::format(
        "{}network         {}, {} parameters\n{}",
        config.meta.emulate_world > 0 ? fmt::format("mathematics     of {}\n", io::plural(ranks, "rank")) : "",
        checkpoint::describe_network(sized), nn::parameter_count(*encoder), describe_batch(config, ranks));
    if (config.logging.pretrain_path)
    {
        const auto path = config.logging.path_of(*config.logging.pretrain_path);
        text +=
            fmt::format("starts from     {}{}\n", io::printable(path), io::is_there(path) ? "" : " (not there yet)");
    }
    const auto& optimization = config.optimization;
    text += fmt::format("learning rate   {} → {} in {}, then cosine to {}\n", optimization.start_lr, optimization.lr,
                        io::plural(optimization.warmup, "epoch"), optimization.final_lr);
    if (dataset != nullptr)
    {
        text += describe_steps(config, *dataset, ranks) + describe_data(config, *dataset, device) +
                note_on_supports(config, *dataset, ranks);
    }
    return text;
}

std::string describe_run(const config::Config& config, std::int64_t threads, const comm::World& ranks)
{
    std::string text;
    const auto plan = plan_of(config.meta, ranks);
    if (!plan.problem.empty())
    {
        text += fmt::format("note            this machine cannot run it, sizes are for {} on a GPU: {}\n",
                            to_string(plan.precision), io::printable(plan.problem));
    }
    auto world = ranks;
    world.device = plan.device;
    std::optional<data::Dataset> dataset;
    std::string no_data;
    try
    {
        dataset = look_at_data(config);
    }
    catch (const io::Error& error)
    {
        no_data = error.what();
    }
    catch (const config::Error& error)
    {
        no_data = error.what();
    }
    const auto job_seconds = world.is_first() ? session::seconds_until_job_ends() : std::nullopt;
    const auto unread = [&]
    {
        return no_data.empty()
                   ? ""
                   : fmt::format("data            not read{}: {}\n",
                                 config::trains(config) ? ", so no number of steps" : "", io::printable(no_data));
    };
    if (!config::trains(config))
    {
        return text + describe_placement(world, config.meta, plan.precision, threads, job_seconds) +
               describe_evaluation(config, dataset ? &*dataset : nullptr, plan.device) + unread();
    }
    const auto share = data::rank_share(world.rank(), world.world_size(), config.meta.emulate_world);
    // What the method would refuse is refused here too.
    methods::require_learnable(config, share.world_size);
    text += describe_placement(world, config.meta, plan.precision, threads, job_seconds);
    text += describe_sizes(config, dataset ? &*dataset : nullptr, share.world_size, plan.device);
    const auto memory = expected_memory(config, plan.precision, share);
    text += fmt::format("memory          {} expected: {} weights, gradients and momentum, {} activations{}\n",
                        io::gibibytes(memory.total()), io::gibibytes(memory.weights), io::gibibytes(memory.activations),
                        dataset ? ", " + io::gibibytes(dataset->train.bytes()) +
                                      (dataset->train.in_memory() ? " images beside them" : " images in their file")
                                : "");
    text += describe_gpu_memory(config, plan, memory.total(), world.world_size());
    return text + unread();
}
}  // namespace paws::commands

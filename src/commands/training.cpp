#include "src/commands/training.hpp"

#include <ATen/Parallel.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <optional>

#include "io/base/printable.hpp"
#include "io/base/say.hpp"
#include "io/base/seconds.hpp"
#include "io/ranks/agreed.hpp"
#include "src/checkpoint/run_files.hpp"
#include "src/checkpoint/starting_network.hpp"
#include "src/checkpoint/stored_checkpoint.hpp"
#include "src/commands/bad_step.hpp"
#include "src/commands/describe_run.hpp"
#include "src/commands/run_evaluations.hpp"
#include "src/commands/training_start.hpp"
#include "src/data/labelled.hpp"
#include "src/logging/run_log.hpp"
#include "src/observers/checkpoint_keeper.hpp"
#include "src/observers/epoch_messages.hpp"
#include "src/observers/log_writer.hpp"
#include "src/observers/progress_display.hpp"
#include "src/observers/run_timings.hpp"
#include "src/session/choose_precision.hpp"
#include "src/session/memory_check.hpp"
#include "src/session/stop_control.hpp"
#include "src/train/trainer.hpp"

namespace paws::commands
{
namespace
{
data::Splits splits_of(const config::Config& config)
{
    const bool has_held_out =
        config.task == config::Task::fine_tune && data::existing_held_out_list(config.data).has_value();
    return config.logging.eval_every > 0 && !has_held_out ? data::Splits::train_and_validation : data::Splits::train;
}

/// What the user reads before the first step.
void say_start(const config::Config& config, const data::Dataset& dataset, const TrainingStart& begun,
               const std::string& placement, const torch::Device& device)
{
    const auto& trainer = *begun.trainer;
    if (!io::is_quiet())
    {
        io::say(placement + describe_sizes(config, &dataset, trainer.world_size(), device));
    }
    for (const auto* const notes : {&begun.choice.notes, &trainer.progress().notes})
    {
        for (const auto& note : *notes)
        {
            io::say(fmt::format("note: {}\n", io::printable(note)));
        }
    }
    if (const auto& checkpoint = begun.choice.checkpoint)
    {
        const auto path = checkpoint::existing_checkpoint(*checkpoint);
        io::say(fmt::format("resumed from    {}, {}\n", io::printable(path.string()), describe_place(trainer)));
    }
}

/// Collective: the log files of this rank.
std::unique_ptr<logging::RunLog> open_log(const config::Config& config, const checkpoint::RunFiles& files,
                                          const TrainingStart& begun, const comm::World& world)
{
    const auto& progress = begun.trainer->progress();
    const logging::LogStart start{!begun.choice.checkpoint, progress.epochs_done, progress.meters.steps,
                                  progress.steps_done};
    return ranks::agreed(world.group(),
                         [&]
                         {
                             return std::make_unique<logging::RunLog>(config.logging, files.run(),
                                                                      begun.trainer->method().columns(), start,
                                                                      world.rank(), world.world_size());
                         });
}
}  // namespace

Summary run_training(const config::Config& config, const TrainOptions& options, const comm::World& world)
{
    return run_training(config,
                        agreed(world.group(), [&] { return data::load_dataset(config, splits_of(config), world); }),
                        options, world);
}

Summary run_training(const config::Config& wanted, const data::Dataset& dataset, const TrainOptions& options,
                     const comm::World& world)
{
    const auto start = std::chrono::steady_clock::now();
    const auto config = checkpoint::with_classes_of(wanted, dataset);
    const auto precision =
        ranks::agreed(world.group(), [&] { return session::choose_precision(config.meta, world.device); });
    ranks::agreed(world.group(), [&] { session::require_memory_to_train(config, precision, world); });
    const checkpoint::RunFiles files(config);
    const bool speaks = world.is_first() && !options.quiet;
    const auto begun = start_training(config, dataset, precision, options.resume, files, world);
    auto& trainer = *begun.trainer;
    auto* const folder = begun.folder.get();
    const auto placement =
        describe_placement(world, config.meta, precision, at::get_num_threads(), options.job_seconds);
    if (speaks)
    {
        say_start(config, dataset, begun, placement, world.device);
    }

    // From here on at the latest signals are requests: whoever sees the run's files may send one.
    session::StopControl stop(options.stop_after, options.job_seconds, world.is_first(), !speaks);
    observers::LogWriter logs(open_log(config, files, begun, world), config.logging.log_every, folder, options.quiet);
    RunEvaluations evaluations(config, dataset, precision, trainer, world);
    observers::CheckpointKeeper checkpoints(config.logging, files, folder, trainer, world, options.quiet);
    std::optional<observers::RunTimings> timings;
    if (config.logging.timings)
    {
        timings.emplace(config, files, folder, trainer, precision, world, speaks);
    }
    const auto all_epochs = config.optimization.epochs;
    observers::ProgressDisplay progress(trainer.method(),
                                        {all_epochs, trainer.loader().steps_per_epoch() * all_epochs,
                                         trainer.progress().steps_done, world.world_size()},
                                        speaks);
    observers::EpochMessages messages({config, trainer.method().columns(), trainer.world_size()}, trainer.loader(),
                                      *world.communicator, speaks);
    // Evaluations come first: the others read the accuracy that they set. A step is logged before the checkpoint that
    // would be resumed behind it. Checkpoints come before `stop`, which reads how long they say that writing one takes.
    train::Observers observers{&evaluations, &logs, &progress, &messages, &checkpoints, &stop};
    if (timings)
    {
        observers.push_back(&*timings);
    }

    bool is_complete = false;
    try
    {
        is_complete = trainer.run(std::min(options.stop_after.epochs.value_or(all_epochs), all_epochs), observers);
    }
    catch (const train::NotFinite& failure)
    {
        logs.restore_folder();
        write_bad_step(files.bad_step(), failure, *world.communicator);
        // Nobody ends before the file is there, and no rank is to blame for what all have found.
        world.group().meet(std::current_exception());
        throw;
    }
    if (folder != nullptr)
    {
        folder->say_note(options.quiet);
    }

    Summary summary{{"task", to_string(config.task)},
                    {"epochs", trainer.progress().epochs_done},
                    {"steps", trainer.progress().steps_done},
                    {"loss", trainer.progress().loss},
                    {"seconds", io::seconds_since(start)},
                    {"ranks", world.world_size()},
                    {"files", {files.latest().string(), files.best().string()}}};
    for (const auto* const observer : observers)
    {
        observer->summarise(summary);
    }
    // Known on the first rank, and on others where they got a signal.
    const auto reason = world.group().broadcast(stop.is_asked_end() ? "" : stop.reason());
    if (!is_complete && !reason.empty())
    {
        summary["stopped"] = reason;
    }
    if (!is_complete && speaks)
    {
        io::say(fmt::format("stopped by {} with {}; start the run again to resume from {}\n", stop.reason(),
                            describe_place(trainer), io::printable(files.latest().string())));
    }
    return summary;
}
}  // namespace paws::commands

#include "src/commands/training.hpp"

#include <fmt/format.h>

#include <chrono>

#include "io/base/error.hpp"
#include "io/base/printable.hpp"
#include "io/base/say.hpp"
#include "src/checkpoint/run_files.hpp"
#include "src/checkpoint/starting_network.hpp"
#include "src/commands/bad_step.hpp"
#include "src/commands/checkpoint_keeper.hpp"
#include "src/commands/collapse_watch.hpp"
#include "src/commands/describe_run.hpp"
#include "src/commands/run_evaluations.hpp"
#include "src/commands/run_timings.hpp"
#include "src/commands/training_start.hpp"
#include "src/data/broken_report.hpp"
#include "src/data/labelled.hpp"
#include "src/logging/progress_line.hpp"
#include "src/logging/run_log.hpp"
#include "src/profile/phase.hpp"
#include "io/base/seconds.hpp"
#include "src/session/agreed.hpp"
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

logging::LoggedStep logged(const train::StepReport& report, std::int64_t steps_done)
{
    return {report.epoch + 1,
            report.step,
            steps_done,
            report.values,
            report.own_values,
            report.learning_rate,
            report.step_milliseconds,
            report.images_per_second,
            report.data_wait_share,
            report.comm_wait_share};
}

}  // namespace

Summary run_training(const config::Config& config, const TrainOptions& options, const comm::World& world)
{
    return run_training(
        config,
        session::agreed(*world.communicator, [&] { return data::load_dataset(config, splits_of(config), world); }),
        options, world);
}

Summary run_training(const config::Config& wanted, const data::Dataset& dataset, const TrainOptions& options,
                     const comm::World& world)
{
    const auto start = std::chrono::steady_clock::now();
    const auto config = checkpoint::with_classes_of(wanted, dataset);
    const auto precision =
        session::agreed(*world.communicator, [&] { return session::choose_precision(config.meta, world.device); });
    session::agreed(*world.communicator, [&] { session::require_memory_to_train(config, precision, world); });
    const auto task = to_string(config.task);
    const checkpoint::RunFiles files(config);
    const bool speaks = world.is_first() && !options.quiet;
    const auto begun = start_training(config, dataset, precision, options.resume, files, world);
    auto& trainer = *begun.trainer;
    const auto& resumed_from = begun.choice.checkpoint;
    const auto placement = describe_placement(world, precision, at::get_num_threads(), options.job_seconds);
    if (speaks)
    {
        io::say(fmt::format("{}{}", placement, describe_sizes(config, &dataset, trainer.world_size(), world.device)));
        for (const auto* const notes : {&begun.choice.notes, &trainer.progress().notes})
        {
            for (const auto& note : *notes)
            {
                io::say(fmt::format("note: {}\n", io::printable(note)));
            }
        }
        if (resumed_from)
        {
            io::say(fmt::format("resumed from    {}, {}\n", io::printable(resumed_from->string()),
                                describe_place(trainer)));
        }
    }
    // From here on at the latest signals are requests: whoever sees the run's files may send one.
    session::StopControl stop(options.stop_after, options.job_seconds, world.is_first(), !speaks);
    const logging::LogStart log_start{!resumed_from, trainer.progress().epochs_done, trainer.progress().meters.steps,
                                      trainer.progress().steps_done};
    const auto log = session::agreed(*world.communicator,
                                     [&]
                                     {
                                         return std::make_unique<logging::RunLog>(config.logging, files.run(),
                                                                                  trainer.method().columns(), log_start,
                                                                                  world.rank(), world.world_size());
                                     });
    const auto say_notes = [&]
    {
        const auto note = begun.folder ? begun.folder->take_note() : std::nullopt;
        if (note && speaks)
        {
            io::say_error(*note + "\n");
        }
        // Of this rank's own files, which no other knows of.
        for (const auto& text : options.quiet ? std::vector<std::string>() : log->take_notes())
        {
            io::say_error(text + "\n");
        }
    };
    say_notes();
    const auto restore_folder = [&]
    {
        if (begun.folder)
        {
            begun.folder->restore();
        }
    };
    // A log that cannot be written, on a full disk say, is no reason to lose the run.
    bool log_has_failed = false;
    const auto write_log = [&](const auto& write)
    {
        try
        {
            try
            {
                restore_folder();
            }
            catch (const io::SystemError&)
            {
                // Where the folder cannot be made, what was moved away with it can still be written to.
                write();
                throw;
            }
            write();
        }
        catch (const io::Error& error)
        {
            if (!log_has_failed && speaks)
            {
                io::say_error(fmt::format("log not written: {}; the run goes on\n", io::printable(error.what())));
            }
            log_has_failed = true;
        }
        say_notes();
    };
    RunEvaluations evaluations(config, dataset, precision, world);
    const auto evaluate = [&]
    {
        const auto accuracy = evaluations.evaluate(trainer);
        const auto& progress = trainer.progress();
        write_log([&] { log->evaluation({progress.epochs_done, progress.steps_done, accuracy.top1, accuracy.top5}); });
        return accuracy.top1;
    };

    CheckpointKeeper keeper(config.logging, files, begun.folder.get());
    const auto report_problem = [&]
    {
        if (const auto problem = keeper.take_problem())
        {
            io::say_error(
                fmt::format("checkpoint not written: {}; the run goes on, the last one that was written stays\n",
                            io::printable(*problem)));
        }
        say_notes();
    };
    std::optional<RunTimings> timings;
    if (config.logging.timings)
    {
        timings.emplace(config, files, trainer, precision, world);
    }
    bool timings_have_failed = false;
    const auto write_timings = [&]
    {
        const auto problem = timings ? timings->write(restore_folder) : std::nullopt;
        if (problem && !timings_have_failed && speaks)
        {
            io::say_error(fmt::format("timings not written: {}; the run goes on\n", io::printable(*problem)));
        }
        timings_have_failed = problem.has_value();
    };
    const auto epochs =
        std::min(options.stop_after.epochs.value_or(config.optimization.epochs), config.optimization.epochs);
    const auto steps_in_total = trainer.steps_per_epoch() * config.optimization.epochs;
    const auto first_step = trainer.progress().steps_done;
    double images_per_second = 0, comm_wait_share = 0, data_wait_share = 0;
    const auto training_start = std::chrono::steady_clock::now();
    std::optional<logging::ProgressLine> line;
    if (speaks)
    {
        line.emplace();
    }
    if (trainer.progress().steps_done == 0 && evaluations.is_due(0))
    {
        const auto top1 = evaluate();
        if (speaks)
        {
            io::say(fmt::format("before fine-tuning  top-1 {:.1f} %\n", 100 * top1));
        }
        session::agreed(*world.communicator, [&] { keeper.keep_best(trainer); });
    }
    CollapseWatch collapse(config, trainer.method().columns(), trainer.world_size());
    logging::StepValues means;
    bool stopped = false;
    while (!stopped && trainer.progress().epochs_done < epochs)
    {
        stop.begin_epoch();
        logging::ProgressValues shown;
        shown.epochs = config.optimization.epochs;
        shown.steps = steps_in_total;
        shown.ranks = world.world_size();
        std::int64_t left_out = 0;
        double loss_scale = 1;
        const auto on_step = [&](const train::StepReport& report)
        {
            means = report.values;
            left_out = report.left_out;
            loss_scale = report.loss_scale;
            if (report.step % config.logging.log_every == 0)
            {
                write_log([&] { log->step(logged(report, trainer.progress().steps_done)); });
            }
            if (speaks && !report.note.empty())
            {
                io::say(fmt::format("note: {}\n", report.note));
            }
            shown.epoch = report.epoch + 1;
            shown.step = trainer.progress().steps_done;
            shown.loss = trainer.method().describe(report.values);
            shown.learning_rate = report.learning_rate;
            shown.images_per_second = images_per_second = report.images_per_second;
            shown.data_wait_share = report.data_wait_share;
            shown.comm_wait_share = report.comm_wait_share;
            comm_wait_share = report.comm_wait_share;
            data_wait_share = report.data_wait_share;
            shown.seconds_left = io::seconds_since(training_start) / static_cast<double>(shown.step - first_step) *
                                 static_cast<double>(steps_in_total - shown.step);
            if (line)
            {
                line->update(shown);
            }
            if (timings)
            {
                timings->on_step(report);
            }
            if (report.saves || report.stops)
            {
                const profile::Phase phase("checkpoint");
                keeper.keep_step(trainer);
            }
            report_problem();
        };
        const auto asked = [&]() -> train::StepRequest {
            return {stop.wants_stop(trainer.progress().steps_done, keeper.seconds_needed()), keeper.is_due()};
        };
        try
        {
            stopped = !trainer.run_epoch(on_step, asked);
        }
        catch (const train::NotFinite& failure)
        {
            write_log(restore_folder);
            write_bad_step(files.bad_step(), failure, *world.communicator);
            throw;
        }
        if (stopped)
        {
            if (line)
            {
                line->finish(shown);
            }
            break;
        }
        const auto done = trainer.progress().epochs_done;
        if (evaluations.is_due(done))
        {
            shown.top1 = evaluate();
        }
        if (line)
        {
            line->finish(shown);
        }
        if (const auto warning = collapse.after_epoch(means); warning && speaks)
        {
            io::say(fmt::format("warning: epoch {}: {}\n", done, *warning));
        }
        if (speaks && left_out > 0)
        {
            io::say(fmt::format(
                "epoch {}: {} step{} left out, whose float16 gradients overflowed; the loss is scaled by {:.0f}\n",
                done, left_out, left_out == 1 ? "" : "s", loss_scale));
        }
        const auto replaced = data::broken_report(trainer.broken_images(), *world.communicator);
        for (const auto& text : speaks ? replaced : std::vector<std::string>())
        {
            io::say(fmt::format("epoch {}: {}\n", done, io::printable(text)));
        }
        {
            const profile::Phase phase("checkpoint");
            keeper.keep_epoch(trainer);
        }
        report_problem();
        if (done < epochs)
        {
            write_timings();
        }
    }
    // Nobody leaves before the last checkpoint is there.
    session::agreed(*world.communicator, [&] { keeper.finish(); });
    write_timings();
    say_notes();

    Summary summary{{"task", task},
                    {"epochs", trainer.progress().epochs_done},
                    {"steps", trainer.progress().steps_done},
                    {"loss", trainer.progress().loss},
                    {"pictures_per_second", images_per_second},
                    {"seconds", io::seconds_since(start)},
                    {"ranks", world.world_size()},
                    {"comm_wait_share", comm_wait_share},
                    {"data_wait_share", data_wait_share},
                    {"checkpoint_wait_seconds", keeper.seconds_waited()},
                    {"files", {files.latest().string(), files.best().string()}}};
    for (const auto& file : log->files())
    {
        summary["files"].push_back(file);
    }
    if (timings && timings->is_written())
    {
        summary["files"].push_back(files.timings_json().string());
        summary["files"].push_back(files.timings_h5().string());
    }
    // Known on the first rank, and on others where they got a signal.
    const auto reason = comm::broadcast_text(*world.communicator, stop.is_asked_end() ? "" : stop.reason(), 0);
    if (stopped && !reason.empty())
    {
        summary["stopped"] = reason;
    }
    if (stopped && speaks)
    {
        io::say(fmt::format("stopped by {} with {}; {} goes on from there when the run is started again\n",
                            stop.reason(), describe_place(trainer), io::printable(files.latest().string())));
    }
    summary["log_is_whole"] = !log_has_failed;
    if (const auto& accuracy = evaluations.last())
    {
        summary["top1"] = accuracy->top1;
        summary["top5"] = accuracy->top5;
    }
    if (const auto best = trainer.progress().best_top1)
    {
        summary["best_top1"] = *best;
    }
    return summary;
}
}  // namespace paws::commands

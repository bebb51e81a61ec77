#include "src/tasks/training.hpp"

#include <fmt/format.h>

#include <chrono>

#include "io/atomic_file.hpp"
#include "src/data/broken_report.hpp"
#include "src/data/labelled.hpp"
#include "src/tasks/agreed.hpp"
#include "src/tasks/describe_run.hpp"
#include "src/tasks/run_evaluations.hpp"
#include "src/tasks/run_files.hpp"
#include "src/tasks/runtime.hpp"
#include "src/train/csv_log.hpp"
#include "src/train/progress_line.hpp"
#include "src/train/starting_network.hpp"
#include "src/train/trainer.hpp"

namespace paws::tasks
{
namespace
{
void save(const train::Trainer& trainer, const RunFiles& files, bool keeps_epoch)
{
    trainer.save(files.latest());
    if (trainer.is_best())
    {
        trainer.save(files.best());
    }
    if (keeps_epoch)
    {
        trainer.save(files.of_epoch(trainer.progress().epochs_done));
    }
}

data::Splits splits_of(const config::Config& config)
{
    const bool has_held_out =
        config.task == config::Task::fine_tune && data::existing_held_out_list(config.data).has_value();
    return config.logging.eval_every > 0 && !has_held_out ? data::Splits::train_and_validation : data::Splits::train;
}

double seconds_since(std::chrono::steady_clock::time_point start)
{
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}
}  // namespace

Summary run_training(const config::Config& config, const TrainOptions& options, const comm::World& world)
{
    return run_training(
        config, agreed(*world.communicator, [&] { return data::load_dataset(config, splits_of(config), world); }),
        options, world);
}

Summary run_training(const config::Config& wanted, const data::Dataset& dataset, const TrainOptions& options,
                     const comm::World& world)
{
    const auto start = std::chrono::steady_clock::now();
    const auto config = train::with_classes_of(wanted, dataset);
    const auto precision = choose_precision(config.meta);
    const auto task = to_string(config.task);
    const RunFiles files(config);
    const bool speaks = world.is_first() && !options.quiet;
    const auto resumed_from = checkpoint_to_resume(config, files, options.resume);
    const auto made = agreed(*world.communicator,
                             [&]
                             {
                                 auto own =
                                     std::make_unique<train::Trainer>(config, dataset, precision, world.communicator);
                                 if (resumed_from)
                                 {
                                     own->resume(*resumed_from);
                                 }
                                 return own;
                             });
    auto& trainer = *made;
    trainer.synchronise();
    agreed(*world.communicator,
           [&]
           {
               if (world.is_first())
               {
                   make_folder(files.folder());
                   io::write_atomically(files.parameters(), {config.to_yaml()});
               }
           });
    const auto placement = describe_placement(world, precision, at::get_num_threads());
    if (speaks)
    {
        fmt::print("{}{}", placement, describe_sizes(config, &dataset, trainer.world_size()));
        if (resumed_from)
        {
            fmt::print("resumed from    {}, {} epochs done\n", resumed_from->string(), trainer.progress().epochs_done);
        }
        std::fflush(stdout);
    }
    train::CsvLog csv(files.csv(world.rank()), trainer.method().columns(), !resumed_from,
                      trainer.progress().epochs_done);
    RunEvaluations evaluations(config, dataset, precision, world);
    evaluations.open_log(files, !resumed_from, trainer.progress().epochs_done);

    const auto epochs = options.stop_after_epochs ? std::min(*options.stop_after_epochs, config.optimization.epochs)
                                                  : config.optimization.epochs;
    const auto steps_in_total = trainer.steps_per_epoch() * config.optimization.epochs;
    const auto first_step = trainer.progress().steps_done;
    double pictures_per_second = 0, comm_wait_share = 0, data_wait_share = 0;
    const auto training_start = std::chrono::steady_clock::now();
    std::optional<train::ProgressLine> line;
    if (speaks)
    {
        line.emplace();
    }
    if (trainer.progress().epochs_done == 0 && evaluations.is_due(0))
    {
        const auto top1 = evaluations.evaluate(trainer);
        if (speaks)
        {
            fmt::print("before fine-tuning  top-1 {:.1f} %\n", 100 * top1);
        }
        if (world.is_first())
        {
            trainer.save(files.best());
        }
    }
    while (trainer.progress().epochs_done < epochs)
    {
        train::ProgressValues shown;
        shown.epochs = config.optimization.epochs;
        shown.steps = steps_in_total;
        shown.ranks = world.world_size();
        trainer.run_epoch(
            [&](const train::StepReport& report)
            {
                if (report.step % config.logging.log_every == 0)
                {
                    csv.write(report.epoch + 1, report.step, report.own_values, report.step_milliseconds);
                }
                shown.epoch = report.epoch + 1;
                shown.step = trainer.progress().steps_done;
                shown.loss = trainer.method().describe(report.values);
                shown.learning_rate = report.learning_rate;
                shown.pictures_per_second = pictures_per_second = report.pictures_per_second;
                shown.data_wait_share = report.data_wait_share;
                shown.comm_wait_share = report.comm_wait_share;
                comm_wait_share = report.comm_wait_share;
                data_wait_share = report.data_wait_share;
                shown.seconds_left = seconds_since(training_start) / static_cast<double>(shown.step - first_step) *
                                     static_cast<double>(steps_in_total - shown.step);
                if (line)
                {
                    line->update(shown);
                }
            });
        const auto done = trainer.progress().epochs_done;
        if (evaluations.is_due(done))
        {
            shown.top1 = evaluations.evaluate(trainer);
        }
        if (line)
        {
            line->finish(shown);
        }
        const auto replaced = data::broken_report(trainer.broken_pictures(), *world.communicator);
        for (const auto& text : speaks ? replaced : std::vector<std::string>())
        {
            fmt::print("epoch {}: {}\n", done, text);
        }
        if (world.is_first())
        {
            save(trainer, files, config.logging.keeps_epoch(done));
        }
    }
    // Nobody leaves before the last checkpoint is there.
    world.communicator->barrier();

    Summary summary{{"task", task},
                    {"epochs", trainer.progress().epochs_done},
                    {"steps", trainer.progress().steps_done},
                    {"loss", trainer.progress().loss},
                    {"pictures_per_second", pictures_per_second},
                    {"seconds", seconds_since(start)},
                    {"ranks", world.world_size()},
                    {"comm_wait_share", comm_wait_share},
                    {"data_wait_share", data_wait_share},
                    {"files", {files.latest().string(), files.best().string(), files.csv(0).string()}}};
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
}  // namespace paws::tasks

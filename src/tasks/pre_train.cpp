#include "src/tasks/pre_train.hpp"

#include <fmt/format.h>

#include <chrono>
#include <filesystem>

#include "io/atomic_file.hpp"
#include "io/error.hpp"
#include "src/data/broken_report.hpp"
#include "src/tasks/agreed.hpp"
#include "src/tasks/describe_run.hpp"
#include "src/tasks/evaluation.hpp"
#include "src/tasks/runtime.hpp"
#include "src/train/csv_log.hpp"
#include "src/train/progress_line.hpp"
#include "src/train/trainer.hpp"

namespace paws::tasks
{
namespace
{
namespace fs = std::filesystem;

/// The files of a run.
struct RunFiles
{
    fs::path folder;
    std::string tag;
    std::string task;

    fs::path csv(int rank) const { return folder / fmt::format("{}_r{}.csv", tag, rank); }
    fs::path parameters() const { return folder / fmt::format("params-{}.yaml", task); }
    fs::path latest() const { return folder / (tag + "-latest.h5"); }
    fs::path best() const { return folder / (tag + "-best.h5"); }
    fs::path of_epoch(std::int64_t epoch) const { return folder / fmt::format("{}-ep{}.h5", tag, epoch); }
};

void make_folder(const fs::path& folder)
{
    std::error_code error;
    fs::create_directories(folder, error);
    if (error)
    {
        throw io::Error(
            fmt::format("{}: the folder cannot be made ({}); set logging.folder to a place that you may write to",
                        folder.string(), error.message()));
    }
}

/// The checkpoint to go on from, if any.
std::optional<fs::path> checkpoint_to_resume(const config::Config& config, const RunFiles& files,
                                             const std::string& resume)
{
    if (resume == "never")
    {
        return std::nullopt;
    }
    if (resume != "auto")
    {
        return fs::path(resume);
    }
    if (config.meta.load_checkpoint)
    {
        return config.meta.read_checkpoint ? fs::path(config.logging.path_of(*config.meta.read_checkpoint))
                                           : files.latest();
    }
    return fs::exists(files.latest()) ? std::optional(files.latest()) : std::nullopt;
}

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

double seconds_since(std::chrono::steady_clock::time_point start)
{
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}
}  // namespace

Summary pre_train(const config::Config& config, const TrainOptions& options, const comm::World& world)
{
    const auto splits = config.logging.eval_every > 0 ? data::Splits::train_and_validation : data::Splits::train;
    return pre_train(config, agreed(*world.communicator, [&] { return data::load_dataset(config, splits, world); }),
                     options, world);
}

Summary pre_train(const config::Config& config, const data::Dataset& dataset, const TrainOptions& options,
                  const comm::World& world)
{
    const auto start = std::chrono::steady_clock::now();
    const auto precision = choose_precision(config.meta);
    const auto task = to_string(config.task);
    const RunFiles files{config.logging.folder, config.logging.write_tag, task};
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
                   make_folder(files.folder);
                   io::write_atomically(files.parameters(), {config.to_yaml()});
               }
           });
    const auto placement = describe_placement(world, precision, at::get_num_threads());
    if (speaks)
    {
        fmt::print("{}{}", placement, describe_sizes(config, &dataset, trainer.world_size()));
        for (const auto& note : trainer.progress().notes)
        {
            fmt::print("note: {}\n", note);
        }
        if (resumed_from)
        {
            fmt::print("resumed from    {}, {} epochs done\n", resumed_from->string(), trainer.progress().epochs_done);
        }
        std::fflush(stdout);
    }
    train::CsvLog csv(files.csv(world.rank()), trainer.method().columns(), !resumed_from,
                      trainer.progress().epochs_done);

    const auto epochs = options.stop_after_epochs ? std::min(*options.stop_after_epochs, config.optimization.epochs)
                                                  : config.optimization.epochs;
    const auto steps_in_total = trainer.steps_per_epoch() * config.optimization.epochs;
    const auto first_step = trainer.progress().steps_done;
    std::optional<loss::Accuracy> accuracy;
    double pictures_per_second = 0, comm_wait_share = 0, data_wait_share = 0;
    const auto training_start = std::chrono::steady_clock::now();
    std::optional<train::ProgressLine> line;
    if (speaks)
    {
        line.emplace();
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
                    csv.write(report.epoch + 1, report.step, report.own_loss, report.step_milliseconds);
                }
                shown.epoch = report.epoch + 1;
                shown.step = trainer.progress().steps_done;
                shown.loss = trainer.method().describe(report.loss);
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
        if (config.logging.eval_every > 0 &&
            (done % config.logging.eval_every == 0 || done == config.optimization.epochs))
        {
            accuracy = snn_accuracy(trainer.encoder(), dataset, config, precision, *world.communicator);
            shown.top1 = accuracy->top1;
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
    if (accuracy)
    {
        summary["top1"] = accuracy->top1;
        summary["top5"] = accuracy->top5;
    }
    return summary;
}
}  // namespace paws::tasks

#include "src/commands/training_start.hpp"

#include <fmt/format.h>

#include "io/base/quantity.hpp"
#include "io/ranks/agreed.hpp"

namespace paws::commands
{
namespace
{
/// Chosen by the first rank, for all.
checkpoint::ResumeChoice choose_together(const config::Config& config, const checkpoint::RunFiles& files,
                                         const std::string& resume, const comm::World& world)
{
    auto& communicator = *world.communicator;
    auto choice = agreed(communicator.group(),
                         [&] {
                             return world.is_first() ? checkpoint::checkpoint_to_resume(config, files, resume)
                                                     : checkpoint::ResumeChoice{};
                         });
    const auto path = communicator.group().broadcast(choice.checkpoint.value_or("").string(), 0);
    choice.checkpoint = path.empty() ? std::nullopt : std::optional<std::filesystem::path>(path);
    return choice;
}

/// Collective; the lock is the first rank's.
std::unique_ptr<checkpoint::RunFolder> open_folder(const checkpoint::RunFiles& files, const comm::World& world)
{
    return agreed(world.group(),
                  [&] { return world.is_first() ? std::make_unique<checkpoint::RunFolder>(files) : nullptr; });
}
}  // namespace

TrainingStart start_training(const config::Config& config, const data::Dataset& dataset, device::Precision precision,
                             const std::string& resume, const checkpoint::RunFiles& files, const comm::World& world)
{
    auto& communicator = *world.communicator;
    TrainingStart start;
    start.trainer = agreed(
        communicator.group(),
        [&] { return std::make_unique<train::Trainer>(config, dataset, precision, world.communicator, world.device); });
    const auto go_on = [&]
    {
        start.choice = choose_together(config, files, resume, world);
        if (start.choice.checkpoint)
        {
            agreed(communicator.group(), [&] { start.trainer->resume(*start.choice.checkpoint); });
        }
    };
    // A checkpoint that the user names is read before anything is made. One of the folder is chosen when no other run
    // can add to it any more.
    const bool is_named = resume != "auto";
    if (is_named)
    {
        go_on();
    }
    start.folder = open_folder(files, world);
    if (!is_named)
    {
        go_on();
    }
    const auto epochs = config.optimization.epochs;
    if (start.choice.checkpoint && start.trainer->progress().epochs_done >= epochs)
    {
        start.choice.notes.push_back(
            fmt::format("{} done; --set optimization.epochs=N with a larger N extends the run",
                        epochs == 1 ? "the one epoch is" : fmt::format("all {} epochs are", epochs)));
    }
    start.trainer->synchronise();
    agreed(communicator.group(),
           [&]
           {
               if (start.folder)
               {
                   start.folder->write_parameters(config.to_yaml());
               }
           });
    return start;
}

std::string describe_place(const train::Trainer& trainer)
{
    const auto steps = trainer.progress().meters.steps;
    return fmt::format(
        "{}{} done", io::plural(trainer.progress().epochs_done, "epoch"),
        steps > 0 ? fmt::format(" and {} of {}", steps, io::plural(trainer.loader().steps_per_epoch(), "step")) : "");
}
}  // namespace paws::commands

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "io/base/error.hpp"
#include "io/base/printable.hpp"
#include "io/base/say.hpp"
#include "io/ranks/agreed.hpp"
#include "src/checkpoint/run_files.hpp"
#include "src/cli/command_files.hpp"
#include "src/cli/commands.hpp"
#include "src/commands/classifier_evaluation.hpp"
#include "src/commands/config_files.hpp"
#include "src/commands/describe_run.hpp"
#include "src/commands/embed.hpp"
#include "src/commands/evaluation.hpp"
#include "src/commands/training.hpp"
#include "src/config/enums.hpp"
#include "src/config/task_traits.hpp"
#include "src/device/device.hpp"
#include "src/session/choose_device.hpp"
#include "src/session/job_limits.hpp"
#include "src/session/same_input.hpp"
#include "src/session/stop_rule.hpp"
#include "src/session/stop_signals.hpp"

namespace paws::cli
{
namespace
{
/// Read on every rank, and the same on all.
config::Config load_config(const Arguments& arguments, comm::World& world)
{
    auto config =
        agreed(world.group(), [&] { return config::load(arguments.config, arguments.overrides, arguments.task); });
    session::require_same_config(world.group(), config);
    follow_config(config, world);
    return config;
}

/// As far as its beginning shows.
bool is_checkpoint(const std::filesystem::path& path)
{
    try
    {
        return io::hdf5_output(io::checkpoint_format).fits(path);
    }
    catch (const io::Error&)
    {
        return false;
    }
}

/// Where none of the run's checkpoints is whole, resuming from them is refused with what to do: see
/// checkpoint_to_resume. That is what the user should know then, and not which of their files is damaged.
void leave_to_resuming(const config::Config& config, io::CommandFiles& files)
{
    const checkpoint::RunFiles run(config);
    auto found = run.to_resume_from();
    if (found.empty() || (config.meta.load_checkpoint && config.meta.read_checkpoint))
    {
        return;
    }
    const auto is_whole = [](const auto& path) { return !checkpoint::damage_of(path); };
    std::error_code error;
    const bool has_best = std::filesystem::is_regular_file(run.best(), error);
    // Files that show what they are need not be read through.
    if ((std::all_of(found.begin(), found.end(), is_checkpoint) && (!has_best || is_checkpoint(run.best()))) ||
        std::any_of(found.begin(), found.end(), is_whole))
    {
        return;
    }
    found.push_back(run.best());
    std::erase_if(files.outputs, [&](const io::OutputTarget& output)
                  { return std::find(found.begin(), found.end(), output.path) != found.end(); });
}

/// Collective: looks at what the task is to write before anything is read for it.
void require_outputs(const config::Config& config, const Arguments& arguments, const comm::World& world)
{
    agreed(world.group(),
           [&]
           {
               commands::require_tag_fits(config);
               auto files = files_of(arguments, "");
               if (!world.is_first())
               {
                   files.outputs.clear();
               }
               arguments.dry_run ? commands::add_config_inputs(config, files)
                                 : commands::add_config_files(config, world.rank(), files);
               if (arguments.resume == "auto")
               {
                   leave_to_resuming(config, files);
               }
               io::require_outputs(files);
           });
}

commands::Summary dry_run(const config::Config& config, bool prints_config, const comm::World& world)
{
    const session::ComputeSession session(config.meta.threads, world);
    const auto text = commands::describe_run(config, session.threads(), world);
    if (world.is_first())
    {
        fmt::print("{}{}", text, prints_config ? "\n" + config.to_yaml() : "");
    }
    return {{"task", to_string(config.task)}, {"dry_run", true}};
}

commands::Summary train(const Arguments& arguments, const config::Config& config, const comm::World& world)
{
    return commands::run_training(config,
                                  {arguments.resume, session::parse_stop_after(arguments.stop_after),
                                   world.is_first() ? session::seconds_until_job_ends() : std::nullopt, false},
                                  world);
}

commands::Summary run_configured_task(const Arguments& arguments, comm::World& world)
{
    const auto config = load_config(arguments, world);
    if (!config::trains(config))
    {
        session::drop_stop_signals();
    }
    require_outputs(config, arguments, world);
    if (arguments.dry_run)
    {
        return dry_run(config, arguments.print_config, world);
    }
    if (!world.group().is_alone())
    {
        session::require_same_inputs(world.group(), config);
    }
    const auto session = start_computing(config, world);
    const auto pretrained = [&]
    {
        return commands::load_pretrained(config.logging.path_of(config.logging.pretrain_path.value_or("")),
                                         *world.communicator);
    };
    if (config::trains(config))
    {
        return train(arguments, config, world);
    }
    if (config::traits_of(config.task).has_classifier)
    {
        return commands::evaluate_classifier(config, arguments.resume, world);
    }
    return config.task == config::Task::embed
               ? commands::embed(pretrained(), config, commands::embeddings_path(config), world)
               : commands::snn_eval(pretrained(), config, world);
}
}  // namespace

bool may_train(const Arguments& arguments)
{
    std::error_code error;
    // What comes through a pipe can be read once.
    if (arguments.dry_run || !std::filesystem::is_regular_file(arguments.config, error))
    {
        return !arguments.dry_run;
    }
    try
    {
        return config::trains(config::load(arguments.config, arguments.overrides, arguments.task));
    }
    catch (const std::exception&)
    {
        return true;
    }
}

void require_one_rank(const comm::World& world, const std::string& command)
{
    if (!world.group().is_alone())
    {
        world.group().refuse(
            fmt::format("{} runs on one rank, but was started on {} ranks; start a single one "
                        "(mpirun -n 1, srun -n 1)",
                        command, world.world_size()));
    }
}

Command on_one_rank(const std::string& name, std::function<commands::Summary()> work)
{
    return [name, work = std::move(work)](comm::World& world)
    {
        require_one_rank(world, name);
        return work();
    };
}

void follow_config(const config::Config& config, comm::World& world)
{
    for (const auto& notice : world.is_first() ? config.notices : std::vector<std::string>())
    {
        io::say(fmt::format("note: {}\n", io::printable(notice)));
    }
    set_timeout(world, std::chrono::milliseconds(static_cast<std::int64_t>(1000 * config.meta.comm_timeout)));
}

session::ComputeSession start_computing(const config::Config& config, comm::World& world)
{
    const auto device = session::choose_device(config.meta, world);
    if (device.is_cuda())
    {
        device::use_gpu(device.index(), {config.meta.tf32, config.meta.deterministic});
    }
    use_device(world, device);
    return session::ComputeSession(config.meta.threads, world);
}

Command add_run(CLI::App& app, Arguments& arguments)
{
    app.add_option("CONFIG", arguments.config, "The YAML file that describes the run");
    app.add_option("--fname", arguments.config, "The same as CONFIG: how the published launcher names it");
    app.add_option("--sel", arguments.task,
                   "Task: " + config::listed_words<config::Task>() + " (default: as the file says)");
    app.add_option("--resume", arguments.resume,
                   "auto (default: resume from the newest whole checkpoint of the folder), never, or a checkpoint "
                   "(.h5, .pth.tar)");
    app.add_option("--stop-after", arguments.stop_after,
                   "End early, after so many epochs or steps of the run (3ep, 500steps), or so much time (90m, 2h; "
                   "then the exit code is 85)");
    auto* const dry_run =
        app.add_flag("--dry-run", arguments.dry_run, "Print sizes, steps, memory and notes, then stop");
    app.add_flag("--print-config", arguments.print_config,
                 "With --dry-run: also print the configuration with all defaults (a run writes it to params-TASK.yaml)")
        ->needs(dry_run);
    return [&arguments](comm::World& world) { return run_configured_task(arguments, world); };
}
}  // namespace paws::cli

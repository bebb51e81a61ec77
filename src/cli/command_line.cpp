#include "src/cli/command_line.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <string>

#include "src/cli/commands.hpp"
#include "src/cli/launch.hpp"
#include "src/cli/version.hpp"
#include "src/comm/agreement.hpp"
#include "src/comm/launcher.hpp"
#include "src/config/config.hpp"
#include "src/tasks/agreed.hpp"
#include "src/tasks/stop_rule.hpp"
#include "src/tasks/stop_signals.hpp"

namespace paws::cli
{
namespace
{
/// What decides on the work, as far as it stands on the command line: ranks that do different things wait for each
/// other for ever. What is said about settings is compared with them.
std::string invocation(const CLI::App& app, const Arguments& arguments, int argc, char** argv)
{
    if (app.get_subcommands().empty())
    {
        return fmt::format("--resume {} --stop-after {}{}", arguments.resume,
                           arguments.stop_after.empty() ? "never" : arguments.stop_after,
                           arguments.dry_run ? " --dry-run" : "");
    }
    return fmt::format("{}", fmt::join(argv + 1, argv + argc, " "));
}

void require_same_invocation(comm::Communicator& communicator, const std::string& invocation)
{
    if (const auto found = comm::find_disagreement(communicator, invocation))
    {
        throw comm::AgreedFailure(
            fmt::format("{}: its command line differs from that of {}: '{}', there '{}'; give all "
                        "ranks the same",
                        found->rank, found->first, found->text, found->text_of_first),
            comm::bad_input);
    }
}

/// Returns the exit code.
int run_command(const Arguments& arguments, const Command& command, Ranks& ranks)
{
    const auto summary = command(ranks);
    if (!arguments.summary.empty() && ranks.world().is_first())
    {
        tasks::write_summary(arguments.summary, summary);
    }
    return tasks::has_stopped(summary) ? tasks::resume_me : comm::success;
}
}  // namespace

int run(int argc, char** argv)
{
    Arguments arguments;
    CLI::App app("paws_hpc: semi-supervised visual pre-training (PAWS)", "paws_hpc");
    app.set_version_flag("--version", version_text);
    app.fallthrough();
    app.add_option("--set", arguments.overrides, "Change a setting: section.key=value (may be repeated)")
        ->take_all()
        ->expected(1)
        ->allow_extra_args(false);
    app.add_option("--summary", arguments.summary, "Write what was done and its figures to this JSON file");
    auto command = add_run(app, arguments);
    Commands commands;
    add_data_commands(app, arguments, commands);
    add_evaluation_commands(app, arguments, commands);
    add_demo_commands(app, arguments, commands);

    std::string refused;
    try
    {
        app.parse(argc, argv);
        if (arguments.config.empty() && app.get_subcommands().empty())
        {
            refused =
                "no configuration and no command given; for example: paws_hpc configs/demo.yaml (see paws_hpc "
                "--help)";
        }
    }
    catch (const CLI::ParseError& error)
    {
        if (error.get_exit_code() == 0)
        {
            // Help or version, once, however many are started.
            return comm::launcher_of_environment().is_first() ? app.exit(error) : comm::success;
        }
        refused = std::string(error.what()) + " (see paws_hpc --help)";
    }

    if (!refused.empty() || !app.get_subcommands().empty() || !may_train(arguments))
    {
        tasks::drop_stop_signals();
    }
    for (const auto& [name, known] : commands)
    {
        if (app.got_subcommand(name))
        {
            command = known;
        }
    }
    return launch(argc, argv, version_identity(),
                  [&](Ranks& ranks)
                  {
                      auto& communicator = *ranks.world().communicator;
                      tasks::agreed(communicator,
                                    [&]
                                    {
                                        if (!refused.empty())
                                        {
                                            throw config::Error(refused);
                                        }
                                        tasks::parse_stop_after(arguments.stop_after);
                                    });
                      require_same_invocation(communicator, invocation(app, arguments, argc, argv));
                      return run_command(arguments, command, ranks);
                  });
}
}  // namespace paws::cli

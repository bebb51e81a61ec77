#include "src/cli/command_line.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <stdexcept>
#include <string>

#include "io/base/printable.hpp"
#include "io/base/say.hpp"
#include "io/ranks/agreed.hpp"
#include "io/ranks/launcher.hpp"
#include "src/cli/command_files.hpp"
#include "src/cli/commands.hpp"
#include "src/cli/launch.hpp"
#include "src/cli/standard_streams.hpp"
#include "src/cli/version.hpp"
#include "src/cli/wrong_word.hpp"
#include "src/commands/shipped_configs.hpp"
#include "src/config/config.hpp"
#include "src/config/reference.hpp"
#include "src/session/stop_rule.hpp"
#include "src/session/stop_signals.hpp"

namespace paws::cli
{
namespace
{
/// The only command of the line, or null.
const CLI::App* command_of(const CLI::App& app)
{
    const auto commands = app.get_subcommands();
    return commands.empty() ? nullptr : commands.front();
}

/// Whether there is a configuration behind it that --set changes.
bool has_settings(const std::string& command)
{
    return command != "pack" && command != "subset" && command != "inspect" && command != "configs" &&
           command != "doctor";
}

/// Why what the line says besides the command's own options is refused; nothing where all of it is used. Nobody should
/// believe that it did something.
std::string say_unused(const CLI::App& app)
{
    const auto* const command = command_of(app);
    if (command == nullptr)
    {
        return {};
    }
    const auto& name = command->get_name();
    if (app.count("--set") > 0 && !has_settings(name))
    {
        return fmt::format("--set: {} has no configuration whose settings could be changed; leave it out", name);
    }
    for (const auto* option : {"--fname", "--sel", "--resume", "--stop-after", "--dry-run", "--print-config"})
    {
        if (app.count(option) > 0 && !(name == "views" && option == std::string("--sel")))
        {
            return fmt::format("{}: is not used by {}; leave it out", option, name);
        }
    }
    if (app.count("CONFIG") > 0)
    {
        return fmt::format("'{}': {} has no use for this argument; leave it out",
                           app.get_option("CONFIG")->results().front(), name);
    }
    return {};
}

/// Where options are explained.
std::string see_help(const CLI::App& app)
{
    const auto* const command = command_of(app);
    return fmt::format(" (see paws_hpc {}--help)", command == nullptr ? "" : command->get_name() + " ");
}

/// Options of the program that a command has too, for its help.
std::string common_options(const std::string& command)
{
    std::string text =
        "Also:\n  --summary FILE.json         Write what was done and its figures to this JSON file\n"
        "  --quiet                     Print no progress\n";
    if (has_settings(command))
    {
        text += fmt::format("  --set section.key=value     Change a setting{} (may be repeated)\n",
                            command == "convert" ? " of --config" : "");
    }
    return text;
}

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

void require_same_invocation(const ranks::Group& group, const std::string& invocation)
{
    if (const auto found = ranks::find_disagreement(group, invocation))
    {
        group.refuse(
            fmt::format("{}: its command line differs from that of {}: '{}', there '{}'; give all ranks the same",
                        found->rank, found->first, found->text, found->text_of_first));
    }
}

/// Collective: looks at what the first rank is to write before anything is done for it. Gives the summary's place.
std::unique_ptr<io::TextOutput> open_outputs(const Arguments& arguments, const std::string& name,
                                             const comm::World& world)
{
    std::unique_ptr<io::TextOutput> summary;
    agreed(world.group(),
           [&]
           {
               if (!world.is_first())
               {
                   return;
               }
               if (!has_files_in_config(name))
               {
                   io::require_outputs(files_of(arguments, name));
               }
               if (!arguments.summary.empty())
               {
                   summary = std::make_unique<io::TextOutput>(arguments.summary);
               }
           });
    return summary;
}

/// Returns the exit code.
int run_command(const Arguments& arguments, const std::string& name, const Command& command, comm::World& world)
{
    const auto output = open_outputs(arguments, name, world);
    if (world.is_first() && !arguments.config_note.empty())
    {
        io::say(io::printable(arguments.config_note) + "\n");
    }
    const auto summary = command(world);
    if (output)
    {
        commands::write_summary(*output, summary);
    }
    if (!commands::is_of_training(summary))
    {
        agreed(world.group(),
               [&]
               {
                   if (world.is_first())
                   {
                       require_printed();
                   }
               });
    }
    return commands::has_stopped(summary) ? session::resume_me : ranks::success;
}

/// Where the configuration is one of those that come with the program, takes it. Returns why it is refused, or nothing.
std::string take_shipped_config(Arguments& arguments)
{
    try
    {
        auto found = commands::find_config(arguments.config, arguments.task);
        arguments.config = std::move(found.path);
        arguments.config_note = std::move(found.note);
        return {};
    }
    catch (const ranks::BadInput& error)
    {
        return error.what();
    }
}

/// Help or version, once, however many are started. Returns the exit code.
int print_once(const CLI::App& app, const CLI::ParseError& wanted)
{
    if (!ranks::launcher_of_environment().is_first())
    {
        return ranks::success;
    }
    const int code = app.exit(wanted);
    try
    {
        require_printed();
        return code;
    }
    catch (const std::runtime_error& error)
    {
        io::say_error(fmt::format("paws_hpc: {}\n", error.what()));
        return ranks::failed;
    }
}
}  // namespace

int run(int argc, char** argv)
{
    Arguments arguments;
    CLI::App app("paws_hpc: semi-supervised visual pre-training (PAWS)", "paws_hpc");
    app.set_version_flag("--version", version_text);
    app.add_option_function<std::string>(
           "--print-settings", [](const std::string&) { throw CLI::CallForVersion(config::reference_markdown(), 0); },
           "Print all keys of configuration files, with types, defaults and meanings (markdown)")
        ->type_name("FORMAT")
        ->check(CLI::IsMember({"markdown"}));
    app.fallthrough();
    app.add_option("--set", arguments.overrides, "Change a setting: section.key=value (may be repeated)")
        ->take_all()
        ->expected(1)
        ->allow_extra_args(false);
    app.add_flag_callback(
        "--quiet", [] { io::set_quiet(true); },
        "Print no table at the start and no progress: notes, results and errors alone");
    app.add_option("--summary", arguments.summary, "Write what was done and its figures to this JSON file");
    auto command = add_run(app, arguments);
    Commands commands;
    add_data_commands(app, arguments, commands);
    add_evaluation_commands(app, arguments, commands);
    add_demo_commands(app, arguments, commands);
    for (auto* const subcommand : app.get_subcommands(nullptr))
    {
        subcommand->footer(common_options(subcommand->get_name()));
    }

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
        else if (const auto unused = say_unused(app); !unused.empty())
        {
            refused = unused + see_help(app);
        }
    }
    catch (const CLI::ParseError& error)
    {
        if (error.get_exit_code() == 0)
        {
            return print_once(app, error);
        }
        refused = std::string(error.what()) + wrong_option(app, argc, argv) + see_help(app);
    }
    if (app.get_subcommands().empty())
    {
        if (const auto wrong = wrong_command(app, arguments.config, argc, argv); !wrong.empty())
        {
            refused = wrong;
        }
    }

    if (refused.empty() && !arguments.config.empty())
    {
        refused = take_shipped_config(arguments);
    }

    if (!refused.empty() || !app.get_subcommands().empty() || !may_train(arguments))
    {
        session::drop_stop_signals();
    }
    std::string chosen;
    for (const auto& [name, known] : commands)
    {
        if (app.got_subcommand(name))
        {
            command = known;
            chosen = name;
        }
    }
    return launch(argc, argv, version_identity(),
                  [&](comm::World& world)
                  {
                      agreed(world.group(),
                             [&]
                             {
                                 if (!refused.empty())
                                 {
                                     throw config::Error(refused);
                                 }
                                 session::parse_stop_after(arguments.stop_after);
                             });
                      require_same_invocation(world.group(), invocation(app, arguments, argc, argv));
                      return run_command(arguments, chosen, command, world);
                  });
}
}  // namespace paws::cli

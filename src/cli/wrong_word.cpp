#include "src/cli/wrong_word.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "src/config/enums.hpp"
#include "src/config/nearest.hpp"

namespace paws::cli
{
namespace
{
/// Words of other programs, and what does that here. Empty: a configuration by itself.
constexpr std::array<std::pair<std::string_view, std::string_view>, 16> other_words{{
    {"train", ""},
    {"run", ""},
    {"fit", ""},
    {"start", ""},
    {"resume", ""},
    {"continue", ""},
    {"pretrain", ""},
    {"pre-train", ""},
    {"finetune", ""},
    {"evaluate", "snn-eval"},
    {"eval", "snn-eval"},
    {"test", "snn-eval"},
    {"validate", "snn-eval"},
    {"embeddings", "embed"},
    {"extract", "embed"},
    {"info", "inspect"},
}};

/// As names of commands are written.
std::string normalised(std::string word)
{
    for (char& c : word)
    {
        c = c == '_' ? '-' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
    return word;
}

bool may_be_a_file(const std::string& word)
{
    std::error_code error;
    return word.find_first_of("./") != std::string::npos || std::filesystem::exists(word, error);
}

/// The configuration that stands beside the word, for the example.
std::string configuration_in(int argc, char** argv)
{
    const auto* const found = std::find_if(argv + 1, argv + argc,
                                           [](const char* text)
                                           {
                                               const std::string_view word(text);
                                               return word.ends_with(".yaml") || word.ends_with(".yml");
                                           });
    return found == argv + argc ? "CONFIG.yaml" : *found;
}

std::vector<std::string> command_names(const CLI::App& app)
{
    std::vector<std::string> names;
    for (const auto* command : app.get_subcommands(nullptr))
    {
        names.push_back(command->get_name());
    }
    return names;
}

/// Those of the program and of the command.
std::vector<const CLI::Option*> options_of(const CLI::App& app)
{
    std::vector<const CLI::Option*> options = app.get_options();
    for (const auto* command : app.get_subcommands())
    {
        const auto more = command->get_options();
        options.insert(options.end(), more.begin(), more.end());
    }
    return options;
}

/// All their names, with their dashes.
std::vector<std::string> option_names(const CLI::App& app)
{
    std::vector<std::string> names{"--help"};
    for (const auto* option : options_of(app))
    {
        for (const auto& name : option->get_lnames())
        {
            names.push_back("--" + name);
        }
    }
    return names;
}

/// The first name of the option that `name` is of: others are older ones.
std::string main_name(const CLI::App& app, const std::string& name)
{
    for (const auto* option : options_of(app))
    {
        const auto& names = option->get_lnames();
        if (std::find(names.begin(), names.end(), name.substr(2)) != names.end())
        {
            return "--" + names.front();
        }
    }
    return name;
}

/// Of "--name=value".
std::string name_in(const std::string& word)
{
    return word.substr(0, word.find('='));
}

/// The first word that looks like an option and is none; the end where there is no such.
char** unknown_option(const CLI::App& app, int argc, char** argv)
{
    const auto names = option_names(app);
    return std::find_if(argv + 1, argv + argc,
                        [&](const char* text)
                        {
                            const auto name = name_in(text);
                            return name.starts_with("--") && std::find(names.begin(), names.end(), name) == names.end();
                        });
}

std::optional<std::string_view> other_word(const std::string& word)
{
    const auto* const found =
        std::find_if(other_words.begin(), other_words.end(), [&](const auto& row) { return row.first == word; });
    return found == other_words.end() ? std::nullopt : std::optional(found->second);
}
}  // namespace

std::string wrong_command(const CLI::App& app, const std::string& word, int argc, char** argv)
{
    const auto* const place = std::find_if(argv + 1, argv + argc, [&](const char* text) { return word == text; });
    if (word.empty() || may_be_a_file(word) || unknown_option(app, argc, argv) < place)
    {
        return {};
    }
    const auto names = command_names(app);
    const auto similar = normalised(word);
    const auto intro = fmt::format("{}: there is no such command, nor a configuration file of this name", word);
    if (similar == "help" || similar == "version")
    {
        return fmt::format("{}; did you mean paws_hpc --{}?", intro, similar);
    }
    if (const auto near = config::nearest(similar, names))
    {
        return fmt::format("{}; did you mean paws_hpc {}?", intro, *near);
    }
    const auto configuration = configuration_in(argc, argv);
    if (const auto task = config::enum_from_word<config::Task>(word))
    {
        return fmt::format("{}; a task is chosen in the file or by --sel: paws_hpc {} --sel {}", intro, configuration,
                           word);
    }
    if (const auto meant = other_word(similar))
    {
        return meant->empty() ? fmt::format("{}; a run needs no command: paws_hpc {}", intro, configuration)
                              : fmt::format("{}; did you mean paws_hpc {}?", intro, *meant);
    }
    return fmt::format("{}; commands are {}; a run needs none: paws_hpc {}", intro, fmt::join(names, ", "),
                       configuration);
}

std::string wrong_option(const CLI::App& app, int argc, char** argv)
{
    const auto* const unknown = unknown_option(app, argc, argv);
    const auto guess = unknown == argv + argc ? std::nullopt : config::nearest(name_in(*unknown), option_names(app));
    return guess ? fmt::format(" (did you mean {}?)", main_name(app, *guess)) : "";
}
}  // namespace paws::cli

#include "src/commands/shipped_configs.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <sstream>
#include <string_view>

#include "io/base/error.hpp"
#include "io/base/printable.hpp"
#include "io/files/input_path.hpp"
#include "io/files/read_file.hpp"
#include "src/config/config.hpp"
#include "src/config/enums.hpp"
#include "src/config/nearest.hpp"

namespace paws::commands
{
namespace
{
namespace fs = std::filesystem;

bool is_yaml(const fs::path& path)
{
    return path.extension() == ".yaml" || path.extension() == ".yml";
}

std::string_view without(std::string_view text, std::string_view prefix)
{
    return text.starts_with(prefix) ? text.substr(prefix.size()) : text;
}

/// What the file says, or its keys.
bool is_of_task(const ShippedConfig& shipped, const std::string& task)
{
    try
    {
        return config::word_from_enum(config::load(shipped.path.string()).task) == task;
    }
    catch (const config::Error&)
    {
        return false;
    }
}

std::string listed_names(const std::vector<ShippedConfig>& configs)
{
    std::vector<std::string> names;
    for (const auto& one : configs)
    {
        names.push_back(one.name);
    }
    return fmt::format("{}", fmt::join(names, ", "));
}

[[noreturn]] void refuse_ambiguous(const std::string& name, const std::vector<ShippedConfig>& found)
{
    throw config::Error(fmt::format("{}: may be {}; name one of them", name, listed_names(found)));
}

/// All that come with the program.
std::vector<ShippedConfig> require_shipped()
{
    const auto folder = shipped_configs_folder();
    if (folder.empty())
    {
        throw config::Error(
            "the configurations of the program are not there: share/paws_hpc/configs beside the bin/ that paws_hpc "
            "is in; install it as a whole (cmake --install)");
    }
    return shipped_configs(folder);
}
}  // namespace

fs::path shipped_configs_folder()
{
    std::error_code error;
    const auto program = fs::read_symlink("/proc/self/exe", error);
    const auto installed = program.parent_path().parent_path() / "share/paws_hpc/configs";
    for (const auto& folder : {installed, fs::path(PAWS_SOURCE_CONFIGS)})
    {
        if (fs::is_directory(folder, error))
        {
            return folder;
        }
    }
    return {};
}

std::vector<ShippedConfig> shipped_configs(const fs::path& folder)
{
    std::vector<ShippedConfig> configs;
    std::error_code error;
    for (auto entry = fs::recursive_directory_iterator(folder, error); !error && entry != fs::end(entry);
         entry.increment(error))
    {
        if (is_yaml(entry->path()))
        {
            configs.push_back({fs::relative(entry->path(), folder).string(), entry->path(),
                               first_comment(io::read_file(entry->path()))});
        }
    }
    if (error)
    {
        throw io::Error(
            fmt::format("{}: cannot be read ({}); check its permissions", folder.string(), error.message()));
    }
    std::sort(configs.begin(), configs.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
    return configs;
}

std::string first_comment(const std::string& yaml)
{
    std::istringstream lines(yaml);
    std::string text;
    for (std::string line; std::getline(lines, line) && line.starts_with("# ");)
    {
        text += fmt::format("{}{}", text.empty() ? "" : " ", line.substr(2));
    }
    std::size_t end = 0;
    const auto ends_sentence = [&](std::size_t at)
    {
        return std::string_view(".:;").find(text[at]) != std::string_view::npos &&
               (at + 1 == text.size() || text[at + 1] == ' ');
    };
    while (end < text.size() && !ends_sentence(end))
    {
        ++end;
    }
    return text.substr(0, end);
}

std::vector<ShippedConfig> configs_named(const std::vector<ShippedConfig>& all, const std::string& name)
{
    const auto end = fmt::format("/{}", without(name, "configs/"));
    std::vector<ShippedConfig> found;
    std::copy_if(all.begin(), all.end(), std::back_inserter(found),
                 [&](const ShippedConfig& one) { return fmt::format("/{}", one.name).ends_with(end); });
    return found;
}

FoundConfig find_config(const std::string& given, const std::string& task)
{
    const bool is_name = is_yaml(given) && given.front() != '/' && given.front() != '.' && given.front() != '~';
    const auto folder = is_name && !io::is_there(given) ? shipped_configs_folder() : fs::path();
    if (folder.empty())
    {
        return {given, {}};
    }
    const auto all = shipped_configs(folder);
    auto found = configs_named(all, given);
    if (found.empty())
    {
        return {given, {}};
    }
    auto others = found;
    if (found.size() > 1)
    {
        std::erase_if(found, [&](const auto& one) { return !is_of_task(one, task.empty() ? "paws_train" : task); });
    }
    if (found.size() != 1)
    {
        refuse_ambiguous(given, others);
    }
    const auto& one = found.front();
    std::erase_if(others, [&](const ShippedConfig& other) { return other.name == one.name; });
    return {one.path.string(),
            fmt::format("configuration   {}{}", one.path.string(),
                        others.empty() ? std::string() : fmt::format(" (not {})", listed_names(others)))};
}

Summary list_configs()
{
    const auto all = require_shipped();
    std::size_t width = 0;
    for (const auto& one : all)
    {
        width = std::max(width, one.name.size());
    }
    Summary summary{{"task", "configs"}, {"folder", shipped_configs_folder().string()}};
    fmt::print("In {}:\n", io::printable(shipped_configs_folder().string()));
    for (const auto& one : all)
    {
        fmt::print("{:<{}}  {}\n", one.name, width, one.about);
        summary["configs"][one.name] = one.about;
    }
    fmt::print("A run takes a name as it is here (paws_hpc {}), or your own copy (paws_hpc configs --copy {}).\n",
               all.front().name, all.front().name);
    return summary;
}

Summary copy_config(const std::string& name)
{
    const auto all = require_shipped();
    const auto found = configs_named(all, name);
    if (found.empty())
    {
        std::vector<std::string> names;
        for (const auto& one : all)
        {
            names.push_back(one.name);
        }
        throw config::Error(fmt::format("--copy: there is no configuration '{}'{}; paws_hpc configs lists them", name,
                                        config::did_you_mean(name, names)));
    }
    if (found.size() > 1)
    {
        refuse_ambiguous(name, found);
    }
    const auto copy = found.front().path.filename();
    std::error_code error;
    if (!fs::copy_file(found.front().path, copy, error))
    {
        throw io::Error(
            error == std::errc::file_exists
                ? fmt::format("{}: is there already; rename it, or copy to another folder", copy.string())
                : fmt::format("{}: cannot be written ({}); check the folder", copy.string(), error.message()));
    }
    // Installed files may be read-only.
    fs::permissions(copy, fs::perms::owner_write, fs::perm_options::add, error);
    fmt::print("{}: a copy of {}\n", copy.string(), io::printable(found.front().path.string()));
    return {{"task", "configs"}, {"files", {copy.string()}}};
}
}  // namespace paws::commands

#include "src/config/paths.hpp"

#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <optional>
#include <vector>

#include "src/config/keys.hpp"

namespace paws::config
{
namespace
{
constexpr std::array<std::string_view, 11> path_keys{
    "meta.read_checkpoint", "meta.init_backbone",    "data.file",        "data.root_path",
    "data.image_folder",    "data.subset",           "data.subset_path", "data.scratch",
    "logging.folder",       "logging.pretrain_path", "embed.file",
};

/// The user's entry in the system's list; of oneself for an empty name.
std::optional<std::string> listed_home(const std::string& user)
{
    passwd entry{};
    passwd* found = nullptr;
    std::vector<char> buffer(std::size_t{1} << 16);
    const int failed = user.empty() ? getpwuid_r(getuid(), &entry, buffer.data(), buffer.size(), &found)
                                    : getpwnam_r(user.c_str(), &entry, buffer.data(), buffer.size(), &found);
    return failed != 0 || found == nullptr ? std::nullopt : std::optional<std::string>(found->pw_dir);
}

std::string home_of(const std::string& user)
{
    if (const char* const home = std::getenv("HOME"); user.empty() && home != nullptr && *home != '\0')
    {
        return home;
    }
    if (const auto home = listed_home(user))
    {
        return *home;
    }
    throw Error(user.empty() ? "~: HOME is not set; set it, or write the path out"
                             : fmt::format("~{}: there is no user of this name; write ./~{} for a file that is called "
                                           "so",
                                           user, user));
}

bool begins_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

bool continues_name(char c)
{
    return begins_name(c) || (c >= '0' && c <= '9');
}

std::string variable(const std::string& name)
{
    const char* const value = std::getenv(name.c_str());
    if (value == nullptr || *value == '\0')
    {
        throw Error(fmt::format("${}: the variable is {}; set it, or write \\$ for a dollar sign", name,
                                value == nullptr ? "not set" : "empty"));
    }
    return value;
}

/// Appends what the $ at `at` stands for, and gives the place after it.
std::size_t append_dollar(const std::string& text, std::size_t at, std::string& result)
{
    const auto begin = at + 1;
    const char next = begin < text.size() ? text[begin] : '\0';
    if (begins_name(next))
    {
        const auto end =
            std::find_if_not(text.begin() + static_cast<std::ptrdiff_t>(begin), text.end(), continues_name);
        const std::string name(text.begin() + static_cast<std::ptrdiff_t>(begin), end);
        result += variable(name);
        return begin + name.size();
    }
    if (next != '{' && next != '(')
    {
        result += '$';
        return begin;
    }
    const auto end = next == '{' ? text.find('}', begin) : std::string::npos;
    const auto name = end == std::string::npos ? std::string() : text.substr(begin + 1, end - begin - 1);
    if (name.empty() || !begins_name(name.front()) || !std::all_of(name.begin(), name.end(), continues_name))
    {
        throw Error(fmt::format("{}: only $NAME and ${{NAME}} are replaced; write \\$ for a dollar sign",
                                text.substr(at, end == std::string::npos ? end : end + 1 - at)));
    }
    result += variable(name);
    return end + 1;
}

void expand(std::string& path)
{
    path = expanded_path(path);
}

void expand(std::optional<std::string>& path)
{
    if (path)
    {
        path = expanded_path(*path);
    }
}

/// No other member is a path.
template <class Member>
void expand(Member&)
{
}
}  // namespace

bool is_path(std::string_view key)
{
    return std::find(path_keys.begin(), path_keys.end(), key) != path_keys.end();
}

std::string expanded_path(const std::string& text)
{
    std::string result;
    std::size_t at = 0;
    if (text.starts_with('~'))
    {
        at = std::min(text.find('/'), text.size());
        result = home_of(text.substr(1, at - 1));
    }
    while (at < text.size())
    {
        const char c = text[at];
        const char next = at + 1 < text.size() ? text[at + 1] : '\0';
        if (c == '\\' && (next == '$' || next == '\\' || (next == '~' && at == 0)))
        {
            result += next;
            at += 2;
        }
        else if (c == '$')
        {
            at = append_dollar(text, at, result);
        }
        else
        {
            result += c;
            ++at;
        }
    }
    return result;
}

std::string written_path(const std::string& path)
{
    std::string text = path.starts_with('~') ? "\\" : "";
    for (const char c : path)
    {
        if (c == '$' || c == '\\')
        {
            text += '\\';
        }
        text += c;
    }
    return text;
}

void expand_paths(Config& config, const Document& document)
{
    for_each_key(config,
                 [&](const char* key, auto& member, TaskSet tasks, const About&)
                 {
                     if (!is_path(key) || !tasks.contains(config.task) || !document.has(key))
                     {
                         return;
                     }
                     try
                     {
                         expand(member);
                     }
                     catch (const Error& error)
                     {
                         fail(document.where(key), key, error.what());
                     }
                 });
}
}  // namespace paws::config

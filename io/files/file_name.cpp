#include "io/files/file_name.hpp"

#include <unistd.h>

#include <array>
#include <cstdio>
#include <span>

#include "io/base/error.hpp"
#include "io/files/checksum.hpp"
#include "io/files/landing_place.hpp"

namespace paws::io
{
namespace
{
/// The beginning of `text`, not cut within a character of UTF-8.
std::string beginning_of(const std::string& text, std::size_t most)
{
    const auto goes_on = [](char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; };
    while (most > 0 && most < text.size() && goes_on(text[most]))
    {
        --most;
    }
    return text.substr(0, most);
}
}  // namespace

std::string name_beside(const std::string& name, const std::string& suffix, std::size_t reserved)
{
    const std::size_t taken = suffix.size() + reserved;
    const std::size_t most = taken < safe_name_length ? safe_name_length - taken : 0;
    if (name.size() <= most)
    {
        return name + suffix;
    }
    std::array<char, 10> sum{};
    std::snprintf(sum.data(), sum.size(), "~%08x", crc32(std::as_bytes(std::span(name))));
    const std::string mark = sum.data();
    return beginning_of(name, most > mark.size() ? most - mark.size() : 0) + mark + suffix;
}

std::size_t longest_name(const std::filesystem::path& folder)
{
    std::error_code error;
    auto existing = std::filesystem::absolute(folder, error);
    while (!error && !std::filesystem::exists(existing, error) && existing != existing.root_path())
    {
        error.clear();
        existing = existing.parent_path();
    }
    constexpr std::size_t usual = 255;
    const long limit = ::pathconf(existing.c_str(), _PC_NAME_MAX);
    return limit > 0 ? static_cast<std::size_t>(limit) : usual;
}

void require_name_fits(const std::filesystem::path& path)
{
    const std::size_t length = path.filename().string().size();
    const std::filesystem::path folder = folder_of(path);
    const std::size_t most = longest_name(folder);
    if (length > most)
    {
        throw Error(path.string() + ": its name has " + std::to_string(length) + " bytes, and the file system of '" +
                    folder.string() + "' takes " + std::to_string(most) + "; give a shorter one");
    }
}
}  // namespace paws::io

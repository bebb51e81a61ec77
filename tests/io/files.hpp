#pragma once

// What the tests of io/ share: folders that go away, plain files, and refusals.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <iterator>
#include <string>

#include <unistd.h>

#include "io/base/error.hpp"
#include "tests/support/catch.hpp"

namespace paws::test
{
/// An empty folder that is removed with what is in it.
class TemporaryFolder
{
public:
    TemporaryFolder()
    {
        std::string pattern = (std::filesystem::temp_directory_path() / "paws-test-XXXXXX").string();
        REQUIRE(mkdtemp(pattern.data()) != nullptr);
        path_ = pattern;
    }
    ~TemporaryFolder()
    {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;

    const std::filesystem::path& path() const { return path_; }
    std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

    /// How many files and folders are in it.
    std::size_t entries() const
    {
        const std::filesystem::directory_iterator begin(path_);
        return static_cast<std::size_t>(std::distance(begin, std::filesystem::directory_iterator()));
    }

private:
    std::filesystem::path path_;
};

inline std::string contents(const std::filesystem::path& path)
{
    std::ifstream stream(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
}

inline std::filesystem::path write_file(const std::filesystem::path& path, const std::string& bytes)
{
    std::ofstream(path, std::ios::binary) << bytes;
    return path;
}

/// A path to a file of tests/inputs that only these tests use.
inline std::filesystem::path data_path(const std::string& name)
{
    return std::filesystem::path(PAWS_TEST_DATA) / name;
}

/// Passes if `action` throws bad input (on one rank paws::io::Error) with a message of one line that has all of
/// `parts`.
template <typename Action>
void check_refused(Action action, std::initializer_list<std::string> parts)
{
    std::string message;
    try
    {
        action();
    }
    catch (const ranks::BadInput& error)
    {
        message = error.what();
    }
    INFO("message: " << message);
    CHECK_FALSE(message.empty());
    CHECK(message.find('\n') == std::string::npos);
    for (const std::string& part : parts)
    {
        INFO("expected part: " << part);
        CHECK(message.find(part) != std::string::npos);
    }
}
}  // namespace paws::test

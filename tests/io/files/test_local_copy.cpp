#include <sys/stat.h>

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include "io/files/local_copy.hpp"
#include "io/files/seal.hpp"
#include "tests/io/files.hpp"
#include "tests/io/full_disk.hpp"

using namespace paws::test;
using namespace paws::io;
namespace fs = std::filesystem;

namespace
{
/// More than two pieces, and no whole number of them.
std::string some_bytes()
{
    std::string bytes(40'000'001, '\0');
    for (std::size_t i = 0; i < bytes.size(); ++i)
    {
        bytes[i] = static_cast<char>(i * 2654435761U >> 13);
    }
    return bytes;
}

/// A data set on a network disk, and a folder of the node.
struct Disks
{
    TemporaryFolder network;
    TemporaryFolder node;

    LocalCopy copy(const fs::path& file, const CopyProgress& progress = {}) const
    {
        return copy_to_folder(file, node.path(), progress);
    }

    fs::path own() const { return node / ("paws-staged-" + std::to_string(::geteuid())); }

    /// That lie there now, whole or in part.
    std::vector<std::string> files() const
    {
        std::vector<std::string> names;
        for (const auto& entry : fs::recursive_directory_iterator(node.path()))
        {
            if (entry.is_regular_file() && entry.file_size() > 0)
            {
                names.push_back(entry.path().filename().string());
            }
        }
        return names;
    }
};

template <typename Action>
std::string hurdle(Action action)
{
    try
    {
        action();
    }
    catch (const NoLocalCopy& refused)
    {
        return refused.what();
    }
    return "";
}
}  // namespace

TEST_CASE("a file is copied once, and its copy is used again", "[io][local_copy]")
{
    const Disks disks;
    const std::string bytes = some_bytes();
    const std::string sealed = bytes + make_seal(bytes);
    for (const std::string& content : {bytes, sealed, std::string(), std::string("x"), bytes.substr(0, 16 << 20)})
    {
        const auto file = write_file(disks.network / "data.h5", content);
        const auto first = disks.copy(file);
        CHECK_FALSE(first.reused);
        CHECK(first.path.parent_path() == disks.own());
        CHECK(contents(first.path) == content);
        const auto second = disks.copy(file);
        CHECK(second.reused);
        CHECK(second.path == first.path);
        CHECK(contents(second.path) == content);
        CHECK(disks.files().size() == (content.empty() ? 1 : 2));
    }
}

TEST_CASE("progress rises to the size of the file", "[io][local_copy]")
{
    const Disks disks;
    const std::string bytes = some_bytes();
    const auto file = write_file(disks.network / "data.h5", bytes);
    std::vector<std::uint64_t> seen;
    disks.copy(file,
               [&](std::uint64_t done, std::uint64_t total)
               {
                   CHECK(total == bytes.size());
                   seen.push_back(done);
               });
    CHECK(seen == std::vector<std::uint64_t>{16 << 20, 32 << 20, bytes.size()});
}

TEST_CASE("files of one name in two folders have two copies", "[io][local_copy]")
{
    const Disks disks;
    fs::create_directory(disks.network / "a");
    fs::create_directory(disks.network / "b");
    const auto a = disks.copy(write_file(disks.network / "a/data.h5", "one"));
    const auto b = disks.copy(write_file(disks.network / "b/data.h5", "two"));
    CHECK(contents(a.path) == "one");
    CHECK(contents(b.path) == "two");
    CHECK(disks.copy(disks.network / "a/../a/data.h5").reused);
}

TEST_CASE("a copy that is damaged or cut off is replaced", "[io][local_copy]")
{
    const Disks disks;
    const std::string bytes = some_bytes();
    const auto file = write_file(disks.network / "data.h5", bytes);
    const auto copy = disks.copy(file).path;
    std::string damaged = bytes;
    damaged[20'000'000] = static_cast<char>(damaged[20'000'000] ^ 1);
    for (const std::string& content : {damaged, bytes.substr(1), bytes + "x", std::string()})
    {
        write_file(copy, content);
        CHECK_FALSE(disks.copy(file).reused);
        CHECK(contents(copy) == bytes);
    }
    write_file(copy.string() + ".source", "nonsense");
    CHECK_FALSE(disks.copy(file).reused);
    fs::remove(copy);
    CHECK_FALSE(disks.copy(file).reused);
    CHECK(disks.copy(file).reused);
}

TEST_CASE("a file that changed is copied anew", "[io][local_copy]")
{
    const Disks disks;
    const auto file = write_file(disks.network / "data.h5", "old");
    const auto copy = disks.copy(file).path;
    write_file(file, "new");
    fs::last_write_time(file, fs::last_write_time(file) + std::chrono::seconds(1));
    CHECK_FALSE(disks.copy(file).reused);
    CHECK(contents(copy) == "new");
}

TEST_CASE("a file that changes while it is copied is refused", "[io][local_copy]")
{
    const Disks disks;
    const std::string bytes = some_bytes();
    const auto file = disks.network / "data.h5";
    const std::string other = bytes + make_seal(bytes);
    const std::vector<std::function<void()>> changes = {
        [&] { std::ofstream(file, std::ios::app) << "more"; },
        [&] { fs::resize_file(file, 20'000'000); },
        [&] { fs::last_write_time(file, fs::last_write_time(file) + std::chrono::seconds(1)); },
        [&] { fs::rename(write_file(disks.network / "other.h5", other), file); },
    };
    for (const auto& change : changes)
    {
        write_file(file, other);
        bool changed = false;
        const auto change_once = [&](std::uint64_t, std::uint64_t)
        {
            if (!std::exchange(changed, true))
            {
                change();
            }
        };
        check_refused([&] { disks.copy(file, change_once); }, {file.string(), "changed while it was copied"});
        CHECK(disks.files().empty());
    }
}

TEST_CASE("a file that is missing or does not match its seal is refused", "[io][local_copy]")
{
    const Disks disks;
    check_refused([&] { disks.copy(disks.network / "none.h5"); }, {"none.h5", "no such file"});
    check_refused([&] { disks.copy(disks.network.path()); }, {disks.network.path().string(), "is a folder"});
    const std::string bytes = some_bytes();
    std::string damaged = bytes + make_seal(bytes);
    damaged[100] = static_cast<char>(damaged[100] ^ 1);
    const auto file = write_file(disks.network / "damaged.h5", damaged);
    check_refused([&] { disks.copy(file); }, {file.string(), "checksum", "damaged"});
    write_file(file, bytes.substr(1) + make_seal(bytes));
    check_refused([&] { disks.copy(file); }, {file.string(), "checksum", "damaged"});
    CHECK(disks.files().empty());
}

TEST_CASE("where there can be no copy, the reason is said and nothing is left", "[io][local_copy]")
{
    const Disks disks;
    const auto file = write_file(disks.network / "data.h5", some_bytes());
    const auto short_of_space = [](const fs::path&) { return std::uint64_t{70'000'000}; };
    CHECK_THAT(hurdle([&] { copy_to_folder(file, disks.node.path(), {}, short_of_space); }),
               Catch::Contains("the file has 40.0 MB") && Catch::Contains("70.0 MB free"));
    CHECK_THAT(hurdle([&] { copy_to_folder(file, disks.node / "none"); }), Catch::Contains("there is no folder"));
    CHECK_THAT(hurdle([&] { copy_to_folder(file, file); }), Catch::Contains("is a file, not a folder"));
    CHECK_THAT(hurdle([&] { copy_to_folder(file, "/proc"); }), Catch::Contains("no folder can be made in '/proc'"));
    {
        const FullDisk full(20'000'000);
        CHECK_THAT(hurdle([&] { disks.copy(file); }), Catch::Contains("write failed: File too large"));
    }
    CHECK(disks.files().empty());
    CHECK_FALSE(disks.copy(file).reused);
}

TEST_CASE("a folder that others may write to is not trusted", "[io][local_copy]")
{
    const Disks disks;
    const auto file = write_file(disks.network / "data.h5", "bytes");
    fs::create_directory(disks.own());
    REQUIRE(::chmod(disks.own().c_str(), 0777) == 0);
    CHECK_THAT(hurdle([&] { disks.copy(file); }), Catch::Contains("belongs to this user alone"));
    fs::remove(disks.own());
    fs::create_directory_symlink(disks.network.path(), disks.own());
    CHECK_THAT(hurdle([&] { disks.copy(file); }), Catch::Contains("belongs to this user alone"));
}

TEST_CASE("what a killed process left of a copy goes away", "[io][local_copy]")
{
    const Disks disks;
    const auto file = write_file(disks.network / "data.h5", "bytes");
    const auto copy = disks.copy(file).path;
    fs::remove(copy);
    write_file(copy.string() + ".partial-1", "by");
    write_file(disks.own() / "another.h5.partial-1", "by");
    CHECK_FALSE(disks.copy(file).reused);
    CHECK_FALSE(fs::exists(copy.string() + ".partial-1"));
    CHECK(fs::exists(disks.own() / "another.h5.partial-1"));
}

TEST_CASE("of those who want a copy at the same time, one makes it", "[io][local_copy]")
{
    const Disks disks;
    const std::string bytes = some_bytes();
    const auto file = write_file(disks.network / "data.h5", bytes);
    std::atomic<int> made = 0;
    std::atomic<int> whole = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i)
    {
        threads.emplace_back(
            [&]
            {
                const auto copy = disks.copy(file);
                made += copy.reused ? 0 : 1;
                whole += contents(copy.path) == bytes ? 1 : 0;
            });
    }
    for (std::thread& thread : threads)
    {
        thread.join();
    }
    CHECK(made == 1);
    CHECK(whole == 4);
}

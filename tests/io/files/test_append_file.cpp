#include "io/files/append_file.hpp"

#include "tests/io/files.hpp"
#include "tests/io/full_disk.hpp"

using namespace paws::test;
using namespace paws::io;

TEST_CASE("what cannot be appended whole leaves no part of itself", "[io][append_file]")
{
    const TemporaryFolder folder;
    write_file(folder / "log.csv", "old lines\n");
    AppendFile file(folder / "log.csv", "epoch,itr\n");
    file.append("1,0\n");
    {
        const FullDisk full(20);
        CHECK_THROWS_WITH(file.append("1,1,and more than there is room for\n"),
                          Catch::Contains("log.csv") && Catch::Contains("free some space"));
    }
    CHECK(contents(folder / "log.csv") == "epoch,itr\n1,0\n");
    file.append("1,2\n");
    CHECK(contents(folder / "log.csv") == "epoch,itr\n1,0\n1,2\n");
}

TEST_CASE("a log that was removed, renamed or emptied is begun again with its header", "[io][append_file]")
{
    namespace fs = std::filesystem;
    const TemporaryFolder folder;
    const auto path = folder / "run/logs/log.csv";
    fs::create_directories(path.parent_path());
    AppendFile file(path, "epoch,itr\n1,0\n", "epoch,itr\n");
    CHECK_FALSE(file.append("1,1\n"));
    SECTION("removed")
    {
        fs::remove(path);
    }
    SECTION("renamed")
    {
        fs::rename(path, folder / "kept.csv");
    }
    SECTION("emptied")
    {
        fs::resize_file(path, 0);
    }
    SECTION("its folder renamed")
    {
        fs::rename(folder / "run", folder / "kept");
    }
    SECTION("its folder removed")
    {
        fs::remove_all(folder / "run");
    }
    CHECK(file.append("1,2\n"));
    CHECK_FALSE(file.append("1,3\n"));
    CHECK(contents(path) == "epoch,itr\n1,2\n1,3\n");
}

TEST_CASE("a log goes on in a file that was put in its place", "[io][append_file]")
{
    const TemporaryFolder folder;
    const auto path = folder / "log.csv";
    AppendFile file(path, "epoch,itr\n", "epoch,itr\n");
    write_file(folder / "other.csv", "epoch,itr\n7,7\n");
    std::filesystem::rename(folder / "other.csv", path);
    CHECK_FALSE(file.append("1,0\n"));
    CHECK(contents(path) == "epoch,itr\n7,7\n1,0\n");
    // An empty log without header is none that was lost.
    AppendFile lines(folder / "log.jsonl", "");
    CHECK_FALSE(lines.append("{}\n"));
}

TEST_CASE("where a log cannot be begun again, it goes on where it was moved to", "[io][append_file]")
{
    namespace fs = std::filesystem;
    const TemporaryFolder folder;
    fs::create_directory(folder / "run");
    AppendFile file(folder / "run/log.csv", "epoch,itr\n", "epoch,itr\n");
    fs::rename(folder / "run", folder / "kept");
    SECTION("a file has the folder's name")
    {
        write_file(folder / "run", "");
    }
    SECTION("a folder has the file's name")
    {
        fs::create_directories(folder / "run/log.csv");
    }
    check_refused([&] { file.append("1,0\n"); }, {"run/log.csv"});
    CHECK(contents(folder / "kept/log.csv") == "epoch,itr\n1,0\n");
}

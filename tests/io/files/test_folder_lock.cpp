#include "io/files/folder_lock.hpp"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "tests/io/files.hpp"

using namespace paws::test;
using namespace paws::io;

TEST_CASE("a lock keeps others out until its holder goes", "[io][folder_lock]")
{
    const TemporaryFolder folder;
    const auto path = folder / "run.lock";
    {
        const FolderLock first(path);
        CHECK(first.is_held());
        CHECK(contents(path).find(std::to_string(getpid())) != std::string::npos);
        CHECK_THROWS_WITH(FolderLock(path), Catch::Contains("run.lock") &&
                                                Catch::Contains("another run (process " + std::to_string(getpid())) &&
                                                Catch::Contains("logging.folder"));
    }
    CHECK(FolderLock(path).is_held());
    CHECK_THROWS_AS(FolderLock(folder / "missing/run.lock"), SystemError);
}

TEST_CASE("the lock of a process that is killed is free", "[io][folder_lock]")
{
    const TemporaryFolder folder;
    const auto path = folder / "run.lock";
    int ready[2];
    REQUIRE(pipe(ready) == 0);
    const pid_t child = fork();
    if (child == 0)
    {
        const FolderLock lock(path);
        static_cast<void>(!write(ready[1], "x", 1));
        pause();
        _exit(0);
    }
    char byte = 0;
    REQUIRE(read(ready[0], &byte, 1) == 1);
    CHECK_THROWS_WITH(FolderLock(path), Catch::Contains(std::to_string(child)));
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    CHECK(FolderLock(path).is_held());
    close(ready[0]);
    close(ready[1]);
}

TEST_CASE("a lock that cannot be made says what to do", "[io][folder_lock]")
{
    const TemporaryFolder folder;
    std::filesystem::create_directory(folder / "run.lock");
    check_refused([&] { FolderLock(folder / "run.lock"); },
                  {"run.lock: the lock of the run cannot be taken (", "permissions", "logging.folder"});
    check_refused([&] { FolderLock(folder / "missing/run.lock"); }, {"missing/run.lock", "logging.folder"});
    // Nor does it wait for a reader.
    REQUIRE(mkfifo((folder / "fifo.lock").c_str(), 0600) == 0);
    check_refused([&] { FolderLock(folder / "fifo.lock"); }, {"fifo.lock", "logging.folder"});
}

TEST_CASE("a lock whose file is gone is known as such", "[io][folder_lock]")
{
    const TemporaryFolder folder;
    const auto path = folder / "run.lock";
    const FolderLock lock(path);
    CHECK(lock.is_in_place());
    std::filesystem::remove(path);
    CHECK_FALSE(lock.is_in_place());
    write_file(path, "");
    CHECK_FALSE(lock.is_in_place());
}

#include <sys/wait.h>

#include <thread>

#include "io/atomic_file.hpp"
#include "io/h5.hpp"
#include "tests/io/files.hpp"
#include "tests/io/full_disk.hpp"

using namespace paws::test;
using paws::io::AtomicFile;

TEST_CASE("a file appears with commit and not before", "[io]")
{
    const TemporaryFolder folder;
    const auto path = write_file(folder / "file", "old");
    {
        AtomicFile file(path);
        write_file(file.temporary(), "new");
        CHECK(file.temporary().parent_path() == folder.path());
        CHECK(contents(path) == "old");
        file.commit();
        CHECK(contents(path) == "new");
    }
    CHECK(contents(path) == "new");
    CHECK(folder.entries() == 1);
}

TEST_CASE("without commit nothing is left and nothing is lost", "[io]")
{
    const TemporaryFolder folder;
    const auto path = write_file(folder / "file", "old");
    {
        AtomicFile file(path);
        write_file(file.temporary(), "new");
    }
    CHECK(contents(path) == "old");
    CHECK(folder.entries() == 1);
}

namespace
{
/// Runs `work` in a process of its own, which ends without any of what the end of this one does.
template <class Work>
int exit_code_of(const Work& work)
{
    const pid_t process = fork();
    if (process == 0)
    {
        work();
        _exit(99);
    }
    int status = 0;
    REQUIRE(waitpid(process, &status, 0) == process);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
}  // namespace

TEST_CASE("what a killed process left is removed by the next one that writes the file", "[io]")
{
    const TemporaryFolder folder;
    const auto path = folder / "file";
    const auto other = folder / "file2";
    // The name of a temporary file, and the number of a process that is no more.
    const std::string own = AtomicFile(path).temporary().string();
    const std::string stem = own.substr(0, own.rfind('-') + 1);
    const pid_t ended = fork();
    if (ended == 0)
    {
        _exit(0);
    }
    REQUIRE(waitpid(ended, nullptr, 0) == ended);
    const auto leftover = write_file(stem + std::to_string(ended), "half");
    const auto at_work = write_file(stem + std::to_string(getppid()), "half");
    const auto elsewhere = write_file(path.string() + ".partial-another.host-" + std::to_string(ended), "half");
    const auto of_other = write_file(other.string() + ".partial-host-" + std::to_string(ended), "half");
    paws::io::write_atomically(path, {"new"});
    CHECK_FALSE(std::filesystem::exists(leftover));
    CHECK(std::filesystem::exists(at_work));
    CHECK(std::filesystem::exists(elsewhere));
    CHECK(std::filesystem::exists(of_other));
    CHECK(contents(path) == "new");
}

TEST_CASE("a process that has to end at once takes its temporary files along", "[io]")
{
    const TemporaryFolder folder;
    const auto path = write_file(folder / "file", "old");
    const auto code = exit_code_of(
        [&]
        {
            AtomicFile file(path);
            AtomicFile another(folder / "another");
            write_file(file.temporary(), "half of the new");
            paws::io::write_atomically(folder / "done", {"whole"});
            std::thread([] { paws::io::exit_without_temporaries(7); }).join();
        });
    CHECK(code == 7);
    CHECK(contents(path) == "old");
    CHECK(contents(folder / "done") == "whole");
    CHECK(folder.entries() == 2);
}

TEST_CASE("bytes are written whole", "[io]")
{
    const TemporaryFolder folder;
    const std::string bytes(3'000'000, 'x');
    paws::io::write_atomically(folder / "file", {bytes, "and more", "", bytes});
    CHECK(contents(folder / "file") == bytes + "and more" + bytes);
}

TEST_CASE("places that cannot be written to are refused with what to do", "[io]")
{
    const TemporaryFolder folder;
    const auto write = [](const std::filesystem::path& path) { paws::io::write_atomically(path, {"text"}); };
    check_refused([&] { write(folder / "none/file"); }, {"none/file", "no folder", "make it"});
    check_refused([&] { write(folder.path()); }, {folder.path().string(), "is a folder"});
    check_refused([&] { write("/proc/paws-test"); }, {"/proc/paws-test", "open failed", "permissions"});
    write_file(folder / "plain", "");
    check_refused([&] { write(folder / "plain/file"); }, {"plain/file", "no folder"});
    AtomicFile vanished(folder / "vanished");
    std::filesystem::remove(vanished.temporary());
    check_refused([&] { vanished.commit(); }, {"vanished", "No such file"});
}

TEST_CASE("a full disk is said in one line, and what was there stays", "[io]")
{
    const TemporaryFolder folder;
    const auto path = write_file(folder / "file", "old");
    const std::vector<double> numbers(100'000, 1.0);
    paws::io::h5::File file = paws::io::h5::File::create(path);
    file.write<double>("numbers", numbers, {numbers.size()});
    {
        const FullDisk full(10'000);
        check_refused([&] { paws::io::write_atomically(path, {std::string(20'000, 'x')}); },
                      {path.string() + ": cannot be written", "write failed: File too large", "free some space"});
        check_refused([&] { file.save(); },
                      {path.string() + ": cannot be written", "File too large", "free some space"});
    }
    CHECK(contents(path) == "old");
    CHECK(folder.entries() == 1);
    file.save();
    CHECK(paws::io::h5::File::open(path).dataset("numbers").read<double>() == numbers);
}

#include <sys/stat.h>
#include <sys/wait.h>

#include <thread>

#include "io/files/atomic_file.hpp"
#include "io/files/hard_link.hpp"
#include "io/hdf5/h5.hpp"
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

TEST_CASE("a symbolic link stays, and the file that it leads to appears whole", "[io]")
{
    const TemporaryFolder folder;
    std::filesystem::create_directory(folder / "deep");
    const auto target = write_file(folder / "deep/target", "old");
    const auto link = folder / "link";
    std::filesystem::create_symlink("deep/target", link);
    {
        AtomicFile file(link);
        CHECK(file.temporary().parent_path() == folder / "deep");
        CHECK(file.folder() == folder / "deep");
        write_file(file.temporary(), "new");
        CHECK(contents(target) == "old");
        file.commit();
    }
    CHECK(contents(target) == "new");
    CHECK(std::filesystem::is_symlink(link));
    std::filesystem::remove(target);
    paws::io::write_atomically(link, {"made"});
    CHECK(contents(target) == "made");
    CHECK(folder.entries() == 2);
}

TEST_CASE("what is no file is never replaced", "[io]")
{
    const TemporaryFolder folder;
    REQUIRE(mkfifo((folder / "fifo").c_str(), 0600) == 0);
    std::filesystem::create_symlink("fifo", folder / "link");
    for (const auto* name : {"fifo", "link"})
    {
        check_refused([&] { paws::io::write_atomically(folder / name, {"text"}); }, {name, "is a FIFO"});
    }
    CHECK(std::filesystem::is_fifo(folder / "fifo"));
    CHECK(std::filesystem::is_symlink(folder / "link"));
    CHECK(folder.entries() == 2);
}

TEST_CASE("names up to the file system's limit can be written, and no longer ones", "[io]")
{
    const TemporaryFolder folder;
    for (const std::size_t length : {150U, 215U, 235U, 254U, 255U})
    {
        INFO(length);
        // Characters of two bytes are not cut.
        std::string name;
        while (name.size() < length)
        {
            name += length - name.size() == 1 ? "n" : "ä";
        }
        {
            AtomicFile file(folder / name);
            const auto temporary = file.temporary().filename().string();
            CHECK(temporary.size() <= 200);
            CHECK((temporary.find("ä~") != std::string::npos) == (length > 150));
            CHECK(temporary.find("\xc3~") == std::string::npos);
            file.commit();
        }
        CHECK(std::filesystem::exists(folder / name));
        paws::io::hard_link(folder / name, folder / std::string(length, 'h'));
        CHECK(std::filesystem::exists(folder / std::string(length, 'h')));
    }
    CHECK(folder.entries() == 10);
    // Two long names with one beginning are two files.
    CHECK(AtomicFile(folder / (std::string(240, 'n') + "a")).temporary() !=
          AtomicFile(folder / (std::string(240, 'n') + "b")).temporary());
    check_refused([&] { paws::io::write_atomically(folder / std::string(256, 'n'), {"text"}); },
                  {"256 bytes", "takes 255"});
    CHECK(folder.entries() == 10);
}

TEST_CASE("what lies under the name of a temporary file goes, and is not written through", "[io]")
{
    const TemporaryFolder folder;
    const auto other = write_file(folder / "other", "kept");
    const auto temporary = AtomicFile(folder / "file").temporary();
    std::filesystem::create_symlink(other, temporary);
    paws::io::write_atomically(folder / "file", {"text"});
    CHECK(contents(other) == "kept");
    CHECK(contents(folder / "file") == "text");
    REQUIRE(mkfifo(temporary.c_str(), 0600) == 0);
    paws::io::write_atomically(folder / "file", {"more"});
    CHECK(contents(folder / "file") == "more");
    CHECK(folder.entries() == 2);
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
    check_refused([&] { write(folder / "plain/file"); }, {"plain/file", "is not a folder"});
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

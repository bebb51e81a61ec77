#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <csignal>
#include <cstring>

#include "io/files/descriptor.hpp"
#include "io/files/landing_place.hpp"
#include "tests/io/files.hpp"

using namespace paws::test;
using paws::io::FileIdentity;
using paws::io::FileType;
using paws::io::landing_place;
namespace fs = std::filesystem;

TEST_CASE("symbolic links are followed to where data land, also to what is not there", "[io]")
{
    const TemporaryFolder folder;
    const auto file = write_file(folder / "file", "x");
    fs::create_directory(folder / "deep");
    fs::create_symlink("file", folder / "link");
    fs::create_symlink("../link", folder / "deep/link");
    fs::create_symlink(folder / "deep/new", folder / "dangling");
    fs::create_symlink("circle", folder / "circle");
    fs::create_symlink("nowhere/file", folder / "lost");
    CHECK(landing_place(file).path == file);
    CHECK(landing_place(file).type == FileType::regular);
    CHECK(landing_place(folder / "deep/link").type == FileType::regular);
    CHECK(fs::equivalent(landing_place(folder / "deep/link").path, file));
    CHECK_FALSE(fs::is_symlink(landing_place(folder / "deep/link").path));
    CHECK(landing_place(folder / "dangling").path == folder / "deep/new");
    CHECK(landing_place(folder / "dangling").type == FileType::absent);
    CHECK(landing_place(folder / "new").path == folder / "new");
    CHECK(landing_place(folder / "lost").path == folder / "nowhere/file");
    check_refused([&] { landing_place(folder / "circle"); }, {"circle", "Too many levels of symbolic links"});
}

TEST_CASE("what is no file is told by its type", "[io]")
{
    const TemporaryFolder folder;
    REQUIRE(mkfifo((folder / "fifo").c_str(), 0600) == 0);
    CHECK(landing_place(folder / "fifo").type == FileType::fifo);
    CHECK(landing_place(folder.path()).type == FileType::folder);
    fs::create_directory_symlink(folder.path(), folder / "link");
    CHECK(landing_place(folder / "link").type == FileType::folder);
    const int socket = ::socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, (folder / "socket").c_str(), sizeof(address.sun_path) - 1);
    REQUIRE(bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0);
    CHECK(landing_place(folder / "socket").type == FileType::socket);
    close(socket);
}

TEST_CASE("streams that the program was started with are told from the files behind them", "[io]")
{
    const TemporaryFolder folder;
    paws::io::Descriptor open(folder / "file", O_WRONLY | O_CREAT);
    const auto number = std::to_string(open.number());
    fs::create_symlink("/dev/fd/" + number, folder / "link");
    for (const fs::path& path : {fs::path("/dev/fd/" + number), fs::path("/proc/self/fd/" + number), folder / "link"})
    {
        INFO(path.string());
        CHECK(landing_place(path).type == FileType::own_descriptor);
        CHECK(landing_place(path).descriptor == open.number());
    }
    CHECK(landing_place("/dev/stdout").descriptor == 1);
    CHECK(FileIdentity::of(folder / "link") == FileIdentity::of_descriptor(open.number()));
}

TEST_CASE("a file without a name, which another process has open, is refused", "[io]")
{
    const TemporaryFolder folder;
    paws::io::Descriptor open(folder / "file", O_WRONLY | O_CREAT);
    const pid_t other = fork();
    if (other == 0)
    {
        pause();
        _exit(0);
    }
    const auto path = "/proc/" + std::to_string(other) + "/fd/" + std::to_string(open.number());
    CHECK(landing_place(path).path == folder / "file");
    fs::remove(folder / "file");
    check_refused([&] { landing_place(path); }, {path, "no name"});
    kill(other, SIGKILL);
    REQUIRE(waitpid(other, nullptr, 0) == other);
}

TEST_CASE("a file is itself under every name", "[io]")
{
    const TemporaryFolder folder;
    const auto file = write_file(folder / "file", "x");
    const auto other = write_file(folder / "other", "x");
    fs::create_hard_link(file, folder / "hard");
    fs::create_symlink("file", folder / "soft");
    fs::create_directory_symlink(folder.path(), folder / "same");
    const auto is_same = [](const fs::path& a, const fs::path& b)
    { return FileIdentity::of(a) == FileIdentity::of(b); };
    CHECK(is_same(file, folder / "hard"));
    CHECK(is_same(file, folder / "soft"));
    CHECK(is_same(file, folder / "same/./same/file"));
    CHECK_FALSE(is_same(file, other));
    CHECK_FALSE(is_same(file, folder / "new"));
    CHECK(is_same(folder / "new", folder / "same/new"));
    CHECK(is_same(folder / "none/new", folder / "same/none/../none/new"));
    CHECK_FALSE(is_same(folder / "new", folder / "newer"));
    fs::create_symlink("new", folder / "to_new");
    CHECK(is_same(folder / "new", folder / "to_new"));
}

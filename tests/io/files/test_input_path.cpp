// What stands where a file should be: said as what it is, at once, and not that there is nothing.

#include "io/files/input_path.hpp"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdio>
#include <functional>
#include <map>

#include "io/dataset/cifar10.hpp"
#include "io/dataset/idx.hpp"
#include "io/dataset/pack.hpp"
#include "io/dataset/subset_file.hpp"
#include "io/files/read_file.hpp"
#include "io/files/seal.hpp"
#include "io/hdf5/format.hpp"
#include "io/hdf5/h5.hpp"
#include "io/results/inspect.hpp"
#include "io/torch/torch_file.hpp"
#include "tests/io/files.hpp"

using namespace paws::test;
using namespace paws::io;

namespace
{
namespace fs = std::filesystem;

/// Root may read everything, so that what others may not is tried as another user.
class AnotherUser
{
public:
    AnotherUser() : was_root_(geteuid() == 0)
    {
        constexpr uid_t nobody = 65534;
        REQUIRE((!was_root_ || seteuid(nobody) == 0));
    }
    ~AnotherUser()
    {
        if (was_root_ && seteuid(0) != 0)
        {
            std::abort();
        }
    }
    AnotherUser(const AnotherUser&) = delete;
    AnotherUser& operator=(const AnotherUser&) = delete;

private:
    bool was_root_;
};

fs::path make_fifo(const fs::path& path)
{
    REQUIRE(mkfifo(path.c_str(), 0600) == 0);
    return path;
}

fs::path make_socket(const fs::path& path)
{
    const int number = socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    REQUIRE(path.string().size() < sizeof(address.sun_path));
    path.string().copy(address.sun_path, sizeof(address.sun_path) - 1);
    REQUIRE(bind(number, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    close(number);
    return path;
}

/// All that reads files. A reader that waits for somebody to write into a FIFO is ended by the alarm, with the tests.
const std::map<std::string, std::function<void(const fs::path&)>>& readers()
{
    static const std::map<std::string, std::function<void(const fs::path&)>> all = {
        {"require_file", [](const fs::path& path) { require_file(path); }},
        {"read_file", [](const fs::path& path) { read_file(path); }},
        {"read_file_or_pipe", [](const fs::path& path) { read_file_or_pipe(path); }},
        {"read_idx", [](const fs::path& path) { read_idx(path); }},
        {"read_cifar10_binary", [](const fs::path& path) { read_cifar10_binary(path); }},
        {"read_cifar10_pickle", [](const fs::path& path) { read_cifar10_pickle(path); }},
        {"read_subset", [](const fs::path& path) { read_subset(path, std::vector<std::string>{"a"}); }},
        {"is_torch_file", [](const fs::path& path) { is_torch_file(path); }},
        {"read_torch_file", [](const fs::path& path) { read_torch_file(path); }},
        {"h5::File::open", [](const fs::path& path) { h5::File::open(path); }},
        {"open_verified", [](const fs::path& path) { open_verified(path, checkpoint_format); }},
        {"describe", [](const fs::path& path) { describe(path); }},
    };
    return all;
}

void check_all_refuse(const fs::path& path, const std::string& part)
{
    for (const auto& [name, read] : readers())
    {
        INFO(name);
        alarm(20);
        check_refused([&] { read(path); }, {path.string() + ": ", part});
        alarm(0);
    }
}
}  // namespace

TEST_CASE("every reader says what stands in the place of a file, and waits for nobody", "[io]")
{
    const TemporaryFolder folder;
    check_all_refuse(make_fifo(folder / "fifo"), "is a FIFO, not a file");
    check_all_refuse(make_socket(folder / "socket"), "is a socket, not a file");
    check_all_refuse("/dev/null", "is a device, not a file");
    check_all_refuse(folder.path(), "is a folder");
    fs::create_symlink(folder / "fifo", folder / "link");
    check_all_refuse(folder / "link", "is a FIFO, not a file");
}

TEST_CASE("every reader says why a path leads nowhere", "[io]")
{
    const TemporaryFolder folder;
    check_all_refuse(folder / "none", "there is no such file");
    write_file(folder / "file", "x");
    check_all_refuse(folder / "file/below", "there is no such file");
    fs::create_symlink("gone", folder / "dangling");
    check_all_refuse(folder / "dangling", "is a symbolic link to 'gone', which is not there");
    fs::create_symlink(folder / "two", folder / "one");
    fs::create_symlink(folder / "one", folder / "two");
    check_all_refuse(folder / "one", "symbolic links lead in a circle");
    check_all_refuse(folder / std::string(300, 'x'), "name is too long");
}

TEST_CASE("what may not be read is not said to be missing", "[io]")
{
    const TemporaryFolder folder;
    fs::create_directory(folder / "closed");
    write_file(folder / "closed/file", "x");
    write_file(folder / "secret", "x");
    fs::permissions(folder.path(), fs::perms(0755));
    fs::permissions(folder / "closed", fs::perms::none);
    fs::permissions(folder / "secret", fs::perms::none);
    {
        const AnotherUser another;
        check_all_refuse(folder / "closed/file", "cannot be reached; check the permissions of the folders");
        check_all_refuse(folder / "secret", "cannot be read");
        check_refused([&] { is_there(folder / "closed/file"); }, {"closed/file", "permissions"});
        check_refused([&] { is_folder(folder / "closed/file"); }, {"closed/file", "permissions"});
        check_refused([&] { require_folder(folder / "closed/file"); }, {"closed/file", "permissions"});
        check_refused([&] { read_idx_folder(folder / "closed/file", digit_class_names()); }, {"permissions"});
    }
    fs::permissions(folder / "closed", fs::perms(0700));
}

TEST_CASE("files and folders are told from what is missing", "[io]")
{
    const TemporaryFolder folder;
    const auto file = write_file(folder / "file", "x");
    fs::create_symlink(file, folder / "link");
    CHECK(is_there(file));
    CHECK(is_there(folder / "link"));
    CHECK(is_there(folder.path()));
    CHECK_FALSE(is_there(folder / "none"));
    CHECK_FALSE(is_there(file / "below"));
    CHECK(is_folder(folder.path()));
    CHECK_FALSE(is_folder(file));
    CHECK_FALSE(is_folder(folder / "none"));
    CHECK(read_file(folder / "link") == "x");
    require_folder(folder.path());
    check_refused([&] { require_folder(file); }, {"file: is a file, not a folder"});
    check_refused([&] { require_folder(make_fifo(folder / "fifo")); }, {"fifo: is a FIFO, not a folder"});
    check_refused([&] { require_folder(folder / "none", "make it"); }, {"none: there is no such folder; make it"});
}

TEST_CASE("files are read whole, however long they are", "[io]")
{
    const TemporaryFolder folder;
    for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{1} << 20, std::size_t{70'000'001}})
    {
        std::string bytes(size, '\0');
        for (std::size_t i = 0; i < size; i += 4099)
        {
            bytes[i] = static_cast<char>(i >> 3);
        }
        CHECK((read_file(write_file(folder / "file", bytes)) == bytes));
    }
    // One that does not say how long it is.
    CHECK(read_file("/proc/self/status").find("Pid:") != std::string::npos);
}

TEST_CASE("a pipe of the shell is read where one is taken, a FIFO never", "[io]")
{
    std::array<int, 2> ends{};
    REQUIRE(pipe(ends.data()) == 0);
    const std::string name = "/dev/fd/" + std::to_string(ends[0]);
    check_refused([&] { read_file(name); }, {"is a FIFO"});
    REQUIRE(write(ends[1], "task: x", 7) == 7);
    close(ends[1]);
    CHECK(read_file_or_pipe(name) == "task: x");
    close(ends[0]);
}

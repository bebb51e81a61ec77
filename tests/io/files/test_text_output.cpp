#include <fcntl.h>
#include <sys/stat.h>

#include <chrono>
#include <thread>

#include "io/files/descriptor.hpp"
#include "io/files/text_output.hpp"
#include "tests/io/files.hpp"

using namespace paws::test;
using paws::io::TextOutput;
namespace fs = std::filesystem;

namespace
{
constexpr auto short_while = std::chrono::milliseconds(100);
}  // namespace

TEST_CASE("a text is written to a file whole, at its end", "[io]")
{
    const TemporaryFolder folder;
    const auto path = write_file(folder / "file", "old");
    TextOutput output(path);
    CHECK(contents(path) == "old");
    output.write({"new", "\n"});
    CHECK(contents(path) == "new\n");
    fs::create_symlink("other", folder / "link");
    TextOutput(folder / "link").write({"text"});
    CHECK(fs::is_symlink(folder / "link"));
    CHECK(contents(folder / "other") == "text");
    check_refused([&] { TextOutput{folder.path()}; }, {"is a folder"});
}

TEST_CASE("a text goes through a FIFO, which stays one", "[io]")
{
    const TemporaryFolder folder;
    const auto fifo = folder / "fifo";
    REQUIRE(mkfifo(fifo.c_str(), 0600) == 0);
    std::string read;
    std::thread reader([&] { read = contents(fifo); });
    // More than a FIFO holds: its reader is waited for.
    const std::string text(300'000, 'x');
    TextOutput(fifo).write({text, "end"});
    reader.join();
    CHECK(read == text + "end");
    CHECK(fs::is_fifo(fifo));
    check_refused([&] { TextOutput(fifo, short_while); }, {"fifo", "nobody reads"});
}

TEST_CASE("a reader that has gone is an error in one line", "[io]")
{
    const TemporaryFolder folder;
    const auto fifo = folder / "fifo";
    REQUIRE(mkfifo(fifo.c_str(), 0600) == 0);
    auto reader = std::make_unique<paws::io::Descriptor>(fifo, O_RDONLY | O_NONBLOCK);
    TextOutput output(fifo, short_while);
    reader.reset();
    check_refused([&] { output.write({"text"}); }, {"fifo", "Broken pipe"});
}

TEST_CASE("a text goes to a terminal, which stays one", "[io]")
{
    const int terminal = posix_openpt(O_RDWR | O_NOCTTY);
    REQUIRE(terminal >= 0);
    REQUIRE(grantpt(terminal) == 0);
    REQUIRE(unlockpt(terminal) == 0);
    const fs::path name = ptsname(terminal);
    // Kept open, so that what was written can be read.
    const paws::io::Descriptor other_side(name, O_RDWR | O_NOCTTY);
    TextOutput(name).write({"text\n"});
    std::string read(16, '\0');
    const auto count = ::read(terminal, read.data(), read.size());
    CHECK(read.substr(0, static_cast<std::size_t>(std::max<ssize_t>(count, 0))) == "text\r\n");
    CHECK(fs::is_character_file(name));
    close(terminal);
}

TEST_CASE("a text goes into an open stream after what is there", "[io]")
{
    const TemporaryFolder folder;
    paws::io::Descriptor open(folder / "file", O_RDWR | O_CREAT);
    const auto path = fs::path("/dev/fd/" + std::to_string(open.number()));
    open.write("before\n");
    TextOutput(path).write({"text\n"});
    open.write("after\n");
    CHECK(contents(folder / "file") == "before\ntext\nafter\n");
    const paws::io::Descriptor to_read(folder / "file", O_RDONLY);
    check_refused([&] { TextOutput("/dev/fd/" + std::to_string(to_read.number())); }, {"open for writing"});
    check_refused([&] { TextOutput("/dev/fd/999"); }, {"/dev/fd/999", "open for writing"});
}

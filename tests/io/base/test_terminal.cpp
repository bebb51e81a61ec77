#include "io/base/terminal.hpp"

#include <pty.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "tests/support/catch.hpp"

using namespace paws;

TEST_CASE("lines are drawn again where a terminal can do so, and on its width", "[io][terminal]")
{
    int master = -1, terminal = -1;
    REQUIRE(openpty(&master, &terminal, nullptr, nullptr, nullptr) == 0);
    const char* const found = std::getenv("TERM");
    const std::string before = found == nullptr ? "" : found;
    const auto columns = [&](const char* kind, unsigned short width)
    {
        winsize size{};
        size.ws_col = width;
        ioctl(terminal, TIOCSWINSZ, &size);
        kind == nullptr ? unsetenv("TERM") : setenv("TERM", kind, 1);
        return io::redrawable_columns(terminal);
    };
    CHECK(columns("xterm", 132) == 132);
    CHECK(columns("xterm", 0) == 0);
    CHECK(columns("dumb", 132) == 0);
    CHECK(columns("", 132) == 0);
    CHECK(columns(nullptr, 132) == 0);
    setenv("TERM", "xterm", 1);
    CHECK(io::redrawable_columns(STDERR_FILENO + 1000) == 0);
    before.empty() ? unsetenv("TERM") : setenv("TERM", before.c_str(), 1);
    close(master);
    close(terminal);
    CHECK(io::columns_of("32×32") == 5);
    CHECK(io::columns_of("") == 0);
}

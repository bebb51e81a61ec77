#include "io/base/say.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <functional>

#include "tests/support/catch.hpp"

using namespace paws;

namespace
{
/// What a process that prints `lines` with `print` exits with: 0 if its streams are clean afterwards.
int exit_code(const std::function<void()>& spoil)
{
    std::fflush(nullptr);
    const pid_t child = fork();
    if (child == 0)
    {
        std::signal(SIGPIPE, SIG_IGN);
        spoil();
        for (int i = 0; i < 3; ++i)
        {
            io::say("a line\n");
            io::say_error("an error\n");
        }
        const bool is_clean = std::ferror(stdout) == 0 && std::ferror(stderr) == 0 && std::fflush(stdout) == 0;
        _exit(is_clean ? 0 : 1);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void redirect(int number)
{
    dup2(number, STDOUT_FILENO);
    dup2(number, STDERR_FILENO);
}
}  // namespace

TEST_CASE("what nobody takes is dropped, and harms nothing", "[io][say]")
{
    CHECK(exit_code([] { redirect(open("/dev/full", O_WRONLY)); }) == 0);
    CHECK(exit_code([] { redirect(open("/dev/null", O_RDONLY)); }) == 0);
    CHECK(exit_code(
              []
              {
                  close(STDOUT_FILENO);
                  close(STDERR_FILENO);
              }) == 0);
    std::array<int, 2> ends{};
    REQUIRE(pipe(ends.data()) == 0);
    CHECK(exit_code(
              [&]
              {
                  close(ends[0]);
                  redirect(ends[1]);
              }) == 0);
    close(ends[0]);
    close(ends[1]);
}

TEST_CASE("what is said is there at once", "[io][say]")
{
    std::array<int, 2> ends{};
    REQUIRE(pipe(ends.data()) == 0);
    CHECK(exit_code([&] { redirect(ends[1]); }) == 0);
    std::array<char, 100> text{};
    REQUIRE(read(ends[0], text.data(), text.size()) > 0);
    CHECK(std::string(text.data()) == "a line\nan error\na line\nan error\na line\nan error\n");
    close(ends[0]);
    close(ends[1]);
}

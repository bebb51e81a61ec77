#include "src/comm/last_words.hpp"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <functional>
#include <string>

#include "io/ranks/launcher.hpp"
#include "tests/support/catch.hpp"

using namespace paws;

namespace
{
/// What a process of its own, which does `work` and then ends by _exit(0), leaves on stderr.
std::string stderr_of(const std::function<void()>& work)
{
    std::array<int, 2> ends{};
    REQUIRE(pipe(ends.data()) == 0);
    const auto process = fork();
    REQUIRE(process >= 0);
    if (process == 0)
    {
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        close(ends[1]);
        work();
        _exit(0);
    }
    close(ends[1]);
    std::string text;
    std::array<char, 256> buffer{};
    for (ssize_t got = 0; (got = read(ends[0], buffer.data(), buffer.size())) > 0;)
    {
        text.append(buffer.data(), static_cast<std::size_t>(got));
    }
    close(ends[0]);
    waitpid(process, nullptr, 0);
    return text;
}
}  // namespace

TEST_CASE("Last words are said by a process that ends, and only then", "[cli]")
{
    CHECK(stderr_of(
              []
              {
                  const comm::LastWords words("it ended");
                  _exit(1);
              }) == "it ended\n");
    CHECK(stderr_of(
              []
              {
                  const comm::LastWords words("it was killed");
                  raise(SIGKILL);
              }) == "it was killed\n");
    CHECK(stderr_of([] { const comm::LastWords words("it ended"); }).empty());
    CHECK(stderr_of(
              []
              {
                  const comm::LastWords words("");
                  _exit(1);
              })
              .empty());
}

TEST_CASE("A start by srun without PMIx has words for the first process", "[cli]")
{
    const auto words = [](const char* step, const char* rank, const char* pmix)
    {
        return stderr_of(
            [&]
            {
                for (const auto& [name, value] :
                     {std::pair{"SLURM_STEP_ID", step}, {"SLURM_PROCID", rank}, {"PMIX_RANK", pmix}})
                {
                    value == nullptr ? unsetenv(name) : setenv(name, value, 1);
                }
                const auto text = ranks::words_if_mpi_does_not_start();
                static_cast<void>(!write(STDERR_FILENO, text.data(), text.size()));
            });
    };
    CHECK_THAT(words("0", "0", nullptr), Catch::Contains("srun --mpi=pmix"));
    CHECK(words("0", "1", nullptr).empty());
    CHECK(words("0", "0", "0").empty());
    CHECK(words(nullptr, "0", nullptr).empty());
    CHECK(words(nullptr, nullptr, nullptr).empty());
}

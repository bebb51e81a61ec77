#pragma once

// The program as a user calls it.

#include <fmt/format.h>
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "tests/support/catch.hpp"

namespace paws::test
{
/// What starts `ranks` processes on this machine, to stand before the program.
inline std::string mpirun(int ranks)
{
    return fmt::format(
        "OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMP_NUM_THREADS=1 timeout 60 mpirun --oversubscribe "
        "-n {}",
        ranks);
}

struct Result
{
    int code = -1;
    std::string output;  ///< what went to stdout and stderr
};

inline Result run(const std::string& arguments, const std::string& before = "")
{
    // A clean environment: what this process has from its own MPI would make the child a part of it.
    const auto command = "env -i PATH=\"$PATH\" HOME=\"$HOME\" " + before + " " PAWS_HPC " " + arguments + " 2>&1";
    Result result;
    auto* const pipe = popen(command.c_str(), "r");
    REQUIRE(pipe != nullptr);
    std::array<char, 4096> buffer{};
    while (const auto count = fread(buffer.data(), 1, buffer.size(), pipe))
    {
        result.output.append(buffer.data(), count);
    }
    const int status = pclose(pipe);
    result.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return result;
}

inline std::vector<std::string> lines_with(const std::string& text, const std::string& part)
{
    std::istringstream stream(text);
    std::vector<std::string> lines;
    for (std::string line; std::getline(stream, line);)
    {
        if (line.find(part) != std::string::npos)
        {
            lines.push_back(line);
        }
    }
    return lines;
}

/// Exit code 2 and exactly one line of ours, with all of `parts` in it.
inline void check_bad_input(const std::string& arguments, const std::vector<std::string>& parts,
                            const std::string& before = "")
{
    const auto result = run(arguments, before);
    INFO(arguments << "\n" << result.output);
    CHECK(result.code == 2);
    const auto errors = lines_with(result.output, "paws_hpc: ");
    REQUIRE(errors.size() == 1);
    for (const auto& part : parts)
    {
        CHECK_THAT(errors.front(), Catch::Contains(part));
    }
}

inline std::string write(const std::filesystem::path& path, const std::string& text)
{
    std::ofstream(path) << text;
    return path.string();
}
}  // namespace paws::test

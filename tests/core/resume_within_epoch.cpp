// A run that stops at any step and goes on is the run that never stopped.

#include <csignal>
#include <fstream>

#include "io/checkpoint_file.hpp"
#include "src/tasks/training.hpp"
#include "tests/comm/world.hpp"
#include "tests/core/small_run.hpp"
#include "tests/io/files.hpp"
#include "tests/io/ranks.hpp"
#include "tests/support/catch.hpp"

namespace
{
using namespace paws;
namespace fs = std::filesystem;

comm::World world()
{
    comm::World all;
    all.communicator = test::world();
    return all;
}

tasks::Summary train(const config::Config& config, std::optional<std::int64_t> steps = {},
                     const std::string& resume = "auto")
{
    return tasks::run_training(config, {resume, {{}, steps, {}}, {}, true}, world());
}

io::Checkpoint latest(const fs::path& folder)
{
    return io::read_checkpoint(folder / "small-latest.h5");
}

/// What stands in a CSV file but the time of a step.
std::vector<std::string> figures(const fs::path& path)
{
    std::ifstream file(path);
    std::vector<std::string> lines;
    for (std::string line; std::getline(file, line);)
    {
        lines.push_back(line.substr(0, line.rfind(',')));
    }
    return lines;
}
}  // namespace

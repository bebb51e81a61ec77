// A rank that works together with others, until something happens to it: see faults.py.

#include <torch/types.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "io/base/error.hpp"
#include "io/files/atomic_file.hpp"
#include "io/ranks/agreed.hpp"
#include "src/cli/launch.hpp"
#include "tests/support/small_run.hpp"

namespace
{
using namespace paws;
namespace fs = std::filesystem;

struct Plan
{
    fs::path folder;  ///< where ranks say who they are, and write
    std::string version = "fault_rank 1";
    double timeout = 3;
    int steps = 3000;
    int failing_rank = -1;
    std::string failure;  ///< of that rank, in the step that follows:
    int step = 5;
};

/// Whether every thread of the process has stopped: on a busy machine some run on for a while after the signal.
bool is_stopped(pid_t process)
{
    const auto tasks = fs::path("/proc") / std::to_string(process) / "task";
    return std::all_of(fs::directory_iterator(tasks), fs::directory_iterator(),
                       [](const fs::directory_entry& task)
                       {
                           std::string line;
                           std::getline(std::ifstream(task.path() / "stat"), line);
                           const auto name_end = line.rfind(") ");
                           return name_end != std::string::npos && line[name_end + 2] == 'T';
                       });
}

/// Rank 0 hears nothing any more, and dies soon.
void end_first_rank(const fs::path& folder)
{
    pid_t first = 0;
    std::ifstream(folder / "alive-0") >> first;
    kill(first, SIGSTOP);
    while (!is_stopped(first))
    {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    std::thread(
        [first]
        {
            std::this_thread::sleep_for(std::chrono::milliseconds(300));
            kill(first, SIGKILL);
        })
        .detach();
}

/// How ranks fail by themselves; others are ended from outside.
void fail(const std::string& how, const fs::path& folder)
{
    if (how == "with the first")
    {
        end_first_rank(folder);
    }
    if (how == "throw" || how == "with the first")
    {
        throw std::runtime_error("planned failure");
    }
    if (how == "long")
    {
        std::string message = "planned failure ";
        for (int i = 0; i < 100'000; ++i)
        {
            message += "…";
        }
        throw std::runtime_error(message);
    }
    if (how == "bad-input")
    {
        throw io::Error("/some/file: planned bad input");
    }
    if (how == "thread")
    {
        std::thread([] { throw std::runtime_error("planned failure of a thread"); }).join();
    }
    if (how == "stuck")
    {
        std::this_thread::sleep_for(std::chrono::hours(1));
    }
    if (how == "exit")
    {
        _exit(0);
    }
    if (how == "abort")
    {
        std::abort();
    }
}

void work(const Plan& plan, comm::World& world)
{
    cli::set_timeout(world, std::chrono::milliseconds(static_cast<std::int64_t>(1000 * plan.timeout)));
    const bool fails = world.rank() == plan.failing_rank;
    agreed(world.group(),
           [&]
           {
               if (fails && plan.failure == "agreed")
               {
                   throw io::Error("/some/file: planned bad input");
               }
           });
    const auto name = std::to_string(world.rank());
    io::write_atomically(plan.folder / ("target-" + name), {"as it was before"});
    io::AtomicFile half_written(plan.folder / ("target-" + name));
    std::ofstream(half_written.temporary()) << "half of";
    std::ofstream(plan.folder / ("alive-" + name)) << getpid() << '\n';
    const auto values = at::ones({1000});
    for (int step = 0; step < plan.steps; ++step)
    {
        if (fails && step == plan.step)
        {
            fail(plan.failure, plan.folder);
        }
        world.communicator->all_reduce(values);
        values.fill_(1);
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
}
/// What paws_hpc needs to begin: two data files, a list, a configuration.
void make_small_run(const fs::path& folder)
{
    const test::SmallRun small;
    fs::copy_file(small.data(), folder / "data.h5");
    fs::copy_file(small.subset(), folder / "labelled.txt");
    std::ofstream(folder / "small.yaml") << small.yaml("run");
    io::DatasetContent other;
    other.class_names = {"a", "b", "c"};
    other.splits["train"] = test::striped_images(29, 3, 16);
    other.splits["val"] = test::striped_images(12, 3, 16);
    io::write_dataset(folder / "other.h5", other);
}
}  // namespace

int main(int argc, char** argv)
{
    Plan plan;
    CLI::App app("A rank that works together with others, until something happens to it");
    bool makes_small_run = false;
    app.add_option("folder", plan.folder)->required();
    app.add_flag("--make-small-run", makes_small_run,
                 "Write what a small run of paws_hpc needs to the folder, then end");
    app.add_option("--version-text", plan.version);
    app.add_option("--timeout", plan.timeout);
    app.add_option("--steps", plan.steps);
    app.add_option("--rank", plan.failing_rank);
    app.add_option("--failure", plan.failure);
    app.add_option("--step", plan.step);
    CLI11_PARSE(app, argc, argv);
    if (makes_small_run)
    {
        make_small_run(plan.folder);
        return 0;
    }
    return cli::launch(argc, argv, plan.version,
                       [&](comm::World& world)
                       {
                           work(plan, world);
                           return 0;
                       });
}

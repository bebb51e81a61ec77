#include <sys/stat.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <map>

#include "src/session/describe_job.hpp"
#include "src/session/job_limits.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/small_run.hpp"

using namespace paws;
using std::chrono::seconds;

namespace
{
/// Variables of a job that there is none of, put back at the end.
class Environment
{
public:
    explicit Environment(const std::map<std::string, std::string>& variables)
    {
        for (const char* name :
             {"SLURM_JOB_ID", "SLURM_JOB_END_TIME", "SLURM_STEP_ID", "SLURM_JOB_NUM_NODES", "SLURM_STEP_NUM_NODES",
              "SLURM_NTASKS", "SLURM_CPUS_PER_TASK", "SLURM_GPUS_ON_NODE", "SLURM_JOB_PARTITION", "SLURM_JOB_NODELIST",
              "SLURM_TASKS_PER_NODE", "SLURM_MEM_PER_NODE", "SLURM_RESTART_COUNT"})
        {
            change(name, nullptr);
        }
        for (const auto& [name, value] : variables)
        {
            change(name, value.c_str());
        }
    }
    ~Environment()
    {
        for (const auto& [name, value] : before_)
        {
            set(name, value ? value->c_str() : nullptr);
        }
    }
    Environment(const Environment&) = delete;
    Environment& operator=(const Environment&) = delete;

private:
    static void set(const std::string& name, const char* value)
    {
        value == nullptr ? unsetenv(name.c_str()) : setenv(name.c_str(), value, 1);
    }
    void change(const std::string& name, const char* value)
    {
        const char* const old = std::getenv(name.c_str());
        before_.try_emplace(name, old == nullptr ? std::nullopt : std::optional<std::string>(old));
        set(name, value);
    }

    std::map<std::string, std::optional<std::string>> before_;
};

/// A PATH with a squeue that runs these lines of shell before all else.
std::string path_with_squeue(const test::Folder& folder, const std::string& lines)
{
    const auto program = folder / "squeue";
    std::ofstream(program) << "#!/bin/sh\n" << lines << "\n";
    chmod(program.c_str(), 0755);
    return (folder / "").string() + ":" + std::getenv("PATH");
}
}  // namespace

TEST_CASE("Time left is read as squeue writes it", "[tasks]")
{
    CHECK(session::parse_time_left("0:07") == seconds(7));
    CHECK(session::parse_time_left("59:30") == seconds(3570));
    CHECK(session::parse_time_left("16:40:00") == seconds(60000));
    CHECK(session::parse_time_left("2-03:04:05") == seconds(2 * 86400 + 3 * 3600 + 4 * 60 + 5));
    for (const char* text : {"", "UNLIMITED", "NOT_SET", "INVALID", "5", "1:2:3:4", "1-2:3", "1-2-3:4", ":5",
                             "5:", "-1:00", "1:00 x", "99999999999999999999:00"})
    {
        INFO(text);
        CHECK_FALSE(session::parse_time_left(text));
    }
}

TEST_CASE("The end of a job comes from its environment, or from squeue", "[tasks]")
{
    const test::Folder folder;
    SECTION("outside of a job nobody is asked")
    {
        const Environment environment({{"PATH", path_with_squeue(folder, "echo 10:00")}});
        CHECK_FALSE(session::seconds_until_job_ends());
    }
    SECTION("SLURM_JOB_END_TIME")
    {
        const Environment environment({{"SLURM_JOB_ID", "7"},
                                       {"SLURM_JOB_END_TIME", std::to_string(std::time(nullptr) + 1000)},
                                       {"PATH", path_with_squeue(folder, "echo 10:00")}});
        const auto left = session::seconds_until_job_ends();
        REQUIRE(left);
        CHECK(left->count() > 900);
        CHECK(left->count() <= 1000);
    }
    SECTION("SLURM_JOB_END_TIME that has passed")
    {
        const Environment environment({{"SLURM_JOB_ID", "7"}, {"SLURM_JOB_END_TIME", "1000"}});
        CHECK(session::seconds_until_job_ends() == seconds(0));
    }
    SECTION("squeue, asked for this job")
    {
        const Environment environment(
            {{"SLURM_JOB_ID", "7"},
             {"PATH", path_with_squeue(folder, R"([ "$*" = "-h -j 7 -o %L" ] && echo 1-00:00:10)")}});
        CHECK(session::seconds_until_job_ends() == seconds(86410));
    }
    SECTION("squeue that knows no limit")
    {
        const Environment environment({{"SLURM_JOB_ID", "7"}, {"PATH", path_with_squeue(folder, "echo UNLIMITED")}});
        CHECK_FALSE(session::seconds_until_job_ends());
    }
    SECTION("squeue that fails")
    {
        const Environment environment(
            {{"SLURM_JOB_ID", "7"}, {"PATH", path_with_squeue(folder, "echo no >&2; exit 1")}});
        CHECK_FALSE(session::seconds_until_job_ends());
    }
    SECTION("no squeue")
    {
        const Environment environment({{"SLURM_JOB_ID", "7"}, {"PATH", (folder / "").string()}});
        CHECK_FALSE(session::seconds_until_job_ends());
    }
    SECTION("squeue that does not answer")
    {
        const Environment environment({{"SLURM_JOB_ID", "7"}, {"PATH", path_with_squeue(folder, "exec sleep 60")}});
        const auto start = std::chrono::steady_clock::now();
        CHECK_FALSE(session::seconds_until_job_ends());
        CHECK(std::chrono::steady_clock::now() - start < seconds(30));
    }
    SECTION("a number of a job that is none")
    {
        const Environment environment(
            {{"SLURM_JOB_ID", "7; echo 1:00"}, {"PATH", path_with_squeue(folder, "echo 10:00")}});
        CHECK_FALSE(session::seconds_until_job_ends());
    }
}

TEST_CASE("The start of a run says what job it is in", "[tasks]")
{
    using Catch::Contains;
    SECTION("none")
    {
        const Environment environment({});
        CHECK(session::describe_job({}).empty());
    }
    std::map<std::string, std::string> job{
        {"SLURM_JOB_ID", "4711"},          {"SLURM_STEP_ID", "0"},           {"SLURM_JOB_PARTITION", "gpu"},
        {"SLURM_JOB_NUM_NODES", "8"},      {"SLURM_STEP_NUM_NODES", "8"},    {"SLURM_JOB_NODELIST", "n[1-8]"},
        {"SLURM_TASKS_PER_NODE", "8(x8)"}, {"SLURM_NTASKS", "64"},           {"SLURM_CPUS_PER_TASK", "10"},
        {"SLURM_GPUS_ON_NODE", "8"},       {"SLURM_MEM_PER_NODE", "460800"}, {"SLURM_RESTART_COUNT", "2"}};
    SECTION("one in which all fits")
    {
        const Environment environment(job);
        CHECK(session::describe_job({64, 10, true, seconds(60000)}) ==
              "job             SLURM 4711, partition gpu, requeued 2×, 8 nodes (n[1-8]), tasks per node 8(x8), 10 "
              "cores per task, "
              "8 GPUs per node, 450.0 GiB per node, ends in 16 h 40 min\n");
    }
    SECTION("one whose GPUs, cores and nodes are not used")
    {
        job.insert_or_assign("SLURM_STEP_NUM_NODES", std::string("1"));
        const Environment environment(job);
        const auto text = session::describe_job({8, 1, false, std::nullopt});
        CHECK_THAT(text, Contains("no time limit known"));
        CHECK_THAT(text, Contains("the job has 8 nodes, of which srun uses 1\n"));
        CHECK_THAT(text, Contains("10 cores for each task, but a rank may use 1; give srun --cpus-per-task"));
        CHECK_THAT(text, Contains("the job has 8 GPUs on each node, but this run computes on the CPU\n"));
    }
    SECTION("one process where there should be many")
    {
        job.erase("SLURM_STEP_ID");
        const Environment environment(job);
        CHECK_THAT(
            session::describe_job({1, 80, true, seconds(59)}),
            Contains(
                "ends in 59 s\nnote            the job has 64 tasks, but this is one process; start it with srun"));
    }
    SECTION("a job of one GPU, on a SLURM that says little")
    {
        const Environment environment({{"SLURM_JOB_ID", "1"}, {"SLURM_GPUS_ON_NODE", "1"}});
        CHECK(session::describe_job({1, 4, true, seconds(3599)}) ==
              "job             SLURM 1, 1 GPU per node, ends in 59 min\n");
    }
}

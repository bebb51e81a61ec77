// What `paws_hpc doctor` finds, and what it says of it.
#include "src/commands/doctor.hpp"

#include <fmt/format.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/support/catch.hpp"
#include "tests/support/run_program.hpp"
#include "tests/support/small_run.hpp"

namespace
{
using namespace paws;
using Verdict = commands::Finding::Verdict;
}  // namespace

TEST_CASE("doctor says what there is and ends with 0 where a run works", "[cli]")
{
    const test::Folder folder;
    const auto summary_path = (folder / "summary.json").string();
    const auto result = test::run("doctor --summary " + summary_path);
    INFO(result.output);
    CHECK(result.code == 0);
    for (const auto* what : {"cores", "load", "processor", "BLAS", "GPUs", "MPI", "SLURM", "memory", "threads",
                             "configurations", "working folder", "temporary", "scratch", "shared memory"})
    {
        CHECK(test::lines_with(result.output, fmt::format(" {:<15} ", what)).size() == 1);
    }
    CHECK_THAT(result.output, Catch::Contains("Nothing here keeps a run from working."));
    const auto summary = nlohmann::json::parse(std::ifstream(summary_path));
    CHECK(summary["findings"].size() == 14);
    test::check_bad_input("doctor", {"doctor runs on one rank"}, test::mpirun(2));
    test::check_bad_input("doctor --set meta.seed=1", {"doctor has no configuration"});
}

TEST_CASE("doctor ends with 2 where something hinders a run", "[cli]")
{
    // Nobody can make a file there, root included.
    const auto result = test::run("doctor", "env -C /proc");
    INFO(result.output);
    CHECK(result.code == 2);
    CHECK_THAT(result.output, Catch::Contains("HINDERS  working folder"));
    CHECK_THAT(result.output, Catch::Contains("paws_hpc: doctor: this would keep a run from working: working folder"));
}

TEST_CASE("doctor examines folders", "[cli]")
{
    const test::Folder folder;
    const auto good = commands::examine_folder("place", folder / "");
    CHECK(good.verdict == Verdict::fine);
    CHECK_THAT(good.text, Catch::Contains("free, locks work"));
    CHECK(std::filesystem::is_empty(folder / ""));
    const auto missing = commands::examine_folder("place", folder / "missing");
    CHECK(missing.verdict == Verdict::hinders);
    CHECK_THAT(commands::format_finding(missing), Catch::StartsWith("HINDERS  place           ") &&
                                                      Catch::Contains("no file can be made there") &&
                                                      Catch::Contains(" -> start runs from a folder"));
    CHECK(commands::format_finding({"cores", "2 of 2", Verdict::fine, {}}) == "fine     cores           2 of 2");
}

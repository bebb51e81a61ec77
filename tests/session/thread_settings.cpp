#include "src/session/thread_settings.hpp"

#include <omp.h>

#include <cstdlib>

#include "src/config/config.hpp"
#include "src/config/limits.hpp"
#include "tests/support/run_program.hpp"
#include "tests/support/small_run.hpp"

using namespace paws;
using session::choose_threads;

TEST_CASE("threads are as many as wanted or as there are cores, and no more than there can be", "[tasks]")
{
    CHECK(choose_threads(3, 8, 1000).count == 3);
    CHECK(choose_threads(0, 8, 1000).count == 8);
    CHECK(choose_threads(0, 8, 1000).notes.empty());
    const auto large = choose_threads(0, 768, 1000);
    CHECK(large.count == config::most_threads);
    REQUIRE(large.notes.size() == 1);
    CHECK_THAT(large.notes[0], Catch::Contains("768 cores") && Catch::Contains("512 threads"));
    const auto limited = choose_threads(0, 8, 2);
    CHECK(limited.count == 2);
    REQUIRE(limited.notes.size() == 1);
    CHECK_THAT(limited.notes[0], Catch::Contains("OMP_THREAD_LIMIT") && Catch::Contains("2 of 8"));
    CHECK_THROWS_WITH(choose_threads(4, 8, 2),
                      Catch::Contains("meta.threads is 4") && Catch::Contains("OMP_THREAD_LIMIT"));
}

TEST_CASE("Kokkos' variables for threads and devices go, those for tools stay", "[tasks]")
{
    setenv("KOKKOS_NUM_THREADS", "64", 1);
    setenv("KOKKOS_DEVICE_ID", "x", 1);
    setenv("KOKKOS_TOOLS_LIBS", "", 1);
    const auto notes = session::take_kokkos_variables();
    REQUIRE(notes.size() == 2);
    CHECK_THAT(notes[0], Catch::StartsWith("KOKKOS_DEVICE_ID=x in the environment has no effect"));
    CHECK_THAT(notes[1], Catch::StartsWith("KOKKOS_NUM_THREADS=64"));
    CHECK(std::getenv("KOKKOS_NUM_THREADS") == nullptr);
    CHECK(std::getenv("KOKKOS_TOOLS_LIBS") != nullptr);
    unsetenv("KOKKOS_TOOLS_LIBS");
    CHECK(session::take_kokkos_variables().empty());
}

TEST_CASE("stacks of OpenMP's threads are as its variables say", "[tasks]")
{
    const auto bytes = [](const char* text)
    {
        setenv("OMP_STACKSIZE", text, 1);
        const auto found = session::openmp_stack_bytes();
        unsetenv("OMP_STACKSIZE");
        return found;
    };
    CHECK(bytes("2048") == 2048 * 1024);
    CHECK(bytes("3000B") == 3000);
    CHECK(bytes("16M") == std::size_t{16} << 20U);
    CHECK(bytes("1g") == std::size_t{1} << 30U);
    CHECK(bytes("many") == 0);
    CHECK(bytes("") == 0);
    CHECK(session::openmp_stack_bytes() == 0);
}

TEST_CASE("OpenMP starts the threads that it is told to, whatever was set", "[tasks]")
{
    const auto before = omp_get_max_threads();
    omp_set_dynamic(1);
    session::start_openmp(3);
    CHECK(omp_get_dynamic() == 0);
    CHECK(omp_get_max_threads() == 3);
    omp_set_num_threads(before);
    setenv("OMP_STACKSIZE", "900000000G", 1);
    CHECK_THROWS_WITH(session::start_openmp(3),
                      Catch::Contains("3 threads cannot be started") && Catch::Contains("OMP_STACKSIZE=900000000G"));
    unsetenv("OMP_STACKSIZE");
}

TEST_CASE("the environment's threads give way or are named", "[cli]")
{
    const test::SmallRun small;
    const auto line = test::write(small.folder / "small.yaml", small.yaml("run")) +
                      " --set logging.eval_every=0 --stop-after 1steps --resume never";
    for (const std::string variables : {"KOKKOS_NUM_THREADS=64", "KOKKOS_NUMA=x KOKKOS_DEVICE_ID=7"})
    {
        const auto result = test::run(line + " --set meta.threads=2", variables);
        INFO(variables << "\n" << result.output);
        CHECK(result.code == 0);
        CHECK(test::lines_with(result.output, "note: " + variables.substr(0, 10)).size() >= 1);
    }
    const auto limited = test::run(line, "OMP_THREAD_LIMIT=1");
    INFO(limited.output);
    CHECK(limited.code == 0);
    CHECK(test::lines_with(limited.output, "1 thread, cpu").size() == 1);
    test::check_bad_input(line + " --set meta.threads=2", {"OMP_THREAD_LIMIT", "meta.threads"}, "OMP_THREAD_LIMIT=1");
    test::check_bad_input(line + " --set meta.threads=513", {"meta.threads", "512", "513"});
    test::check_bad_input(line + " --set data.workers=100000", {"data.workers", "1024"});
    // OpenMP binds the first thread to one core then, which are not all that there are.
    const auto all_cores = test::lines_with(test::run(line).output, " threads, cpu");
    CHECK(test::lines_with(test::run(line, "OMP_PROC_BIND=true").output, " threads, cpu") == all_cores);
    CHECK(
        test::run(line + " --set meta.threads=2", "OMP_DYNAMIC=true OMP_MAX_ACTIVE_LEVELS=0 OMP_NUM_THREADS=0").code ==
        0);
}

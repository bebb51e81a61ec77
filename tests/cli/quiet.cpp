// What --quiet leaves out.
#include "tests/support/catch.hpp"
#include "tests/support/run_program.hpp"
#include "tests/support/small_run.hpp"

namespace
{
using namespace paws;
}  // namespace

TEST_CASE("--quiet leaves results, notes and errors", "[cli]")
{
    const test::SmallRun small;
    const auto config = test::write(small.folder / "small.yaml", small.yaml("run"));
    const auto loud = test::run(config + " --stop-after 1ep");
    CHECK(loud.code == 0);
    CHECK_THAT(loud.output, Catch::Contains("learning rate") && Catch::Contains("epoch 1/3"));
    const auto quiet = test::run("--quiet " + config);
    INFO(quiet.output);
    CHECK(quiet.code == 0);
    CHECK_THAT(quiet.output, !Catch::Contains("learning rate") && !Catch::Contains("epoch 2/3"));
    CHECK_THAT(quiet.output, Catch::Contains("resumed from"));
    const auto checkpoint = (small.folder / "run/small-latest.h5").string();
    CHECK(test::lines_with(test::run("snn-eval --quiet --checkpoint " + checkpoint).output, "top-1").size() == 1);
    test::check_bad_input("snn-eval --quiet --checkpoint nowhere.h5", {"nowhere.h5"});
}

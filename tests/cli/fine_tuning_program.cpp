// Fine-tuning as a user calls it, from pre-training to the evaluation of the classifier.

#include <nlohmann/json.hpp>

#include "tests/support/run_program.hpp"
#include "tests/support/small_run.hpp"

using namespace paws;
using test::check_bad_input;
using test::lines_with;

TEST_CASE("pre-training, both ways of fine-tuning and the evaluation, on one rank and on two", "[cli]")
{
    const test::SmallRun small;
    const auto check = [](const std::string& arguments, const std::string& before = "")
    {
        const auto result = test::run(arguments, before);
        INFO(arguments << "\n" << result.output);
        REQUIRE(result.code == 0);
        return result.output;
    };
    check(test::write(small.folder / "paws.yaml", small.yaml("first")) + " --stop-after 1ep");

    const auto snn = test::write(small.folder / "snn.yaml", small.snn_yaml("run"));
    CHECK_THAT(check(snn + " --dry-run"), Catch::Contains("statistics of batch norm as pre-trained") &&
                                              Catch::Contains("steps           2 an epoch, 6 in 3 epochs"));
    const auto snn_output = check(snn + " --set criterion.supervised_batch_size=1", test::mpirun(2));
    CHECK(lines_with(snn_output, "before fine-tuning  top-1 ").size() == 1);
    CHECK(lines_with(snn_output, "SuNCEt ").size() == 3);
    CHECK(std::filesystem::exists(small.folder / "run/small-fine-tune-SNN_r1.csv"));

    const auto fine_tune = test::write(small.folder / "fine_tune.yaml", small.fine_tune_yaml("run"));
    CHECK_THAT(check(fine_tune + " --dry-run"), Catch::Contains("batch           4 labelled images per rank") &&
                                                    Catch::Contains("wide_resnet16w1, 3 classes"));
    CHECK(lines_with(check(fine_tune, test::mpirun(2)), "training top-1 ").size() == 3);
    // An evaluation takes no steps, and so no batches.
    const auto planned = check(fine_tune + " --set meta.training=false --set optimization.batch_size=700 --dry-run");
    CHECK(lines_with(planned, "checkpoint ").size() == 1);
    CHECK_THAT(planned, Catch::Contains("small-fine-tune-best.h5\n") && !Catch::Contains("steps"));
    const auto summary = (small.folder / "summary.json").string();
    const auto evaluated = check(fine_tune + " --set meta.training=false --summary " + summary, test::mpirun(2));
    CHECK(lines_with(evaluated, "small-fine-tune-best.h5: epoch ").size() == 1);
    std::ifstream file(summary);
    const auto figures = nlohmann::json::parse(file);
    CHECK(figures["task"] == "fine_tune");
    CHECK(figures["training"] == false);
    CHECK(figures["pictures"] == 12);

    // Ranks that all find the same error end together, and one says so.
    check_bad_input(snn + " --set logging.pretrain_path=none.h5 --resume never", {"none.h5", "logging.pretrain_path"},
                    test::mpirun(2));
    check_bad_input(fine_tune + " --set optimization.batch_size=7 --resume never",
                    {"optimization.batch_size: 7 images on each of 2 ranks", "12 labelled"}, test::mpirun(2));
    check_bad_input(fine_tune + " --sel paws_train", {"task", "fine_tune", "paws_train"});
    check_bad_input(fine_tune + " --set meta.training=false --resume " + small.data().string(), {"data.h5"});
    check_bad_input(fine_tune + " --set data.validation_split=test --resume never", {"test", "val"}, test::mpirun(2));
}

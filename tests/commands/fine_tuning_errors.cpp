// What can be wrong when one goes from pre-training to fine-tuning: each is said in one line that names it.

#include "io/base/error.hpp"
#include "src/commands/classifier_evaluation.hpp"
#include "src/commands/training.hpp"
#include "src/methods/registry.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/small_run.hpp"

namespace
{
using namespace paws;

void fine_tune(const config::Config& config)
{
    commands::run_training(config, {"never", {1, {}, {}}, {}, true});
}

using Overrides = std::vector<std::string>;
}  // namespace

TEST_CASE("a checkpoint to start from that is not there, or no checkpoint, is named", "[tasks]")
{
    const test::SmallRun small;
    CHECK_THROWS_WITH(
        fine_tune(small.snn_config("run")),
        Catch::Contains("first/small-latest.h5: there is no such file") && Catch::Contains("logging.pretrain_path"));
    // Relative names are below the run's folder.
    CHECK_THROWS_WITH(fine_tune(small.fine_tune_config("run", {"logging.pretrain_path=nothing.h5"})),
                      Catch::Contains((small.folder / "run/nothing.h5").string()));
    const auto data = small.data().string();
    CHECK_THROWS_AS(fine_tune(small.fine_tune_config("run", {"logging.pretrain_path=" + data})), io::Error);
    CHECK_THROWS_WITH(fine_tune(small.fine_tune_config("run", {"logging.pretrain_path=" + data})),
                      Catch::Contains(data));
    CHECK_FALSE(std::filesystem::exists(small.folder / "run"));
}

TEST_CASE("a checkpoint of another network is refused, and both networks are named", "[tasks]")
{
    const test::SmallRun small;
    fine_tune(small.config("first"));
    const auto refused = [&](const config::Config& config, const std::string& described)
    {
        CHECK_THROWS_WITH(fine_tune(config),
                          Catch::Contains("first/small-latest.h5: it is of wide_resnet16w1, output 16, with "
                                          "prediction head, but the configuration describes " +
                                          described));
    };
    refused(small.snn_config("run", {"meta.model_name=resnet18"}), "resnet18, output 16, with prediction head");
    refused(small.snn_config("run", {"meta.output_dim=8"}), "wide_resnet16w1, output 8, with prediction head");
    refused(small.snn_config("run", {"meta.use_pred_head=false"}),
            "wide_resnet16w1, output 16; correct meta.model_name");
    refused(small.fine_tune_config("run", {"meta.model_name=wide_resnet28w2"}),
            "wide_resnet28w2, 3 classes; correct meta.model_name");
    // A classifier has no projection head to go on with, but another classifier can begin with it.
    fine_tune(small.fine_tune_config("classifier"));
    const auto classifier = "logging.pretrain_path=" + (small.folder / "classifier/small-fine-tune-latest.h5").string();
    CHECK_THROWS_WITH(fine_tune(small.snn_config("run", {classifier})),
                      Catch::Contains("it is of wide_resnet16w1, 3 classes, but"));
    CHECK_NOTHROW(fine_tune(small.fine_tune_config("again", {classifier})));
}

TEST_CASE("fine-tuning refuses data that it cannot learn from or be evaluated on", "[tasks]")
{
    const test::SmallRun small;
    fine_tune(small.config("first"));
    CHECK_THROWS_WITH(fine_tune(small.fine_tune_config("run", {"data.validation_split=test"})),
                      Catch::Contains("test") && Catch::Contains("val"));
    CHECK_NOTHROW(fine_tune(small.fine_tune_config("none", {"data.validation_split=test", "logging.eval_every=0"})));
    CHECK_THROWS_WITH(fine_tune(small.fine_tune_config("run", {"data.num_classes=4"})),
                      Catch::Contains("data.num_classes: 4") && Catch::Contains("has 3 classes"));
    CHECK_THROWS_WITH(fine_tune(small.snn_config("run", {"criterion.classes_per_batch=2"})),
                      Catch::Contains("criterion.classes_per_batch: 2 does not divide the 3 classes"));
    CHECK_THROWS_WITH(
        fine_tune(small.snn_config("run", {"criterion.supervised_batch_size=5"})),
        Catch::Contains("'a' has 4 labelled images") && Catch::Contains("criterion.supervised_batch_size"));
    CHECK_THROWS_WITH(fine_tune(small.fine_tune_config("run", {"optimization.batch_size=13"})),
                      Catch::Contains("optimization.batch_size") && Catch::Contains("12 labelled"));
    CHECK_THROWS_WITH(
        fine_tune(small.snn_config("run", {"criterion.supervised_batch_size=1", "criterion.supervised_views=1"})),
        Catch::Contains("criterion.supervised_batch_size") && Catch::Contains("no neighbour"));
    auto config = small.snn_config("run");
    config.task = config::Task::snn_eval;
    CHECK_THROWS_WITH(methods::require_learnable(config, 1), Catch::Contains("snn_eval does not train"));
}

TEST_CASE("a file of one task is not run as another", "[tasks]")
{
    const test::SmallRun small;
    CHECK_THROWS_WITH(config::parse(small.fine_tune_yaml("run"), "small.yaml", {}, "snn_fine_tune"),
                      Catch::Contains("task: says fine_tune, but --sel says snn_fine_tune"));
    // Published files have no task, but keys of one.
    auto published = small.snn_yaml("run");
    published.erase(0, published.find('\n'));
    CHECK(config::parse(published, "small.yaml").task == config::Task::snn_fine_tune);
    CHECK_THROWS_WITH(config::parse(published, "small.yaml", {}, "paws_train"),
                      Catch::Contains("paws_train needs it") &&
                          Catch::Contains("criterion.supervised_batch_size is a key of snn_fine_tune"));
}

TEST_CASE("checkpoints of other tasks are not resumed from, nor evaluated as classifiers", "[tasks]")
{
    const test::SmallRun small;
    fine_tune(small.config("first"));
    const auto first = (small.folder / "first/small-latest.h5").string();
    CHECK_THROWS_WITH(commands::run_training(small.snn_config("run"), {first, {1, {}, {}}, {}, true}),
                      Catch::Contains("task") && Catch::Contains("other settings"));

    const auto config = small.fine_tune_config("run", {"meta.training=false"});
    CHECK_THROWS_WITH(commands::evaluate_classifier(config, "auto"),
                      Catch::Contains("small-fine-tune-best.h5") && Catch::Contains("meta.training: true"));
    CHECK_THROWS_WITH(commands::evaluate_classifier(config, first), Catch::Contains("paws_train"));
    fine_tune(small.fine_tune_config("run"));
    io::DatasetContent two;
    two.class_names = {"a", "b"};
    two.splits["train"] = two.splits["val"] = test::striped_images(6, 2, 16);
    io::write_dataset(small.folder / "two.h5", two);
    auto other = config;
    other.data.file = (small.folder / "two.h5").string();
    other.data.subset.reset();
    other.data.num_classes = 0;
    CHECK_THROWS_WITH(commands::evaluate_classifier(other, "auto"),
                      Catch::Contains("has 3 classes") && Catch::Contains("two.h5 has 2"));
}

// The options of the published snn_eval.py, typed as they are.
#include "src/cli/published_evaluation.hpp"

#include <fstream>
#include <nlohmann/json.hpp>

#include "src/checkpoint/stored_checkpoint.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/run_program.hpp"
#include "tests/support/small_run.hpp"

namespace
{
using namespace paws;
namespace fs = std::filesystem;

/// A checkpoint as the published code leaves it: no settings. With CIFAR-10's folder as it comes.
struct PublishedFiles
{
    test::SmallRun small;
    std::string checkpoint = (small.folder / "paws-latest.pth.tar").string();

    PublishedFiles()
    {
        const auto config = test::write(small.folder / "small.yaml", small.yaml("run"));
        REQUIRE(test::run(config + " --set logging.eval_every=0 --stop-after 1steps").code == 0);
        auto stored = checkpoint::read_stored_checkpoint(small.folder / "run/small-latest.h5").content;
        stored.config.clear();
        stored.progress = {};
        checkpoint::write_stored_checkpoint(checkpoint, stored);
    }
    std::string cifar10() const
    {
        return "snn-eval --model-name wide_resnet16w1 --pretrained " + checkpoint +
               " --root-path " PAWS_SOURCE_DIR "/tests --image-folder inputs/ --dataset-name cifar10_fine_tune";
    }
    nlohmann::json summary(const std::string& arguments) const
    {
        const auto path = (small.folder / "summary.json").string();
        const auto result = test::run(arguments + " --summary " + path);
        INFO(result.output);
        REQUIRE(result.code == 0);
        return nlohmann::json::parse(std::ifstream(path));
    }
};

checkpoint::PretrainedEncoder network_of(bool use_pred_head)
{
    checkpoint::PretrainedEncoder network;
    network.path = "p.pth.tar";
    network.config = config::parse(
        fmt::format("{{task: snn_eval, meta: {{model_name: resnet50, output_dim: 2048, use_pred_head: {}}}, data: "
                    "{{dataset: imagenet, root_path: x, unlabeled_frac: 0}}, logging: {{folder: .}}}}",
                    use_pred_head),
        "test");
    network.config.data.root_path.clear();
    return network;
}
}  // namespace

TEST_CASE("the published evaluation of CIFAR-10 runs as it is typed", "[cli]")
{
    const PublishedFiles files;
    const auto command = files.cifar10() + " --unlabeled_frac 0.9 --split-seed 0";
    const auto result = test::run(command + " --use-pred");
    INFO(result.output);
    CHECK(result.code == 0);
    CHECK_THAT(result.output,
               Catch::Contains("--unlabeled-frac 0.9: all training images of CIFAR-10 count as labelled"));
    const auto with_head = files.summary(command + " --use-pred");
    const auto without_head = files.summary(command);
    CHECK(with_head["labelled"] == 300);
    CHECK(with_head["pictures"] == 40);
    CHECK(files.summary(command + " --set criterion.embedding=prediction")["top5"] == with_head["top5"]);
    CHECK(files.summary(command + " --set criterion.embedding=projection")["top5"] == without_head["top5"]);
    // The published list of a seed.
    fs::create_directory(files.small.folder / "lists");
    test::write(files.small.folder / "lists/spc.4000_split.7.txt", "0\n1\n2\n5\n8\n");
    const auto listed = files.cifar10() + " --unlabeled-frac 0.92 --split-seed 7 --device cpu --normalize True";
    CHECK(files.summary(listed + " --subset-path " + (files.small.folder / "lists").string())["labelled"] == 5);
    test::check_bad_input(listed, {"cifar10_subsets/spc.4000_split.7.txt"});
    const auto together = test::run(command, test::mpirun(2));
    CHECK(together.code == 0);
    CHECK(test::lines_with(together.output, "top-1").size() == 1);
}

TEST_CASE("published options that contradict the checkpoint are refused", "[cli]")
{
    const PublishedFiles files;
    test::check_bad_input("snn-eval --pretrained " + files.checkpoint + " --model-name resnet50",
                          {"--model-name: ", "is of a wide_resnet16w1, not of a resnet50"});
    test::check_bad_input("snn-eval --pretrained " + files.checkpoint, {"/datasets/imagenet_full_size/061417"});
    test::check_bad_input("snn-eval", {"--checkpoint (or the published --pretrained) is required"});
    test::check_bad_input("snn-eval --pretrained a.h5 --checkpoint b.h5", {"--pretrained", "leave one of them out"});
    test::check_bad_input(files.cifar10() + " --unlabeled-frac 0.92 --split-seed 1.5", {"--split-seed: 1.5"});
    test::check_bad_input(files.cifar10() + " --unlabeled-frac 1.5", {"--unlabeled-frac: must be between 0 and 1"});
    test::check_bad_input(files.cifar10() + " --normalize perhaps", {"--normalize: perhaps is neither True nor False"});
    test::check_bad_input(files.cifar10() + " --dataset-name mnist", {"--dataset-name", "mnist"});
    // A checkpoint of ours says its data, which --pretrained alone leaves as they are.
    const auto ours = files.summary("snn-eval --pretrained " + (files.small.folder / "run/small-latest.h5").string());
    CHECK(ours["labelled"] == 12);
    CHECK(ours["pictures"] == 12);
}

TEST_CASE("published defaults are those of the published script", "[cli]")
{
    cli::PublishedEvaluation published;
    published.pretrained = "p.pth.tar";
    const auto network = network_of(true);
    auto config = network.config;
    CHECK(cli::apply_published(published, network, false, config).empty());
    CHECK(config.data.dataset == config::Dataset::imagenet_fine_tune);
    CHECK(config.data.root_path == "/datasets/");
    CHECK(config.data.image_folder == "imagenet_full_size/061417/");
    CHECK(config.data.labelled_list() == "imagenet_subsets/90percent.txt");
    CHECK(config.data.normalize);
    CHECK(config.data.eval_crop_size == 224);
    CHECK(config.data.eval_resize == 256);
    CHECK(config.criterion.embedding == config::Embedding::projection);
    CHECK(config.criterion.snn_temperature == 0.1);

    published.dataset_name = "cifar10_fine_tune";
    published.unlabeled_frac = 0.92;
    published.use_pred = true;
    published.normalize = false;
    CHECK(cli::apply_published(published, network, false, config).empty());
    CHECK(config.data.labelled_list() == "cifar10_subsets/spc.4000_split.152.txt");
    CHECK(config.data.eval_crop_size == 32);
    CHECK_FALSE(config.data.normalize);
    CHECK(config.criterion.embedding == config::Embedding::prediction);
    CHECK_THROWS_WITH(cli::apply_published(published, network_of(false), false, config),
                      Catch::Contains("--use-pred: p.pth.tar has no prediction head"));

    // With other options that name the images, --pretrained leaves them as they are.
    cli::PublishedEvaluation alone;
    alone.pretrained = "p.pth.tar";
    auto other = network.config;
    cli::apply_published(alone, network, true, other);
    CHECK(other.data == network.config.data);
}

// Every way to write a wrong configuration, and what the user is told: place, key, remedy.

#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "src/config/config.hpp"
#include "tests/config/config_samples.hpp"
#include "tests/support/catch.hpp"

namespace
{
using paws::config::Error;
using paws::config::load;
using paws::config::parse;

using Overrides = std::vector<std::string>;

void check_message(const std::string& message, const std::vector<std::string>& parts)
{
    CAPTURE(message);
    CHECK(message.find('\n') == std::string::npos);
    for (const auto& part : parts)
    {
        CAPTURE(part);
        CHECK(message.find(part) != std::string::npos);
    }
}

/// Parses and expects an error whose message has all of `parts`.
void refuses(const std::string& yaml, const Overrides& overrides, const std::vector<std::string>& parts,
             const std::string& selected = "")
{
    CAPTURE(yaml, overrides);
    std::string message;
    try
    {
        parse(yaml, "x.yaml", overrides, selected);
    }
    catch (const Error& error)
    {
        message = error.what();
    }
    REQUIRE_FALSE(message.empty());
    check_message(message, parts);
}

/// The sample of paws_train with a value exchanged.
void refuses_value(const std::string& key, const std::string& value, const std::string& remedy)
{
    refuses(paws::test::paws_yaml, {key + "=" + value}, {"--set: " + key + ": ", remedy});
}
}  // namespace

TEST_CASE("a key that does not exist is refused with its line and the nearest one", "[config]")
{
    const std::string before = paws::test::paws_yaml;
    refuses(before + "  temprature: 1\n", {},
            {"x.yaml:20: logging.temprature: unknown key (did you mean criterion.temp"});
    refuses("criterion:\n\n  temprature: 1\n", {},
            {"x.yaml:3: criterion.temprature: unknown key (did you mean criterion.temperature?)"});
    refuses("criterion: {multicrop: 6}\n", {}, {"x.yaml:1: criterion.multicrop", "(did you mean data.multicrop?)"});
    refuses("optimisation: {lr: 1}\n", {}, {"x.yaml:1: optimisation.lr", "(did you mean optimization.lr?)"});
    refuses("temperature: 1\n", {}, {"x.yaml:1: temperature: unknown key (did you mean criterion.temperature?)"});
    refuses("tsak: fine_tune\n", {}, {"did you mean task?"});
    refuses(before, {"criterion.sharpenn=1"},
            {"--set: criterion.sharpenn: unknown key (did you mean criterion.sharpen?)"});
    refuses("data: {}\nmeta: {quite_another_thing: 1}\n", {}, {"x.yaml:2: meta.quite_another_thing: unknown key"});
}

TEST_CASE("what is no configuration is refused", "[config]")
{
    CHECK_THROWS_WITH(load("/nowhere/x.yaml"), Catch::Contains("/nowhere/x.yaml: there is no such configuration file"));
    CHECK_THROWS_WITH(load("/tmp"), Catch::Contains("/tmp: is a folder, no YAML file of settings"));
    CHECK_THROWS_WITH(load("/dev/null"), Catch::Contains("/dev/null: is a device"));
    const auto empty = std::filesystem::temp_directory_path() / fmt::format("paws-empty-{}.yaml", getpid());
    std::ofstream(empty).close();
    CHECK_THROWS_WITH(load(empty.string()), Catch::Contains("paws-empty") && Catch::Contains("is empty"));
    std::filesystem::remove(empty);
    refuses("", {}, {"x.yaml: expected one YAML document"});
    refuses("- 1\n- 2\n", {}, {"x.yaml: expected one YAML document"});
    refuses("meta: {}\n---\nmeta: {}\n", {}, {"x.yaml: expected one YAML document"});
    refuses("meta:\n  model_name: [1\ndata: {\n", {}, {"x.yaml:", "not YAML"});
    refuses("meta: 5\n", {}, {"x.yaml:1: meta: expected a section with keys, found '5'"});
    refuses("task: embed\nmeta: {seed: 1}\ntask: embed\n", {}, {"x.yaml:3: task: given twice, first at x.yaml:1"});
    refuses("meta:\n  seed: 1\n  seed: 2\n", {}, {"x.yaml:3: meta.seed: given twice, first at x.yaml:2"});
    refuses("meta:\n  seed: 1\nmeta:\n  seed: 2\n", {}, {"x.yaml:4: meta.seed: given twice, first at x.yaml:2"});
}

TEST_CASE("a value of another type is refused", "[config]")
{
    for (const auto* value : {"1", "maybe", "y", "\"true\"", "null", "[true]", "{a: 1}"})
    {
        refuses_value("criterion.me_max", value, "expected true or false, found ");
    }
    for (const auto* value : {"6.0", "1e3", "six", "\"6\"", "null", "", "[6]", "0x10", "99999999999999999999"})
    {
        refuses_value("logging.log_every", value, "expected a whole number, found ");
    }
    for (const auto* value : {"hot", "\"0.1\"", "null", "0.1.2", "1,5", "true"})
    {
        refuses_value("criterion.temperature", value, "expected a number, found ");
    }
    refuses_value("criterion.temperature", "nan", "expected a finite number");
    refuses_value("criterion.temperature", "inf", "expected a finite number");
    refuses_value("criterion.temperature", ".inf", "expected a number");
    for (const auto* value : {"null", "[a]", "{a: 1}"})
    {
        refuses_value("logging.write_tag", value, "expected text, found ");
    }
    for (const auto* value : {"0.5", "[0.5]", "[0.1, 0.2, 0.3]", "null"})
    {
        refuses_value("data.crop_scale", value, "expected a list of 2 values");
    }
    refuses_value("data.crop_scale", "[0.5, all]", "expected a number, found 'all'");
    refuses_value("data.dataset", "[cifar10]", "expected one of cifar10");
    refuses_value("data.dataset", "cifer10", "found 'cifer10' (did you mean cifar10?)");
    refuses_value("criterion.embedding", "projektion", "(did you mean projection?)");
    refuses_value("meta.precision", "fp8", "expected one of auto, fp32, bf16, fp16, fp64, found 'fp8'");
    refuses_value("data.augment_on", "gpu", "expected one of auto, host, device, found 'gpu'");
}

TEST_CASE("the type counts also where a key means nothing to the task", "[config]")
{
    refuses(paws::test::fine_tune_yaml, {"criterion.sharpen=much"}, {"criterion.sharpen: expected a number"});
}

TEST_CASE("an override that is none is refused", "[config]")
{
    const auto& yaml = paws::test::paws_yaml;
    refuses(yaml, {"criterion.sharpen"}, {"--set: 'criterion.sharpen' is not a setting; write section.key=value"});
    refuses(yaml, {"=1"}, {"--set: '=1' is not a setting"});
    refuses(yaml, {"criterion={sharpen: 1}"}, {"--set: criterion: is a section; set its keys one by one"});
    refuses(yaml, {"logging.folder=[a"}, {"--set: logging.folder: '[a' is not a YAML value"});
}

TEST_CASE("a task that is unclear or contradicts is refused", "[config]")
{
    refuses("task: pows_train\n", {}, {"x.yaml:1: task: expected one of paws_train", "did you mean paws_train?"});
    refuses("meta: {seed: 1}\n", {}, {"x.yaml: task: missing, and the other keys do not tell", "--sel NAME"});
    refuses("criterion: {me_max: true, supervised_epochs: 2}\n", {}, {"task: missing", "contradict each other"});
    refuses(paws::test::paws_yaml, {}, {"--sel paws: unknown task", "paws_train"}, "paws");
    refuses(paws::test::paws_yaml, {}, {"x.yaml:1: task: says paws_train, but --sel says suncet_train"},
            "suncet_train");
}

TEST_CASE("a key that the task needs is asked for", "[config]")
{
    struct Need
    {
        std::string yaml;
        std::string line;
        std::string key;
    };
    const std::vector<Need> needs{
        {paws::test::paws_yaml, "  model_name: wide_resnet28w2\n", "meta.model_name"},
        {paws::test::paws_yaml, "  output_dim: 128\n", "meta.output_dim"},
        {paws::test::paws_yaml, "  classes_per_batch: 10\n", "criterion.classes_per_batch"},
        {paws::test::paws_yaml, "  supervised_imgs_per_class: 64\n", "criterion.supervised_imgs_per_class"},
        {paws::test::paws_yaml, "  unsupervised_batch_size: 256\n", "criterion.unsupervised_batch_size"},
        {paws::test::paws_yaml, "  dataset: cifar10\n", "data.dataset"},
        {paws::test::paws_yaml, "  multicrop: 6\n", "data.multicrop"},
        {paws::test::paws_yaml, "  label_smoothing: 0.1\n", "data.label_smoothing"},
        {paws::test::paws_yaml, "  epochs: 600\n", "optimization.epochs"},
        {paws::test::paws_yaml, "  lr: 3.2\n", "optimization.lr"},
        {paws::test::paws_yaml, "  folder: runs/\n", "logging.folder"},
        {paws::test::suncet_yaml, ", supervised_epochs: 100", "criterion.supervised_epochs"},
        {paws::test::snn_fine_tune_yaml, ", supervised_batch_size: 64", "criterion.supervised_batch_size"},
        {paws::test::snn_fine_tune_yaml, ", pretrain_path: paws-latest.h5", "logging.pretrain_path"},
        {paws::test::fine_tune_yaml, ", pretrain_path: paws-latest.h5", "logging.pretrain_path"},
    };
    for (const auto& need : needs)
    {
        auto yaml = need.yaml;
        const auto place = yaml.find(need.line);
        REQUIRE(place != std::string::npos);
        yaml.erase(place, need.line.size());
        refuses(yaml, {}, {"x.yaml: " + need.key + ": missing", "needs it: "});
    }
    refuses(paws::test::fine_tune_yaml, {"logging.pretrain_path=null"}, {"--set: logging.pretrain_path: missing"});
}

TEST_CASE("an impossible value is refused with what is possible", "[config]")
{
    struct Wrong
    {
        const char* key;
        const char* value;
        const char* remedy;
    };
    const std::vector<Wrong> wrongs{
        {"meta.model_name", "''", "is empty"},
        {"meta.output_dim", "0", "at least 1"},
        {"meta.device", "cuda:x1", "auto, cpu, cuda or cuda:N"},
        {"meta.device", "gpu", "auto, cpu, cuda or cuda:N"},
        {"meta.device", "'cuda:'", "auto, cpu, cuda or cuda:N"},
        {"meta.seed", "-1", "at least 0"},
        {"meta.threads", "-2", "0 means"},
        {"meta.comm_timeout", "0.5", "seconds without a sign of life"},
        {"criterion.classes_per_batch", "0", "at least 1"},
        {"criterion.classes_per_batch", "11", "only 10 classes"},
        {"criterion.supervised_imgs_per_class", "0", "at least 1"},
        {"criterion.supervised_views", "0", "at least 1"},
        {"criterion.unsupervised_batch_size", "-256", "at least 1, is -256"},
        {"criterion.temperature", "0", "greater than 0, is 0"},
        {"criterion.sharpen", "-0.25", "greater than 0, is -0.25"},
        {"criterion.snn_temperature", "0", "greater than 0"},
        {"data.file", "''", "is empty"},
        {"data.train_split", "''", "usual: train"},
        {"data.validation_split", "''", "usual: val"},
        {"data.num_classes", "-1", "0 means"},
        {"data.subset", "''", "is empty"},
        {"data.unlabeled_frac", "1.5", "between 0 and 1"},
        {"data.unlabeled_frac", "-0.5", "between 0 and 1"},
        {"data.unlabeled_frac", "-1", "val.txt of ImageNet"},
        {"data.unlabelled_count", "-1", "0 means all"},
        {"data.label_smoothing", "1", "less than 1"},
        {"data.label_smoothing", "-0.1", "at least 0"},
        {"data.evaluation_batch_size", "0", "at least 1"},
        {"data.std", "[0.5, 0, 0.5]", "greater than 0"},
        {"data.crop_size", "0", "at least 1"},
        {"data.crop_size", "-3", "at least 1"},
        {"data.eval_resize", "16", "at least data.eval_crop_size (32)"},
        {"data.crop_scale", "[0, 1]", "0 < least <= most <= 1"},
        {"data.crop_scale", "[0.8, 0.5]", "0 < least <= most <= 1"},
        {"data.small_crop_scale", "[0.5, 1.5]", "0 < least <= most <= 1"},
        {"data.small_crop_size", "0", "at least 1"},
        {"data.multicrop", "-1", "0 means none"},
        {"data.flip_probability", "1.1", "between 0 and 1"},
        {"data.jitter_probability", "-0.1", "between 0 and 1"},
        {"data.solarise_probability", "2", "between 0 and 1"},
        {"data.equalise_probability", "2", "between 0 and 1"},
        {"data.grey_probability", "2", "between 0 and 1"},
        {"data.blur_probability", "2", "between 0 and 1"},
        {"data.color_jitter_strength", "3", "between 0 and 2.5"},
        {"data.color_jitter_strength", "-1", "between 0 and 2.5"},
        {"optimization.epochs", "0", "at least 1"},
        {"optimization.lr", "-1", "at least 0"},
        {"optimization.start_lr", "-1", "at least 0"},
        {"optimization.final_lr", "-1", "at least 0"},
        {"optimization.warmup", "-1", "at least 0"},
        {"optimization.warmup", "601", "longer than the run (600)"},
        {"optimization.momentum", "1", "less than 1"},
        {"optimization.momentum", "-0.9", "at least 0"},
        {"optimization.weight_decay", "-1e-6", "at least 0"},
        {"optimization.trust_coefficient", "0", "greater than 0"},
        {"logging.folder", "''", "is empty"},
        {"logging.write_tag", "''", "beginning of file names"},
        {"logging.write_tag", "a/b", "beginning of file names"},
        {"logging.log_every", "0", "at least 1"},
        {"logging.eval_every", "-1", "0 means never"},
        {"logging.checkpoint_every", "0", "at least 1"},
        {"logging.checkpoint_minutes", "-1.0", "only at the ends of epochs"},
        {"logging.keep_last", "0", "at least 1"},
    };
    for (const auto& wrong : wrongs)
    {
        refuses_value(wrong.key, wrong.value, wrong.remedy);
    }
    refuses(paws::test::suncet_yaml, {"criterion.supervised_epochs=-1"}, {"at least 0"});
    refuses(paws::test::snn_fine_tune_yaml, {"criterion.supervised_batch_size=0"}, {"at least 1"});
    refuses(paws::test::snn_fine_tune_yaml, {"logging.pretrain_path=''"}, {"logging.pretrain_path: is empty"});
    refuses(paws::test::fine_tune_yaml, {"optimization.batch_size=0"}, {"at least 1"});
    refuses(paws::test::embed_yaml, {"meta.output_dim=-1"}, {"at least 0"});
    refuses(paws::test::embed_yaml, {"embed.outputs=backbone"}, {"embed.outputs: expected a list"});
    refuses(paws::test::embed_yaml, {"embed.outputs=[backbone, backbone]"}, {"names an output twice"});
    refuses(paws::test::embed_yaml, {"embed.compression=10"}, {"between 0 (none) and 9"});
    refuses(paws::test::embed_yaml, {"embed.chunk_rows=-1"}, {"0 chooses"});
    refuses(paws::test::embed_yaml, {"embed.split=''"}, {"embed.split: is empty"});
    refuses(paws::test::embed_yaml, {"embed.file=''"}, {"embed.file: is empty"});
    refuses(paws::test::embed_yaml, {"embed.probabilities=true"}, {"data.subset: nothing says which images"});
}

TEST_CASE("settings that do not go together are refused", "[config]")
{
    const auto& yaml = paws::test::paws_yaml;
    refuses(yaml, {"meta.device=cpu", "meta.precision=fp16"}, {"meta.precision: fp16 needs a GPU"});
    refuses(yaml, {"optimization.warmup=10"}, {"optimization.start_lr: missing", "needs the rate it starts with"});
    refuses(yaml, {"optimization.nesterov=true", "optimization.momentum=0"}, {"optimization.nesterov: needs"});
    refuses(yaml, {"data.dataset=hdf5"}, {"data.file: is needed for data.dataset: hdf5"});
    refuses(yaml, {"data.root_path=''"}, {"data.root_path: nothing says where the images are"});
    refuses(yaml, {"data.subset=null"}, {"data.subset: nothing says which images are labelled"});
}

TEST_CASE("a published list that does not exist is refused", "[config]")
{
    const auto& yaml = paws::test::paws_yaml;
    const Overrides lists{"data.subset=null", "data.subset_path=lists"};
    const auto with = [&](Overrides more)
    {
        more.insert(more.begin(), lists.begin(), lists.end());
        return more;
    };
    refuses(yaml, with({"data.unlabeled_frac=0.5", "data.data_seed=152"}), {"data.unlabeled_frac: is 0.5", "0.92"});
    refuses(yaml, with({"data.unlabeled_frac=0.92"}), {"data.data_seed: is needed", "spc.4000_split.SEED.txt"});
    refuses(yaml, with({"data.unlabeled_frac=0.92", "data.dataset=folder"}), {"data.subset_path: is a folder of"});
}

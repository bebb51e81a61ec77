// What a correct configuration means: defaults, overrides, names of lists and files, the resolved text.
#include "src/config/config.hpp"
#include "tests/config/config_samples.hpp"
#include "tests/support/catch.hpp"

namespace
{
using namespace paws::config;

Config read(const std::string& yaml, const std::vector<std::string>& overrides = {}, const std::string& selected = "")
{
    return parse(yaml, "x.yaml", overrides, selected);
}

using Scale = std::array<double, 2>;
using Colour = std::array<double, 3>;
}  // namespace

TEST_CASE("pre-training on small images has CIFAR-10's published defaults", "[config]")
{
    const auto config = read(paws::test::paws_yaml);
    CHECK(config.task == Task::paws_train);
    CHECK(config.meta.device == "auto");
    CHECK(config.meta.seed == 0);
    CHECK(config.criterion.temperature == 0.1);
    CHECK(config.criterion.sharpen == 0.25);
    CHECK(config.criterion.me_max);
    CHECK(config.criterion.embedding == Embedding::prediction);
    CHECK(config.data.augment_on == AugmentOn::automatic);
    CHECK(config.data.num_classes == 10);
    CHECK(config.data.mean == Colour{0.4914, 0.4822, 0.4465});
    CHECK(config.data.std == Colour{0.2023, 0.1994, 0.2010});
    CHECK(config.data.crop_size == 32);
    CHECK(config.data.eval_resize == 32);
    CHECK(config.data.crop_scale == Scale{0.75, 1});
    CHECK(config.data.small_crop_size == 18);
    CHECK(config.data.small_crop_scale == Scale{0.3, 0.75});
    CHECK(config.data.random_crop);
    CHECK(config.data.flip_probability == 0.5);
    CHECK(config.data.jitter_probability == 0.8);
    CHECK(config.data.color_jitter_strength == 0.5);
    CHECK(config.data.solarise_probability == 0.2);
    CHECK(config.data.equalise_probability == 0.2);
    CHECK(config.data.grey_probability == 0);
    CHECK(config.data.blur_probability == 0);
    CHECK(config.optimization.start_lr == 3.2);
    CHECK(config.optimization.final_lr == 0);
    CHECK(config.optimization.weight_decay == 1e-6);
    CHECK(config.optimization.trust_coefficient == 0.001);
    CHECK(config.optimization.use_lars);
    CHECK(config.logging.log_every == 10);
    CHECK(config.logging.eval_every == 0);
    CHECK(config.notices.empty());
}

TEST_CASE("pre-training on photographs has ImageNet's published defaults", "[config]")
{
    const auto config = read(paws::test::paws_yaml, {"data.dataset=imagenet"});
    CHECK(config.data.num_classes == 1000);
    CHECK(config.data.mean == Colour{0.485, 0.456, 0.406});
    CHECK(config.data.std == Colour{0.229, 0.224, 0.225});
    CHECK(config.data.crop_size == 224);
    CHECK(config.data.eval_resize == 256);
    CHECK(config.data.crop_scale == Scale{0.14, 1});
    CHECK(config.data.small_crop_size == 96);
    CHECK(config.data.small_crop_scale == Scale{0.05, 0.14});
    CHECK(config.data.color_jitter_strength == 1);
    CHECK(config.data.solarise_probability == 0);
    CHECK(config.data.equalise_probability == 0);
    CHECK(config.data.grey_probability == 0.2);
    CHECK(config.data.blur_probability == 0.5);

    auto folder = read(paws::test::paws_yaml, {"data.dataset=folder", "data.num_classes=1000"});
    CHECK(folder.data.crop_size == 224);
    folder.data.dataset = Dataset::imagenet;
    CHECK(folder.data == config.data);
}

TEST_CASE("without small crops the large ones reach further", "[config]")
{
    CHECK(read(paws::test::paws_yaml, {"data.multicrop=0"}).data.crop_scale == Scale{0.5, 1});
    CHECK(read(paws::test::paws_yaml, {"data.multicrop=0", "data.dataset=imagenet"}).data.crop_scale == Scale{0.08, 1});
    CHECK(read(paws::test::suncet_yaml).data.crop_scale == Scale{0.08, 1});
}

TEST_CASE("packed files have defaults of their own", "[config]")
{
    const auto data = read(paws::test::paws_yaml, {"data.dataset=hdf5", "data.file=a.h5"}).data;
    CHECK(data.mean == Colour{0.5, 0.5, 0.5});
    CHECK(data.std == Colour{0.5, 0.5, 0.5});
    CHECK(data.num_classes == 0);
    CHECK(data.crop_size == 32);
    CHECK(data.solarise_probability == 0.2);
}

TEST_CASE("fine-tuning only crops and flips", "[config]")
{
    const auto small = read(paws::test::snn_fine_tune_yaml);
    CHECK_FALSE(small.data.random_crop);
    CHECK(small.data.flip_probability == 0.5);
    CHECK(small.data.jitter_probability == 0);
    CHECK(small.data.solarise_probability == 0);
    CHECK(small.logging.eval_every == 1);
    CHECK(small.optimization.use_lars);
    CHECK_FALSE(small.optimization.nesterov);

    const auto photographs = read(paws::test::fine_tune_yaml);
    CHECK(photographs.data.random_crop);
    CHECK(photographs.data.crop_scale == Scale{0.08, 1});
    CHECK(photographs.data.grey_probability == 0);
    CHECK(photographs.data.blur_probability == 0);
    CHECK(photographs.optimization.nesterov);
    CHECK_FALSE(photographs.optimization.use_lars);
    CHECK(photographs.optimization.zero_init);
    CHECK(photographs.optimization.batch_size == 256);
    CHECK(photographs.optimization.start_lr == 0.02);
    CHECK(photographs.optimization.weight_decay == 0);
    CHECK(photographs.meta.training);
}

TEST_CASE("what is given goes over every default", "[config]")
{
    const auto config = read(paws::test::paws_yaml, {"data.crop_size=28", "data.mean=[0.1, 0.2, 3.0e-01]",
                                                     "optimization.weight_decay=1e-4", "optimization.start_lr=0"});
    CHECK(config.data.crop_size == 28);
    CHECK(config.data.eval_crop_size == 28);
    CHECK(config.data.eval_resize == 28);
    CHECK(read(paws::test::paws_yaml, {"data.crop_size=24", "data.eval_crop_size=30"}).data.eval_resize == 30);
    CHECK(config.data.mean == Colour{0.1, 0.2, 0.3});
    CHECK(config.optimization.weight_decay == 1e-4);
    CHECK(config.optimization.start_lr == 0);
}

TEST_CASE("overrides: later ones win, every kind of value works", "[config]")
{
    const auto config =
        read(paws::test::paws_yaml, {"optimization.epochs=5", "optimization.epochs=7", "criterion.me_max=off",
                                     "logging.write_tag=a=b c", "meta.precision=bf16", "data.subset_path=null"});
    CHECK(config.optimization.epochs == 7);
    CHECK_FALSE(config.criterion.me_max);
    CHECK(config.logging.write_tag == "a=b c");
    CHECK(config.meta.precision == Precision::bf16);
    CHECK_FALSE(config.data.subset_path);
}

TEST_CASE("quotes make text of what looks like something else", "[config]")
{
    const auto yaml = paws::test::paws_yaml + "  write_tag: \"null\"\n";
    CHECK(read(yaml).logging.write_tag == "null");
    CHECK(read(paws::test::paws_yaml + "  write_tag: 2021\n").logging.write_tag == "2021");
}

TEST_CASE("the task is read, selected or inferred", "[config]")
{
    const auto without_task = [](const std::string& yaml) { return yaml.substr(yaml.find('\n') + 1); };
    CHECK(read(without_task(paws::test::paws_yaml)).task == Task::paws_train);
    CHECK(read(without_task(paws::test::suncet_yaml)).task == Task::suncet_train);
    CHECK(read(without_task(paws::test::snn_fine_tune_yaml)).task == Task::snn_fine_tune);
    CHECK(read(without_task(paws::test::fine_tune_yaml), {"meta.training=false"}).task == Task::fine_tune);
    CHECK(read(without_task(paws::test::fine_tune_yaml), {}, "fine_tune").task == Task::fine_tune);
    CHECK(read(paws::test::paws_yaml, {}, "paws_train").task == Task::paws_train);
    CHECK(read(without_task(paws::test::embed_yaml), {"task=embed"}).task == Task::embed);
}

TEST_CASE("the file of a training run serves its evaluation as it is", "[config]")
{
    const auto config = read(paws::test::paws_yaml, {"meta.master_port=1"}, "snn_eval");
    CHECK(config.task == Task::snn_eval);
    CHECK(config.logging.pretrain_path == "paws-latest.h5");
    CHECK(config.data.multicrop == 0);
    CHECK(config.notices.size() == 1);
    CHECK(read(paws::test::paws_yaml, {}, "embed").notices.empty());
    CHECK(read(paws::test::snn_eval_yaml, {"logging.pretrain_path=a.h5"}).logging.pretrain_path == "a.h5");
}

TEST_CASE("copy_data stands under meta, as published, or under data", "[config]")
{
    CHECK_FALSE(read(paws::test::paws_yaml).data.copy_data);
    CHECK(read(paws::test::paws_yaml, {"meta.copy_data=true"}).data.copy_data);
    CHECK(read(paws::test::paws_yaml, {"data.copy_data=true"}).data.copy_data);
    CHECK(load(std::string(PAWS_SOURCE_DIR) + "/configs/paws/imgnt_train.yaml").data.copy_data);
    CHECK_FALSE(
        load(std::string(PAWS_SOURCE_DIR) + "/configs/paws/imgnt_train.yaml", {"data.copy_data=false"}).data.copy_data);
    const std::string both = "task: embed\nmeta: {copy_data: true}\ndata: {copy_data: true}\n";
    CHECK_THROWS_WITH(parse(both, "both.yaml"), Catch::Contains("published name of data.copy_data"));
}

TEST_CASE("keys without an effect are named once each", "[config]")
{
    const auto config = read(paws::test::fine_tune_yaml, {"meta.master_port=1", "criterion.sharpen=0.5"});
    REQUIRE(config.notices.size() == 2);
    CHECK_THAT(config.notices[0], Catch::Contains("--set: meta.master_port: no effect here"));
    CHECK_THAT(config.notices[1], Catch::Contains("criterion.sharpen: is not used by fine_tune"));
    CHECK(config.criterion.sharpen == Criterion{}.sharpen);
}

TEST_CASE("lists of labelled images", "[config]")
{
    Data data;
    CHECK_FALSE(data.labelled_list());
    data.subset_path = "lists/";
    data.unlabeled_frac = 0.92;
    data.data_seed = 152;
    CHECK(data.labelled_list() == "lists/spc.4000_split.152.txt");
    CHECK_FALSE(data.held_out_list());
    data.unlabeled_frac = 0;
    CHECK_FALSE(data.labelled_list());

    data.dataset = Dataset::imagenet;
    data.unlabeled_frac = 0.9;
    CHECK(data.labelled_list() == "lists/90percent.txt");
    CHECK(data.held_out_list() == "lists/val.txt");
    data.unlabeled_frac = 0.99;
    CHECK(data.labelled_list() == "lists/99percent.txt");
    // 28.999... per cent in double precision, in Python as here.
    data.unlabeled_frac = 0.29;
    CHECK(data.labelled_list() == "lists/28percent.txt");
    data.unlabeled_frac = 0;
    CHECK(data.labelled_list() == "lists/0percent.txt");
    data.unlabeled_frac = -1;
    CHECK(data.labelled_list() == "lists/val.txt");

    data.subset = "mine.txt";
    CHECK(data.labelled_list() == "mine.txt");
}

TEST_CASE("names and times of checkpoints", "[config]")
{
    Logging logging;
    logging.folder = "runs";
    CHECK(logging.path_of("a.h5") == "runs/a.h5");
    CHECK(logging.path_of("/x/a.h5") == "/x/a.h5");
    std::vector<std::int64_t> kept;
    for (std::int64_t epoch = 1; epoch <= 200; ++epoch)
    {
        if (logging.keeps_epoch(epoch))
        {
            kept.push_back(epoch);
        }
    }
    CHECK(kept == std::vector<std::int64_t>{10, 20, 30, 40, 50, 100, 150, 200});
}

TEST_CASE("half precision means what the device has", "[config]")
{
    Meta meta;
    CHECK(resolve_precision(meta, true, true) == Precision::fp32);
    meta.use_fp16 = true;
    CHECK(resolve_precision(meta, true, true) == Precision::fp16);
    CHECK(resolve_precision(meta, false, true) == Precision::bf16);
    CHECK(resolve_precision(meta, false, false) == Precision::fp32);
    meta.precision = Precision::fp64;
    CHECK(resolve_precision(meta, true, true) == Precision::fp64);
}

TEST_CASE("TF32 is allowed unless it is forbidden, in every task", "[config]")
{
    for (const auto& yaml : {paws::test::paws_yaml, paws::test::suncet_yaml, paws::test::snn_fine_tune_yaml,
                             paws::test::fine_tune_yaml, paws::test::snn_eval_yaml, paws::test::embed_yaml})
    {
        CHECK(read(yaml).meta.tf32);
        CHECK_FALSE(read(yaml, {"meta.tf32=false"}).meta.tf32);
    }
}

TEST_CASE("the resolved text gives the same configuration", "[config]")
{
    const std::vector<std::string> odd_values{
        "logging.folder='a \"b\" # c: \\ d'", "logging.write_tag='1e3'", "meta.seed=123456789012345",
        "data.mean=[0.1, 1.0e-06, 1e+20]",    "meta.use_fp16=yes",       "data.train_split='null'"};
    for (const auto& yaml : {paws::test::paws_yaml, paws::test::suncet_yaml, paws::test::snn_fine_tune_yaml,
                             paws::test::fine_tune_yaml, paws::test::snn_eval_yaml, paws::test::embed_yaml})
    {
        for (const auto& overrides : {std::vector<std::string>{}, odd_values})
        {
            const auto config = read(yaml, overrides);
            const auto text = config.to_yaml();
            CAPTURE(text);
            const auto again = read(text);
            CHECK(again == config);
            CHECK(again.notices.empty());
            CHECK(again.to_yaml() == text);
        }
    }
}

TEST_CASE("configurations differ when a setting does", "[config]")
{
    const auto config = read(paws::test::paws_yaml);
    for (const auto* change :
         {"meta.seed=1", "criterion.sharpen=0.5", "data.multicrop=5", "optimization.lr=3.3", "logging.log_every=9"})
    {
        CHECK_FALSE(read(paws::test::paws_yaml, {change}) == config);
    }
    CHECK_FALSE(read(paws::test::paws_yaml, {}, "embed") == config);
}

TEST_CASE("numbers and text are written so that every YAML reader takes them for what they are", "[config]")
{
    const auto text = read(paws::test::paws_yaml).to_yaml();
    CHECK_THAT(text, Catch::Contains("  weight_decay: 1.0e-06\n"));
    CHECK_THAT(text, Catch::Contains("  color_jitter_strength: 0.5\n"));
    CHECK_THAT(text, Catch::Contains("  crop_scale: [0.75, 1.0]\n"));
    CHECK_THAT(text, Catch::Contains("  subset_path: null\n"));
    CHECK_THAT(text, Catch::Contains("  folder: runs/\n"));
    for (const auto* word : {"null", "Yes", "off", "12", "-x", ".5", "a b", "a:", ""})
    {
        const auto quoted = read(paws::test::paws_yaml, {std::string("data.image_folder='") + word + "'"}).to_yaml();
        CHECK_THAT(quoted, Catch::Contains(std::string("  image_folder: \"") + word + "\"\n"));
    }
}

// The configuration files of the repository: they are read without complaint and mean what was published.
#include "src/config/config.hpp"
#include "src/config/nearest.hpp"
#include "tests/support/catch.hpp"

namespace
{
using namespace paws::config;

Config shipped(const std::string& name)
{
    return load(std::string(PAWS_SOURCE_DIR) + "/configs/" + name);
}

/// Nothing but master_port is without effect.
void check_notices(const Config& config)
{
    for (const auto& notice : config.notices)
    {
        CHECK_THAT(notice, Catch::Contains("meta.master_port"));
    }
}
}  // namespace

TEST_CASE("configs/paws/cifar10_train.yaml", "[config]")
{
    const auto config = shipped("paws/cifar10_train.yaml");
    check_notices(config);
    CHECK(config.task == Task::paws_train);
    CHECK(config.meta.model_name == "wide_resnet28w2");
    CHECK(config.meta.output_dim == 128);
    CHECK(config.meta.use_fp16);
    CHECK_FALSE(config.meta.use_pred_head);
    CHECK(config.criterion.unsupervised_batch_size == 256);
    CHECK(config.criterion.classes_per_batch == 10);
    CHECK(config.criterion.supervised_imgs_per_class == 64);
    CHECK(config.criterion.supervised_views == 2);
    CHECK(config.criterion.me_max);
    CHECK(config.data.labelled_list() == "cifar10_subsets/spc.4000_split.152.txt");
    CHECK(config.data.multicrop == 6);
    CHECK(config.data.label_smoothing == 0.1);
    CHECK(config.data.color_jitter_strength == 0.5);
    CHECK_FALSE(config.data.unique_classes_per_rank);
    CHECK(config.optimization.epochs == 600);
    CHECK(config.optimization.warmup == 10);
    CHECK(config.optimization.start_lr == 0.8);
    CHECK(config.optimization.lr == 3.2);
    CHECK(config.optimization.final_lr == 0.032);
    CHECK(config.optimization.weight_decay == 1e-6);
}

TEST_CASE("configs/paws/cifar10_snn.yaml", "[config]")
{
    const auto config = shipped("paws/cifar10_snn.yaml");
    check_notices(config);
    CHECK(config.task == Task::snn_fine_tune);
    CHECK(config.criterion.supervised_batch_size == 64);
    CHECK(config.criterion.supervised_views == 2);
    CHECK(config.data.dataset == Dataset::cifar10_fine_tune);
    CHECK(config.data.label_smoothing == 0);
    CHECK(config.optimization.epochs == 30);
    CHECK(config.optimization.lr == 0.1);
    CHECK(config.optimization.final_lr == 0.01);
    CHECK(config.optimization.weight_decay == 0);
    CHECK(config.optimization.use_lars);
    CHECK(config.logging.write_tag == "paws-latest-SNN");
}

TEST_CASE("configs/paws/imgnt_train.yaml", "[config]")
{
    const auto config = shipped("paws/imgnt_train.yaml");
    check_notices(config);
    CHECK(config.task == Task::paws_train);
    CHECK(config.meta.model_name == "resnet50");
    CHECK(config.meta.output_dim == 2048);
    CHECK(config.meta.use_pred_head);
    CHECK(config.criterion.unsupervised_batch_size == 64);
    CHECK(config.criterion.classes_per_batch == 15);
    CHECK(config.criterion.supervised_imgs_per_class == 7);
    CHECK(config.criterion.supervised_views == 1);
    CHECK(config.data.labelled_list() == "imagenet_subsets/90percent.txt");
    CHECK(config.data.unique_classes_per_rank);
    CHECK_FALSE(config.data.data_seed);
    CHECK(config.data.label_smoothing == 0.1);
    CHECK(config.optimization.epochs == 100);
    CHECK(config.optimization.start_lr == 0.3);
    CHECK(config.optimization.lr == 6.4);
    CHECK(config.optimization.final_lr == 0.064);
}

TEST_CASE("configs/paws/imgnt_fine_tune.yaml", "[config]")
{
    const auto config = shipped("paws/imgnt_fine_tune.yaml");
    check_notices(config);
    CHECK(config.task == Task::fine_tune);
    CHECK(config.meta.training);
    CHECK(config.data.num_classes == 1000);
    CHECK(config.data.held_out_list() == "imagenet_subsets/val.txt");
    CHECK(config.optimization.epochs == 50);
    CHECK(config.optimization.lr == 0.02);
    CHECK(config.optimization.start_lr == 0.02);
    CHECK(config.optimization.nesterov);
    CHECK_FALSE(config.optimization.use_lars);
    CHECK(config.optimization.zero_init);
}

TEST_CASE("configs/suncet/imgnt_train.yaml", "[config]")
{
    const auto config = shipped("suncet/imgnt_train.yaml");
    check_notices(config);
    CHECK(config.task == Task::suncet_train);
    CHECK(config.criterion.unsupervised_batch_size == 44);
    CHECK(config.criterion.classes_per_batch == 20);
    CHECK(config.criterion.supervised_imgs_per_class == 2);
    CHECK(config.criterion.supervised_epochs == 100);
    CHECK(config.data.crop_scale == std::array<double, 2>{0.08, 1});
    CHECK(config.data.label_smoothing == 0);
    CHECK(config.optimization.start_lr == 0.6);
    CHECK(config.optimization.lr == 4.8);
    CHECK(config.optimization.final_lr == 0.048);
}

TEST_CASE("configs/cifar10_hdf5.yaml differs from the published experiment in its files alone", "[config]")
{
    auto packed = shipped("cifar10_hdf5.yaml");
    const auto published = shipped("paws/cifar10_train.yaml");
    CHECK(packed.notices.empty());
    CHECK(packed.criterion == published.criterion);
    CHECK(packed.optimization == published.optimization);
    CHECK(packed.data.dataset == Dataset::hdf5);

    auto& data = packed.data;
    data.dataset = Dataset::cifar10;
    data.num_classes = 10;
    data.file.reset();
    data.subset.reset();
    data.root_path = published.data.root_path;
    data.image_folder = published.data.image_folder;
    data.subset_path = published.data.subset_path;
    data.unlabeled_frac = published.data.unlabeled_frac;
    data.data_seed = published.data.data_seed;
    data.copy_data = published.data.copy_data;
    CHECK(data == published.data);
}

TEST_CASE("configs/demo.yaml", "[config]")
{
    const auto config = shipped("demo.yaml");
    CHECK(config.notices.empty());
    CHECK(config.task == Task::paws_train);
    CHECK(config.data.dataset == Dataset::hdf5);
}

TEST_CASE("configs/folder.yaml says the defaults of photographs outright", "[config]")
{
    const auto config = shipped("folder.yaml");
    CHECK(config.notices.empty());
    CHECK(config.task == Task::paws_train);
    CHECK(config.data.dataset == Dataset::folder);
    CHECK_FALSE(config.data.labelled_list());
    const auto photographs = shipped("paws/imgnt_train.yaml").data;
    CHECK(config.data.mean == photographs.mean);
    CHECK(config.data.std == photographs.std);
    CHECK(config.data.crop_size == photographs.crop_size);
    CHECK(config.data.crop_scale == photographs.crop_scale);
    CHECK(config.data.small_crop_size == photographs.small_crop_size);
    CHECK(config.data.small_crop_scale == photographs.small_crop_scale);
    CHECK(config.data.flip_probability == photographs.flip_probability);
    CHECK(config.data.grey_probability == photographs.grey_probability);
    CHECK(config.data.blur_probability == photographs.blur_probability);
}

TEST_CASE("edit distance counts letters changed, added, left out and swapped", "[config]")
{
    CHECK(edit_distance("", "") == 0);
    CHECK(edit_distance("", "abc") == 3);
    CHECK(edit_distance("abc", "abc") == 0);
    CHECK(edit_distance("temprature", "temperature") == 1);
    CHECK(edit_distance("sharpne", "sharpen") == 1);
    CHECK(edit_distance("kitten", "sitting") == 3);
    CHECK(nearest("epoch", {"optimization.epochs", "data.file"}) == "optimization.epochs");
    CHECK_FALSE(nearest("anything", {"optimization.epochs", "data.file"}));
    CHECK_FALSE(nearest("anything", {}));
}

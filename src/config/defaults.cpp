#include "src/config/defaults.hpp"

#include "src/config/keys.hpp"

namespace paws::config
{
namespace
{
void set_statistics(Data& data)
{
    if (data.is_cifar10())
    {
        data.mean = {0.4914, 0.4822, 0.4465};
        data.std = {0.2023, 0.1994, 0.2010};
    }
    else if (data.dataset == Dataset::hdf5)
    {
        data.mean = {0.5, 0.5, 0.5};
        data.std = {0.5, 0.5, 0.5};
    }
    else
    {
        data.mean = {0.485, 0.456, 0.406};
        data.std = {0.229, 0.224, 0.225};
    }
}

/// CIFAR-10, and packed files until they say otherwise.
void set_small_image_crops(Data& data, Task task)
{
    data.crop_size = data.crop_size > 0 ? data.crop_size : 32;
    data.eval_crop_size = data.eval_crop_size > 0 ? data.eval_crop_size : data.crop_size;
    data.eval_resize = data.eval_crop_size;
    data.crop_scale = {data.multicrop > 0 ? 0.75 : 0.5, 1};
    if (task == Task::paws_train)
    {
        data.small_crop_size = 18;
        data.small_crop_scale = {0.3, 0.75};
    }
}

/// ImageNet and folders of photographs.
void set_photograph_crops(Data& data, Task task)
{
    data.crop_size = data.crop_size > 0 ? data.crop_size : 224;
    data.eval_crop_size = data.eval_crop_size > 0 ? data.eval_crop_size : data.crop_size;
    data.eval_resize = data.eval_crop_size * 256 / 224;
    data.crop_scale = {data.multicrop > 0 ? 0.14 : 0.08, 1};
    if (task == Task::paws_train)
    {
        data.small_crop_size = 96;
        data.small_crop_scale = {0.05, 0.14};
    }
}

void set_colours(Data& data, bool small_images)
{
    data.jitter_probability = 0.8;
    if (small_images)
    {
        data.color_jitter_strength = 0.5;
        data.solarise_probability = 0.2;
        data.equalise_probability = 0.2;
    }
    else
    {
        data.color_jitter_strength = 1;
        data.grey_probability = 0.2;
        data.blur_probability = 0.5;
    }
}

/// Synthetic images take the place of CIFAR-10's or ImageNet's: of the crops where these are given, else of those
/// that the network is made for.
bool has_small_images(const Data& data, const std::string& model_name)
{
    constexpr std::int64_t largest = 64;
    if (data.is_synthetic())
    {
        return data.crop_size > 0 ? data.crop_size <= largest : model_name.starts_with("wide_resnet");
    }
    return data.is_cifar10() || data.dataset == Dataset::hdf5;
}

/// As many images and classes as CIFAR-10 or ImageNet has, which gives the published steps an epoch.
void set_synthetic_images(Data& data, bool small_images)
{
    data.num_classes = small_images ? 10 : 1000;
    data.synthetic_train = small_images ? 50'000 : 1'281'167;
    data.synthetic_validation = small_images ? 10'000 : 50'000;
    data.synthetic_height = data.synthetic_width = small_images ? data.crop_size : data.crop_size * 256 / 224;
}

void set_data_defaults(Data& data, Task task, const std::string& model_name)
{
    const bool small_images = has_small_images(data, model_name);
    data.num_classes = data.is_cifar10() ? 10 : data.is_imagenet() ? 1000 : 0;
    set_statistics(data);
    small_images ? set_small_image_crops(data, task) : set_photograph_crops(data, task);
    if (data.is_synthetic())
    {
        set_synthetic_images(data, small_images);
    }
    if (!all_training.contains(task))
    {
        data.crop_scale = {1, 1};
        return;
    }
    data.flip_probability = 0.5;
    if (fine_tuning.contains(task))
    {
        // The published fine-tuning crops and flips, photographs at random and small images in the middle.
        data.random_crop = !small_images;
        return;
    }
    set_colours(data, small_images);
}

void set_optimization_defaults(Optimization& optimization, Task task)
{
    optimization.start_lr = optimization.warmup == 0 ? optimization.lr : 0;
    optimization.weight_decay = pre_training.contains(task) ? 1e-6 : 0;
    if (task == Task::fine_tune)
    {
        optimization.nesterov = true;
        optimization.use_lars = false;
    }
}
}  // namespace

void set_defaults(Config& config)
{
    set_data_defaults(config.data, config.task, config.meta.model_name);
    if (all_training.contains(config.task))
    {
        set_optimization_defaults(config.optimization, config.task);
    }
    if (fine_tuning.contains(config.task))
    {
        config.logging.eval_every = 1;
    }
    if (!all_training.contains(config.task))
    {
        config.logging.pretrain_path = config.logging.write_tag + "-latest.h5";
    }
}
}  // namespace paws::config

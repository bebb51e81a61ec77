#include "src/config/validate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <set>
#include <string_view>
#include <type_traits>

#include "io/base/quantity.hpp"
#include "src/config/enums.hpp"
#include "src/config/keys.hpp"
#include "src/config/limits.hpp"
#include "src/config/task.hpp"

namespace paws::config
{
namespace
{
struct Requirement
{
    const char* key;
    TaskSet tasks;
    const char* hint;
};

constexpr std::array requirements{
    Requirement{"meta.model_name", every_task, "the network, such as resnet50 or wide_resnet28w2"},
    Requirement{"meta.output_dim", with_supports, "the width of the projection, such as 128 or 2048"},
    Requirement{"criterion.classes_per_batch", with_supports, "classes in a support batch of one rank"},
    Requirement{"criterion.supervised_imgs_per_class", pre_training, "labelled images of each class in a batch"},
    Requirement{"criterion.supervised_batch_size", snn_fine_tune_only, "labelled images of each class in a batch"},
    Requirement{"criterion.unsupervised_batch_size", pre_training, "unlabelled images in a batch of one rank"},
    Requirement{"criterion.supervised_epochs", suncet_only, "epochs that use the supervised loss"},
    Requirement{"data.dataset", every_task, "one of cifar10, imagenet, hdf5, folder, synthetic"},
    Requirement{"data.multicrop", paws_only, "small crops per image; published: 6; none: 0"},
    Requirement{"data.label_smoothing", paws_only, "published: 0.1; none: 0.0"},
    Requirement{"optimization.epochs", all_training, "the length of the run"},
    Requirement{"optimization.lr", all_training, "the learning rate after warm-up"},
    Requirement{"logging.folder", every_task, "where logs and checkpoints go"},
    Requirement{"logging.pretrain_path", fine_tuning, "the checkpoint to start from, relative to logging.folder"},
};

/// Checks that speak about one key each; a key without a meaning for the task is not looked at.
class Checker
{
public:
    Checker(const Document& document, Task task) : document_(document), task_(task) {}

    void require(bool condition, const std::string& key, const std::string& message) const
    {
        if (!condition && applies(key, task_))
        {
            fail(document_.where(key), key, message);
        }
    }

    template <typename Number>
    void at_least(const std::string& key, Number value, Number least, const std::string& remedy) const
    {
        require(value >= least, key, fmt::format("must be at least {}, is {}; {}", least, value, remedy));
        if constexpr (std::is_integral_v<Number>)
        {
            // Sizes are multiplied with one another, and numbers of epochs are added to the seed.
            constexpr Number most_of_sizes = std::numeric_limits<std::int32_t>::max();
            constexpr Number most_of_seeds = std::numeric_limits<std::int64_t>::max() / 2;
            const auto most = key == "meta.seed" ? most_of_seeds : most_of_sizes;
            require(value <= most, key, fmt::format("must be at most {}, is {}; {}", most, value, remedy));
        }
    }

    void positive(const std::string& key, double value, const std::string& remedy) const
    {
        require(value > 0, key, fmt::format("must be greater than 0, is {}; {}", value, remedy));
    }

    void probability(const std::string& key, double value) const
    {
        require(value >= 0 && value <= 1, key,
                fmt::format("is a probability, between 0 and 1, but is {}; 0 switches it off", value));
    }

    void scale(const std::string& key, const std::array<double, 2>& value) const
    {
        require(value[0] > 0 && value[0] <= value[1] && value[1] <= 1, key,
                fmt::format("is [least, most] of an image's area with 0 < least <= most <= 1, but is [{}, {}]",
                            value[0], value[1]));
    }

private:
    const Document& document_;
    Task task_;
};

bool is_device(const std::string& name)
{
    const std::string_view prefix = "cuda:";
    if (!name.starts_with(prefix))
    {
        return name == "auto" || name == "cpu" || name == "cuda";
    }
    return name.size() > prefix.size() && name.find_first_not_of("0123456789", prefix.size()) == std::string::npos;
}

void check_meta(const Meta& meta, Task task, const Checker& check)
{
    check.require(!meta.model_name.empty(), "meta.model_name", "is empty; name a network, such as resnet50");
    check.at_least<std::int64_t>("meta.output_dim", meta.output_dim, all_training.contains(task) ? 1 : 0,
                                 "published: 128, 2048");
    check.require(is_device(meta.device), "meta.device",
                  fmt::format("must be auto, cpu, cuda or cuda:N, is '{}'", meta.device));
    check.require(!(meta.device == "cpu" && meta.precision == Precision::fp16), "meta.precision",
                  "fp16 needs a GPU and meta.device says cpu; use bf16 or fp32");
    check.at_least("meta.comm_timeout", meta.comm_timeout, 1.0,
                   "seconds without a sign of life after which a rank is given up, such as 60");
    check.at_least<std::int64_t>("meta.seed", meta.seed, 0, "any whole number from 0");
    check.at_least<std::int64_t>("meta.threads", meta.threads, 0, "0 means as many as the rank may use");
    check.require(
        meta.threads <= most_threads, "meta.threads",
        fmt::format("must be at most {}, is {}; 0 means as many as the rank may use", most_threads, meta.threads));
    check.at_least<std::int64_t>("meta.emulate_world", meta.emulate_world, 0, "0 means the ranks that there are");
    check.positive("meta.bucket_mb", meta.bucket_mb, "default: 8");
    const auto wire = meta.reduce_precision;
    check.require(wire == Precision::automatic || wire == Precision::bf16 || wire == Precision::fp16,
                  "meta.reduce_precision",
                  fmt::format("must be auto (as the gradients are), bf16 or fp16, is {}", to_string(wire)));
}

void check_criterion(const Criterion& criterion, const Data& data, const Checker& check)
{
    const auto size = [&](const char* key, std::int64_t value, const char* remedy)
    { check.at_least<std::int64_t>(key, value, 1, remedy); };
    size("criterion.classes_per_batch", criterion.classes_per_batch, "CIFAR-10 published: 10");
    size("criterion.supervised_imgs_per_class", criterion.supervised_imgs_per_class, "published: 64, 7");
    size("criterion.supervised_batch_size", criterion.supervised_batch_size, "published: 64");
    size("criterion.supervised_views", criterion.supervised_views, "published: 2, 1");
    size("criterion.unsupervised_batch_size", criterion.unsupervised_batch_size, "published: 256, 64");
    check.at_least<std::int64_t>("criterion.supervised_epochs", criterion.supervised_epochs, 0, "published: 100");
    check.positive("criterion.temperature", criterion.temperature, "published: 0.1");
    check.positive("criterion.sharpen", criterion.sharpen, "published: 0.25; 1 does not sharpen");
    check.positive("criterion.similarity_memory_gb", criterion.similarity_memory_gb, "default: 1");
    check.positive("criterion.snn_temperature", criterion.snn_temperature, "published: 0.1");
    check.require(data.num_classes == 0 || criterion.classes_per_batch <= data.num_classes,
                  "criterion.classes_per_batch",
                  fmt::format("is {}, but there {} only {}", criterion.classes_per_batch,
                              data.num_classes == 1 ? "is" : "are", io::plural(data.num_classes, "class", "es")));
}

void check_labels(const Data& data, const Document& document, const Checker& check)
{
    check.at_least<std::int64_t>("data.unlabelled_count", data.unlabelled_count, 0, "0 means all");
    check.require(data.label_smoothing >= 0 && data.label_smoothing < 1, "data.label_smoothing",
                  fmt::format("must be at least 0 and less than 1, is {}; published: 0.1", data.label_smoothing));
    if (data.is_synthetic())
    {
        check.require(!data.subset, "data.subset", "synthetic images have no list: all are labelled; leave it out");
        return;
    }
    check.require(data.subset || document.has("data.unlabeled_frac"), "data.subset",
                  "nothing says which images are labelled; name a list (paws_hpc subset makes one), or give "
                  "data.unlabeled_frac (0: all are labelled)");
    check.require((data.unlabeled_frac >= 0 && data.unlabeled_frac <= 1) || data.unlabeled_frac == -1,
                  "data.unlabeled_frac",
                  fmt::format("must be between 0 and 1, is {}; 0.9 leaves a tenth of the labels", data.unlabeled_frac));
    check.require(data.unlabeled_frac != -1 || data.is_imagenet(), "data.unlabeled_frac",
                  "-1 means the list val.txt of ImageNet, but data.dataset is " + word_from_enum(data.dataset));
    if (data.subset)
    {
        check.require(!data.subset->empty(), "data.subset", "is empty; name a file, or leave the key out");
    }
    else if (data.subset_path)
    {
        check.require(data.is_cifar10() || data.is_imagenet(), "data.subset_path",
                      "is a folder of the published lists for CIFAR-10 and ImageNet, but data.dataset is " +
                          word_from_enum(data.dataset) + "; name the list itself with data.subset");
        const bool split = data.is_cifar10() && data.unlabeled_frac != 0;
        check.require(
            !split || data.unlabeled_frac == 0.92, "data.unlabeled_frac",
            fmt::format("is {}, but the lists for CIFAR-10 are for 0.92 (4000 labels); name another list with "
                        "data.subset, or use 0 to label everything",
                        data.unlabeled_frac));
        check.require(!split || data.data_seed, "data.data_seed",
                      "is needed to choose the list spc.4000_split.SEED.txt in data.subset_path; published: 152");
    }
}

/// What synthetic images need, and what makes no sense without them.
void check_synthetic(const Data& data, const Checker& check)
{
    if (data.is_synthetic())
    {
        check.require(!data.file, "data.file",
                      "is read by no synthetic data set; leave it out, or name another data.dataset");
        check.at_least<std::int64_t>("data.num_classes", data.num_classes, 2, "CIFAR-10 has 10, ImageNet 1000");
        check.at_least("data.synthetic_train", data.synthetic_train, data.num_classes, "an image of each class");
        check.at_least<std::int64_t>("data.synthetic_validation", data.synthetic_validation, 1, "CIFAR-10 has 10000");
        check.at_least<std::int64_t>("data.synthetic_height", data.synthetic_height, 1, "usual: data.crop_size");
        check.at_least<std::int64_t>("data.synthetic_width", data.synthetic_width, 1, "usual: data.crop_size");
        return;
    }
    const auto belongs = [&](const char* key, bool is_left_out)
    {
        check.require(is_left_out, key,
                      "is for data.dataset: synthetic, but that is " + word_from_enum(data.dataset) + "; leave it out");
    };
    belongs("data.synthetic_train", data.synthetic_train == 0);
    belongs("data.synthetic_validation", data.synthetic_validation == 0);
    belongs("data.synthetic_height", data.synthetic_height == 0);
    belongs("data.synthetic_width", data.synthetic_width == 0);
    belongs("data.reuse_views", !data.reuse_views);
}

void check_sources(const Data& data, const Checker& check)
{
    check.require(!data.file || !data.file->empty(), "data.file", "is empty; name a file, or leave the key out");
    check.require(data.file || data.dataset != Dataset::hdf5, "data.file",
                  "is needed for data.dataset: hdf5; name the packed file that paws_hpc pack wrote");
    check.require(data.file || data.is_synthetic() || !data.root_path.empty() || !data.image_folder.empty(),
                  "data.root_path",
                  "nothing says where the images are; give data.root_path and data.image_folder, or data.file");
    check.require(!data.train_split.empty(), "data.train_split", "is empty; usual: train");
    check.require(!data.validation_split.empty(), "data.validation_split", "is empty; usual: val");
    check.at_least<std::int64_t>("data.num_classes", data.num_classes, 0, "0 means as many as the data have");
    check.at_least<std::int64_t>("data.evaluation_batch_size", data.evaluation_batch_size, 1, "usual: 256");
    check.at_least("data.cache_gb", data.cache_gb.value_or(0), 0., "0 keeps no images in memory");
    check.at_least<std::int64_t>("data.prefetch_batches", data.prefetch_batches, 0, "0 chooses by memory");
    check.at_least<std::int64_t>("data.workers", data.workers, 0, "0 chooses by cores");
    check.require(data.workers <= most_workers, "data.workers",
                  fmt::format("must be at most {}, is {}; 0 chooses by cores", most_workers, data.workers));
    check.require(!data.scratch || !data.scratch->empty(), "data.scratch",
                  "is empty; name a folder on the node's own disk, or leave the key out");
}

void check_augmentation(const Data& data, const Checker& check)
{
    check.require(data.std[0] > 0 && data.std[1] > 0 && data.std[2] > 0, "data.std",
                  "must be greater than 0 for all three colours; 1 leaves a colour as it is");
    check.at_least<std::int64_t>("data.crop_size", data.crop_size, 1, "published: 32, 224");
    check.at_least<std::int64_t>("data.eval_crop_size", data.eval_crop_size, 1, "usual: data.crop_size");
    check.require(
        data.eval_resize >= data.eval_crop_size, "data.eval_resize",
        fmt::format("must be at least data.eval_crop_size ({}), is {}", data.eval_crop_size, data.eval_resize));
    check.scale("data.crop_scale", data.crop_scale);
    check.at_least<std::int64_t>("data.multicrop", data.multicrop, 0, "published: 6; 0 means none");
    check.at_least<std::int64_t>("data.small_crop_size", data.small_crop_size, 1, "published: 18, 96");
    check.scale("data.small_crop_scale", data.small_crop_scale);
    check.require(data.color_jitter_strength >= 0 && data.color_jitter_strength <= 2.5, "data.color_jitter_strength",
                  fmt::format("must be between 0 and 2.5 (a hue shift of half a turn), is {}; published: 0.5, 1.0",
                              data.color_jitter_strength));
    check.probability("data.flip_probability", data.flip_probability);
    check.probability("data.jitter_probability", data.jitter_probability);
    check.probability("data.solarise_probability", data.solarise_probability);
    check.probability("data.equalise_probability", data.equalise_probability);
    check.probability("data.grey_probability", data.grey_probability);
    check.probability("data.blur_probability", data.blur_probability);
}

void check_optimization(const Optimization& optimization, const Document& document, const Checker& check)
{
    const auto& o = optimization;
    check.at_least<std::int64_t>("optimization.epochs", o.epochs, 1, "published: 100 to 600");
    check.at_least<std::int64_t>("optimization.batch_size", o.batch_size, 1, "published: 256");
    check.at_least<std::int64_t>("optimization.warmup", o.warmup, 0, "published: 10; 0 starts with lr at once");
    check.require(o.warmup <= o.epochs, "optimization.warmup",
                  fmt::format("is {} epochs, longer than the run ({}); lower it", o.warmup, o.epochs));
    check.require(o.warmup == 0 || document.has("optimization.start_lr"), "optimization.start_lr",
                  fmt::format("missing; warm-up over {} needs the rate it starts with", io::plural(o.warmup, "epoch")));
    check.at_least("optimization.lr", o.lr, 0., "published: 3.2, 6.4");
    check.at_least("optimization.start_lr", o.start_lr, 0., "published: 0.8, 0.3");
    check.at_least("optimization.final_lr", o.final_lr, 0., "published: a hundredth of lr");
    check.require(o.momentum >= 0 && o.momentum < 1, "optimization.momentum",
                  fmt::format("must be at least 0 and less than 1, is {}; published: 0.9", o.momentum));
    check.require(!o.nesterov || o.momentum > 0, "optimization.nesterov",
                  "needs optimization.momentum greater than 0; set it to false");
    check.at_least("optimization.weight_decay", o.weight_decay, 0., "published: 1.0e-06");
    check.positive("optimization.trust_coefficient", o.trust_coefficient, "published: 0.001");
}

void check_logging(const Logging& logging, const Checker& check)
{
    check.require(!logging.folder.empty(), "logging.folder", "is empty; use . for the current folder");
    check.require(!logging.write_tag.empty() && logging.write_tag.find('/') == std::string::npos, "logging.write_tag",
                  fmt::format("is the beginning of file names, without '/', but is '{}'", logging.write_tag));
    check.require(!logging.pretrain_path || !logging.pretrain_path->empty(), "logging.pretrain_path",
                  "is empty; name a checkpoint");
    check.at_least<std::int64_t>("logging.log_every", logging.log_every, 1, "usual: 10");
    check.at_least<std::int64_t>("logging.eval_every", logging.eval_every, 0, "0 means never");
    check.at_least<std::int64_t>("logging.checkpoint_every", logging.checkpoint_every, 1, "usual: 50");
    check.at_least("logging.checkpoint_minutes", logging.checkpoint_minutes, 0., "0: only at the ends of epochs");
    check.at_least<std::int64_t>("logging.keep_last", logging.keep_last, 1, "usual: 2");
}

void check_embed(const Embed& embed, const Checker& check)
{
    const std::set<Embedding> different(embed.outputs.begin(), embed.outputs.end());
    check.require(different.size() == embed.outputs.size(), "embed.outputs", "names an output twice; remove one");
    check.require(embed.compression >= 0 && embed.compression <= 9, "embed.compression",
                  fmt::format("must be between 0 (none) and 9, is {}; usual: 4", embed.compression));
    check.at_least<std::int64_t>("embed.chunk_rows", embed.chunk_rows, 0, "0 chooses by the size of a row");
    check.require(!embed.split || !embed.split->empty(), "embed.split", "is empty; usual: val, train");
    check.require(!embed.file || !embed.file->empty(), "embed.file", "is empty; name a file, or leave the key out");
}
}  // namespace

bool is_required(const std::string& key, Task task)
{
    return std::any_of(requirements.begin(), requirements.end(),
                       [&](const Requirement& requirement)
                       { return requirement.key == key && requirement.tasks.contains(task); });
}

void check_required(const Document& document, Task task)
{
    for (const Requirement& requirement : requirements)
    {
        const Entry* entry = document.find(requirement.key);
        if (requirement.tasks.contains(task) && (!entry || entry->value.IsNull()))
        {
            fail(document.where(requirement.key), requirement.key,
                 fmt::format("missing; {} needs it: {}{}", word_from_enum(task), requirement.hint,
                             hint_of_other_task(document, task)));
        }
    }
}

void check_values(const Config& config, const Document& document)
{
    const Checker check(document, config.task);
    check_meta(config.meta, config.task, check);
    check_sources(config.data, check);
    check_synthetic(config.data, check);
    if (config.task != Task::embed || config.embed.probabilities)
    {
        check_labels(config.data, document, check);
    }
    check_augmentation(config.data, check);
    check_criterion(config.criterion, config.data, check);
    check_optimization(config.optimization, document, check);
    check_logging(config.logging, check);
    check_embed(config.embed, check);
}
}  // namespace paws::config

#pragma once

// The table of keys: which there are, which member each one sets, and the tasks in which it has a meaning.

#include <array>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

#include "src/config/config.hpp"

namespace paws::config
{
class TaskSet
{
public:
    constexpr TaskSet(std::initializer_list<Task> tasks)
    {
        for (const Task task : tasks)
        {
            bits_ |= bit(task);
        }
    }
    constexpr bool contains(Task task) const { return (bits_ & bit(task)) != 0; }

private:
    static constexpr std::uint32_t bit(Task task) { return 1U << static_cast<unsigned>(task); }
    std::uint32_t bits_ = 0;
};

inline constexpr TaskSet paws_only{Task::paws_train};
inline constexpr TaskSet suncet_only{Task::suncet_train};
inline constexpr TaskSet snn_fine_tune_only{Task::snn_fine_tune};
inline constexpr TaskSet fine_tune_only{Task::fine_tune};
inline constexpr TaskSet embed_only{Task::embed};
inline constexpr TaskSet pre_training{Task::paws_train, Task::suncet_train};
inline constexpr TaskSet fine_tuning{Task::snn_fine_tune, Task::fine_tune};
inline constexpr TaskSet with_supports{Task::paws_train, Task::suncet_train, Task::snn_fine_tune};
inline constexpr TaskSet all_training{Task::paws_train, Task::suncet_train, Task::snn_fine_tune, Task::fine_tune};
inline constexpr TaskSet without_classifier{Task::paws_train, Task::suncet_train, Task::snn_fine_tune, Task::snn_eval,
                                            Task::embed};
inline constexpr TaskSet from_checkpoint{Task::snn_fine_tune, Task::fine_tune, Task::snn_eval, Task::embed};
inline constexpr TaskSet every_task{Task::paws_train, Task::suncet_train, Task::snn_fine_tune,
                                    Task::fine_tune,  Task::snn_eval,     Task::embed};

/// Whether `name` is one of meta, criterion, data, optimization, logging, embed.
bool is_section(const std::string& name);

/// Calls visit(key, member, tasks) for every key but `task`, section after section.
/// `AnyConfig` is Config or const Config.
template <typename AnyConfig, typename Visitor>
void for_each_key(AnyConfig& config, Visitor&& visit)
{
    auto& meta = config.meta;
    visit("meta.model_name", meta.model_name, every_task);
    visit("meta.output_dim", meta.output_dim, without_classifier);
    visit("meta.use_pred_head", meta.use_pred_head, without_classifier);
    visit("meta.load_checkpoint", meta.load_checkpoint, all_training);
    visit("meta.read_checkpoint", meta.read_checkpoint, pre_training);
    visit("meta.init_backbone", meta.init_backbone, pre_training);
    visit("meta.training", meta.training, fine_tune_only);
    visit("meta.device", meta.device, every_task);
    visit("meta.use_fp16", meta.use_fp16, every_task);
    visit("meta.precision", meta.precision, every_task);
    visit("meta.convolution", meta.convolution, every_task);
    visit("meta.tf32", meta.tf32, every_task);
    visit("meta.comm_timeout", meta.comm_timeout, every_task);
    visit("meta.seed", meta.seed, every_task);
    visit("meta.threads", meta.threads, every_task);
    visit("meta.deterministic", meta.deterministic, every_task);
    visit("meta.emulate_world", meta.emulate_world, all_training);
    visit("meta.bucket_mb", meta.bucket_mb, all_training);
    visit("meta.reduce_precision", meta.reduce_precision, all_training);
    visit("meta.cuda_graph", meta.cuda_graph, all_training);

    auto& criterion = config.criterion;
    visit("criterion.classes_per_batch", criterion.classes_per_batch, with_supports);
    visit("criterion.supervised_imgs_per_class", criterion.supervised_imgs_per_class, pre_training);
    visit("criterion.supervised_batch_size", criterion.supervised_batch_size, snn_fine_tune_only);
    visit("criterion.supervised_views", criterion.supervised_views, with_supports);
    visit("criterion.unsupervised_batch_size", criterion.unsupervised_batch_size, pre_training);
    visit("criterion.supervised_epochs", criterion.supervised_epochs, suncet_only);
    visit("criterion.temperature", criterion.temperature, with_supports);
    visit("criterion.sharpen", criterion.sharpen, paws_only);
    visit("criterion.me_max", criterion.me_max, paws_only);
    visit("criterion.similarity_memory_gb", criterion.similarity_memory_gb, pre_training);
    visit("criterion.snn_temperature", criterion.snn_temperature, without_classifier);
    visit("criterion.embedding", criterion.embedding, without_classifier);

    auto& data = config.data;
    visit("data.dataset", data.dataset, every_task);
    visit("data.file", data.file, every_task);
    visit("data.root_path", data.root_path, every_task);
    visit("data.image_folder", data.image_folder, every_task);
    visit("data.train_split", data.train_split, every_task);
    visit("data.validation_split", data.validation_split, every_task);
    visit("data.num_classes", data.num_classes, every_task);
    visit("data.synthetic_train", data.synthetic_train, every_task);
    visit("data.synthetic_validation", data.synthetic_validation, every_task);
    visit("data.synthetic_height", data.synthetic_height, every_task);
    visit("data.synthetic_width", data.synthetic_width, every_task);
    visit("data.reuse_views", data.reuse_views, all_training);
    visit("data.subset", data.subset, every_task);
    visit("data.subset_path", data.subset_path, every_task);
    visit("data.unlabeled_frac", data.unlabeled_frac, every_task);
    visit("data.data_seed", data.data_seed, every_task);
    visit("data.unlabelled_count", data.unlabelled_count, pre_training);
    visit("data.unique_classes_per_rank", data.unique_classes_per_rank, with_supports);
    visit("data.label_smoothing", data.label_smoothing, with_supports);
    visit("data.evaluation_batch_size", data.evaluation_batch_size, every_task);
    visit("data.cache_gb", data.cache_gb, every_task);
    visit("data.prefetch_batches", data.prefetch_batches, every_task);
    visit("data.workers", data.workers, every_task);
    visit("data.skip_broken", data.skip_broken, every_task);
    visit("data.reduced_decoding", data.reduced_decoding, every_task);
    visit("data.augment_on", data.augment_on, every_task);
    visit("data.copy_data", data.copy_data, every_task);
    visit("data.scratch", data.scratch, every_task);
    visit("data.normalize", data.normalize, every_task);
    visit("data.mean", data.mean, every_task);
    visit("data.std", data.std, every_task);
    visit("data.crop_size", data.crop_size, every_task);
    visit("data.eval_crop_size", data.eval_crop_size, every_task);
    visit("data.eval_resize", data.eval_resize, every_task);
    visit("data.random_crop", data.random_crop, fine_tuning);
    visit("data.crop_scale", data.crop_scale, all_training);
    visit("data.multicrop", data.multicrop, paws_only);
    visit("data.small_crop_size", data.small_crop_size, paws_only);
    visit("data.small_crop_scale", data.small_crop_scale, paws_only);
    visit("data.flip_probability", data.flip_probability, all_training);
    visit("data.jitter_probability", data.jitter_probability, all_training);
    visit("data.color_jitter_strength", data.color_jitter_strength, all_training);
    visit("data.solarise_probability", data.solarise_probability, all_training);
    visit("data.equalise_probability", data.equalise_probability, all_training);
    visit("data.grey_probability", data.grey_probability, all_training);
    visit("data.blur_probability", data.blur_probability, all_training);

    auto& optimization = config.optimization;
    visit("optimization.epochs", optimization.epochs, all_training);
    visit("optimization.batch_size", optimization.batch_size, fine_tune_only);
    visit("optimization.start_lr", optimization.start_lr, all_training);
    visit("optimization.lr", optimization.lr, all_training);
    visit("optimization.final_lr", optimization.final_lr, all_training);
    visit("optimization.warmup", optimization.warmup, all_training);
    visit("optimization.momentum", optimization.momentum, all_training);
    visit("optimization.nesterov", optimization.nesterov, all_training);
    visit("optimization.weight_decay", optimization.weight_decay, all_training);
    visit("optimization.use_lars", optimization.use_lars, all_training);
    visit("optimization.trust_coefficient", optimization.trust_coefficient, all_training);
    visit("optimization.zero_init", optimization.zero_init, fine_tune_only);

    auto& logging = config.logging;
    visit("logging.folder", logging.folder, every_task);
    visit("logging.write_tag", logging.write_tag, every_task);
    visit("logging.pretrain_path", logging.pretrain_path, from_checkpoint);
    visit("logging.log_every", logging.log_every, all_training);
    visit("logging.eval_every", logging.eval_every, all_training);
    visit("logging.checkpoint_every", logging.checkpoint_every, pre_training);
    visit("logging.checkpoint_minutes", logging.checkpoint_minutes, all_training);
    visit("logging.keep_last", logging.keep_last, all_training);
    visit("logging.jsonl", logging.jsonl, all_training);
    visit("logging.tensorboard", logging.tensorboard, all_training);
    visit("logging.timings", logging.timings, all_training);
    visit("logging.all_ranks", logging.all_ranks, all_training);

    auto& embed = config.embed;
    visit("embed.outputs", embed.outputs, embed_only);
    visit("embed.half", embed.half, embed_only);
    visit("embed.compression", embed.compression, embed_only);
    visit("embed.chunk_rows", embed.chunk_rows, embed_only);
    visit("embed.probabilities", embed.probabilities, embed_only);
    visit("embed.split", embed.split, embed_only);
    visit("embed.file", embed.file, embed_only);
}

/// A key that published files have and that needs no setting here.
struct InertKey
{
    const char* key;
    const char* reason;
};

inline constexpr std::array inert_keys{
    InertKey{"meta.master_port", "ranks find each other through MPI"},
};

/// A key of the published files that has another place here.
struct MovedKey
{
    const char* published;
    const char* key;
};

inline constexpr std::array moved_keys{MovedKey{"meta.copy_data", "data.copy_data"}};

/// Every key that may be written, `task`, the inert and the moved ones included.
std::vector<std::string> all_keys();

/// Where a key stands here: itself, or the place of a moved one.
std::string moved_key(const std::string& key);

/// Whether `key` has a meaning for `task`.
bool applies(const std::string& key, Task task);
}  // namespace paws::config

#pragma once

// The table of keys: which there are, which member each one sets, the tasks in which it has a meaning, and what the
// configuration reference says of it.

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "src/config/task_traits.hpp"

namespace paws::config
{
// Tasks with keys of their own; what several tasks have in common is in task_traits.hpp.
inline constexpr TaskSet paws_only{Task::paws_train};
inline constexpr TaskSet suncet_only{Task::suncet_train};
inline constexpr TaskSet snn_fine_tune_only{Task::snn_fine_tune};
inline constexpr TaskSet fine_tune_only{Task::fine_tune};
inline constexpr TaskSet embed_only{Task::embed};

/// Whether `name` is one of meta, criterion, data, optimization, logging, embed.
bool is_section(const std::string& name);

/// What the configuration reference says of a key, in Markdown.
struct About
{
    const char* meaning;
    const char* unit = "";
    const char* default_value = "";  ///< where it depends on task, data set or other keys; else the member's own
};

/// Calls visit(key, member, tasks, about) for every key but `task`, section after section.
/// `AnyConfig` is Config or const Config.
template <typename AnyConfig, typename Visitor>
void for_each_key(AnyConfig& config, Visitor&& visit)
{
    auto& meta = config.meta;
    visit("meta.model_name", meta.model_name, every_task, About{"the network: see [Networks](methods.md#networks)"});
    visit("meta.output_dim", meta.output_dim, without_classifier,
          About{"outputs of the projection head; 0 (`snn_eval`, `embed`): as in the checkpoint", "values"});
    visit("meta.use_pred_head", meta.use_pred_head, without_classifier,
          About{"a prediction head behind the projection head"});
    visit("meta.load_checkpoint", meta.load_checkpoint, all_training,
          About{"resume from `read_checkpoint`, or from the newest checkpoint of the run where that is null"});
    visit("meta.read_checkpoint", meta.read_checkpoint, pre_training,
          About{"the checkpoint to resume from, relative to `logging.folder`"});
    visit("meta.init_backbone", meta.init_backbone, pre_training,
          About{"checkpoint whose backbone a new run starts from, without its heads"});
    visit("meta.training", meta.training, fine_tune_only,
          About{"`false`: evaluate the classifier instead of training it"});
    visit("meta.device", meta.device, every_task,
          About{"`auto`, `cpu`, `cuda` (a GPU per rank), `cuda:N` (likewise, from number N on)"});
    visit("meta.use_fp16", meta.use_fp16, every_task,
          About{"mixed precision: fp16 on a GPU, bf16 on a CPU where that is faster"});
    visit("meta.precision", meta.precision, every_task, About{"of the arithmetic; `auto`: as `use_fp16` says"});
    visit("meta.convolution", meta.convolution, every_task,
          About{"how a CPU computes float32 convolutions: see [Precision](methods.md#precision)"});
    visit("meta.tf32", meta.tf32, every_task,
          About{"a GPU may round the factors of float32 products to TF32 (sm_80 and later)"});
    visit("meta.comm_timeout", meta.comm_timeout, every_task,
          About{"time without a sign of life after which a rank counts as lost; 1 or more", "seconds"});
    visit("meta.seed", meta.seed, every_task, About{"of weights, samplers and augmentation"});
    visit("meta.threads", meta.threads, every_task,
          About{"threads per rank; 0: as many as the rank may use", "threads"});
    visit("meta.deterministic", meta.deterministic, every_task, About{"algorithms that give the same bits every time"});
    visit("meta.emulate_world", meta.emulate_world, all_training,
          About{"compute what this many ranks would: see [Many ranks](ranks.md); 0: the ranks that were started",
                "ranks"});
    visit("meta.bucket_mb", meta.bucket_mb, all_training,
          About{"gradients are reduced over ranks in pieces of this size", "MiB"});
    visit("meta.reduce_precision", meta.reduce_precision, all_training,
          About{"of gradients between ranks: `auto` (unchanged), `bf16`, `fp16`"});
    visit("meta.cuda_graph", meta.cuda_graph, all_training,
          About{"capture a step on a GPU once as a CUDA graph and replay it"});

    auto& criterion = config.criterion;
    visit("criterion.classes_per_batch", criterion.classes_per_batch, with_supports,
          About{"classes in the support batch of a rank", "classes"});
    visit("criterion.supervised_imgs_per_class", criterion.supervised_imgs_per_class, pre_training,
          About{"labelled images of each class in the support batch of a rank", "images"});
    visit("criterion.supervised_batch_size", criterion.supervised_batch_size, snn_fine_tune_only,
          About{"labelled images of each class in the batch of a rank", "images"});
    visit("criterion.supervised_views", criterion.supervised_views, with_supports,
          About{"augmented views of each labelled image", "views"});
    visit("criterion.unsupervised_batch_size", criterion.unsupervised_batch_size, pre_training,
          About{"unlabelled images in the batch of a rank", "images"});
    visit("criterion.supervised_epochs", criterion.supervised_epochs, suncet_only,
          About{"epochs that add the supervised loss, from the first on", "epochs"});
    visit("criterion.temperature", criterion.temperature, with_supports, About{"τ: temperature of the similarities"});
    visit("criterion.sharpen", criterion.sharpen, paws_only,
          About{"T: targets are sharpened with the exponent 1/T; 1: not at all"});
    visit("criterion.me_max", criterion.me_max, paws_only, About{"use the me-max term of the loss"});
    visit("criterion.similarity_memory_gb", criterion.similarity_memory_gb, pre_training,
          About{"memory for the similarities of views and supports; beyond it they are computed in blocks", "GiB"});
    visit("criterion.snn_temperature", criterion.snn_temperature, without_classifier,
          About{"temperature of soft nearest neighbours in evaluation"});
    visit("criterion.embedding", criterion.embedding, without_classifier,
          About{"output of the network that evaluation compares"});

    auto& data = config.data;
    visit("data.dataset", data.dataset, every_task,
          About{"the data set, whose defaults apply; the `_fine_tune` names mean the same images"});
    visit("data.file", data.file, every_task,
          About{"packed data set (`paws_hpc pack`), read instead of the folders below", "",
                "null; required for `dataset: hdf5`"});
    visit("data.root_path", data.root_path, every_task,
          About{"folder of the data sets", "", "required without `file`"});
    visit("data.image_folder", data.image_folder, every_task, About{"folder of the images, relative to `root_path`"});
    visit("data.train_split", data.train_split, every_task, About{"name of the split to train on"});
    visit("data.validation_split", data.validation_split, every_task, About{"name of the split to evaluate on"});
    visit("data.num_classes", data.num_classes, every_task,
          About{"number of classes that the data must have; 0: any", "classes",
                "CIFAR-10: 10; ImageNet: 1000; otherwise 0"});
    visit("data.synthetic_train", data.synthetic_train, every_task,
          About{"synthetic training images", "images", "as CIFAR-10 or ImageNet has"});
    visit("data.synthetic_validation", data.synthetic_validation, every_task,
          About{"synthetic validation images", "images", "as CIFAR-10 or ImageNet has"});
    visit("data.synthetic_height", data.synthetic_height, every_task,
          About{"height of a synthetic image", "pixels", "from `crop_size`"});
    visit("data.synthetic_width", data.synthetic_width, every_task,
          About{"width of a synthetic image", "pixels", "from `crop_size`"});
    visit("data.reuse_views", data.reuse_views, all_training,
          About{"synthetic images: make the views once per epoch, to time training without augmentation"});
    visit("data.subset", data.subset, every_task,
          About{"list of the labelled images; takes precedence over `subset_path` and `unlabeled_frac`"});
    visit("data.subset_path", data.subset_path, every_task, About{"folder of the published lists of labelled images"});
    visit("data.unlabeled_frac", data.unlabeled_frac, every_task,
          About{"share of images without a label; chooses the published list. 0: all are labelled; -1: ImageNet's "
                "`val.txt`",
                "", "required without `subset`"});
    visit("data.data_seed", data.data_seed, every_task, About{"SEED of the published list `spc.4000_split.SEED.txt`"});
    visit("data.unlabelled_count", data.unlabelled_count, pre_training,
          About{"train on this many images, drawn with `meta.seed`; 0: on all", "images"});
    visit("data.unique_classes_per_rank", data.unique_classes_per_rank, with_supports,
          About{"each rank has different classes in its support batch"});
    visit("data.label_smoothing", data.label_smoothing, with_supports,
          About{"smoothing of the support labels, at least 0 and less than 1"});
    visit("data.evaluation_batch_size", data.evaluation_batch_size, every_task,
          About{"images that a rank evaluates at a time", "images"});
    visit("data.cache_gb", data.cache_gb, every_task,
          About{"memory of a rank for undecoded images; 0: none", "GiB", "half of what the rank may use"});
    visit("data.prefetch_batches", data.prefetch_batches, every_task,
          About{"batches made ahead of the training step; 0: up to four, as memory allows", "batches"});
    visit("data.workers", data.workers, every_task,
          About{"threads of a rank that decode and augment; 0: by its cores", "threads"});
    visit("data.skip_broken", data.skip_broken, every_task,
          About{"replace an image that cannot be decoded by another of its class"});
    visit("data.reduced_decoding", data.reduced_decoding, every_task,
          About{"decode large JPEGs at 1/2, 1/4 or 1/8 of their size where all views allow it"});
    visit("data.augment_on", data.augment_on, every_task,
          About{"where views are made: `host` (threads of the rank), `device` (the GPU), `auto`"});
    visit("data.copy_data", data.copy_data, every_task, About{"copy the packed file to the node's own disk first"});
    visit("data.scratch", data.scratch, every_task,
          About{"folder for `copy_data`", "", "`$SLURM_TMPDIR`, else `$TMPDIR`"});
    visit("data.normalize", data.normalize, every_task, About{"subtract `mean` and divide by `std`"});
    visit("data.mean", data.mean, every_task,
          About{"mean of red, green and blue, of colours from 0 to 1", "", "of the data set"});
    visit("data.std", data.std, every_task, About{"standard deviation of red, green and blue", "", "of the data set"});
    visit("data.crop_size", data.crop_size, every_task,
          About{"side of a large view", "pixels", "small images: 32; photographs: 224"});
    visit("data.eval_crop_size", data.eval_crop_size, every_task,
          About{"evaluation: side of the centre crop", "pixels", "`crop_size`"});
    visit("data.eval_resize", data.eval_resize, every_task,
          About{"evaluation: shorter side of the image before the crop", "pixels",
                "small images: `eval_crop_size`; photographs: 256/224 of it"});
    visit("data.random_crop", data.random_crop, fine_tuning,
          About{"crop at random; `false`: the largest square in the centre", "",
                "small images: false; photographs: true"});
    visit("data.crop_scale", data.crop_scale, all_training,
          About{"least and most of an image's area that a large view shows", "",
                "small images: [0.5, 1.0], with `multicrop` [0.75, 1.0]; photographs: [0.08, 1.0], with `multicrop` "
                "[0.14, 1.0]"});
    visit("data.multicrop", data.multicrop, paws_only, About{"small views per image; 0: none", "views"});
    visit("data.small_crop_size", data.small_crop_size, paws_only,
          About{"side of a small view", "pixels", "small images: 18; photographs: 96"});
    visit("data.small_crop_scale", data.small_crop_scale, paws_only,
          About{"least and most of an image's area that a small view shows", "",
                "small images: [0.3, 0.75]; photographs: [0.05, 0.14]"});
    visit("data.flip_probability", data.flip_probability, all_training,
          About{"mirror left and right", "probability", "0.5"});
    visit("data.jitter_probability", data.jitter_probability, all_training,
          About{"change brightness, contrast, saturation and hue", "probability", "pre-training: 0.8; otherwise 0.0"});
    visit("data.color_jitter_strength", data.color_jitter_strength, all_training,
          About{"s, from 0 to 2.5: brightness, contrast, saturation by 0.8 s, hue by 0.2 s", "",
                "pre-training on small images: 0.5; on photographs: 1.0; otherwise 0.0"});
    visit("data.solarise_probability", data.solarise_probability, all_training,
          About{"invert bright pixels", "probability", "pre-training on small images: 0.2; otherwise 0.0"});
    visit("data.equalise_probability", data.equalise_probability, all_training,
          About{"equalise the histogram", "probability", "pre-training on small images: 0.2; otherwise 0.0"});
    visit("data.grey_probability", data.grey_probability, all_training,
          About{"turn grey", "probability", "pre-training on photographs: 0.2; otherwise 0.0"});
    visit("data.blur_probability", data.blur_probability, all_training,
          About{"blur", "probability", "pre-training on photographs: 0.5; otherwise 0.0"});

    auto& optimization = config.optimization;
    visit("optimization.epochs", optimization.epochs, all_training, About{"length of the run", "epochs"});
    visit("optimization.batch_size", optimization.batch_size, fine_tune_only,
          About{"images in the batch of a rank", "images"});
    visit("optimization.start_lr", optimization.start_lr, all_training,
          About{"learning rate at the start of the warm-up", "", "required with `warmup`; otherwise `lr`"});
    visit("optimization.lr", optimization.lr, all_training, About{"learning rate after the warm-up"});
    visit("optimization.final_lr", optimization.final_lr, all_training, About{"learning rate at the end"});
    visit("optimization.warmup", optimization.warmup, all_training,
          About{"epochs in which the learning rate rises from `start_lr` to `lr`", "epochs"});
    visit("optimization.momentum", optimization.momentum, all_training,
          About{"momentum of SGD, at least 0 and less than 1"});
    visit("optimization.nesterov", optimization.nesterov, all_training,
          About{"Nesterov momentum", "", "`fine_tune`: true; otherwise false"});
    visit("optimization.weight_decay", optimization.weight_decay, all_training,
          About{"weight decay, except of biases and batch norms", "", "pre-training: 1e-6; otherwise 0.0"});
    visit("optimization.use_lars", optimization.use_lars, all_training,
          About{"LARS: adapt the learning rate of each weight tensor", "", "`fine_tune`: false; otherwise true"});
    visit("optimization.trust_coefficient", optimization.trust_coefficient, all_training,
          About{"trust coefficient of LARS"});
    visit("optimization.zero_init", optimization.zero_init, fine_tune_only,
          About{"start the classifier's last layer at zero"});

    auto& logging = config.logging;
    visit("logging.folder", logging.folder, every_task, About{"folder for logs and checkpoints"});
    visit("logging.write_tag", logging.write_tag, every_task,
          About{"TAG, the start of the names of all files that the run writes"});
    visit("logging.pretrain_path", logging.pretrain_path, from_checkpoint,
          About{"the checkpoint to start from or to evaluate, relative to `folder`", "", "`TAG-latest.h5`"});
    visit("logging.log_every", logging.log_every, all_training,
          About{"steps from one line of the logs to the next", "steps"});
    visit("logging.eval_every", logging.eval_every, all_training,
          About{"epochs from one evaluation to the next; 0: never", "epochs", "pre-training: 0; fine-tuning: 1"});
    visit("logging.checkpoint_every", logging.checkpoint_every, pre_training,
          About{"epochs from one kept checkpoint `TAG-epN` to the next; before the first, every tenth is kept",
                "epochs"});
    visit("logging.checkpoint_minutes", logging.checkpoint_minutes, all_training,
          About{"time between checkpoints within an epoch; 0: only at the ends of epochs", "minutes"});
    visit("logging.keep_last", logging.keep_last, all_training,
          About{"newest checkpoints to keep, besides the best one and `TAG-epN`", "checkpoints"});
    visit("logging.jsonl", logging.jsonl, all_training, About{"write `TAG_rR.jsonl`: see [Logs](logs.md)"});
    visit("logging.tensorboard", logging.tensorboard, all_training, About{"write event files for TensorBoard"});
    visit("logging.timings", logging.timings, all_training,
          About{"write `TAG-timings.json` and `.h5`: where the time of a step goes"});
    visit("logging.all_ranks", logging.all_ranks, all_training,
          About{"every rank writes the logs that otherwise rank 0 alone writes"});

    auto& embed = config.embed;
    visit("embed.outputs", embed.outputs, embed_only,
          About{"outputs of the network to write: `backbone`, `projection`, `prediction`", "",
                "`[criterion.embedding]`"});
    visit("embed.half", embed.half, embed_only, About{"write float16 instead of float32"});
    visit("embed.compression", embed.compression, embed_only, About{"deflate level from 1 to 9; 0: no compression"});
    visit("embed.chunk_rows", embed.chunk_rows, embed_only,
          About{"images per chunk of the file; 0: chosen by the size of a row", "images"});
    visit("embed.probabilities", embed.probabilities, embed_only,
          About{"also write class probabilities of soft nearest neighbours"});
    visit("embed.split", embed.split, embed_only, About{"the split to embed", "", "`data.validation_split`"});
    visit("embed.file", embed.file, embed_only,
          About{"file to write, relative to `logging.folder`", "", "`TAG-embeddings.h5`"});
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

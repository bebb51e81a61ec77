#pragma once

// The description of a run. `load` reads it from YAML, refuses what it does not understand, fills every default in
// and checks every value, so that the rest of the program reads plain members and needs no checks of its own.
//
// Member names are the keys of the YAML file, section by section; the ones of the published configuration files keep
// their published names and meanings. A key that has no meaning for the task keeps the initial value seen here; the
// defaults that depend on task or data set are in defaults.cpp, the table of keys in keys.hpp.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "io/ranks/bad_input.hpp"

namespace paws::config
{
/// Bad configuration. The message names place, key, problem and remedy in one line.
struct Error : ranks::BadInput
{
    using ranks::BadInput::BadInput;
};

enum class Task
{
    paws_train,
    suncet_train,
    snn_fine_tune,
    fine_tune,
    snn_eval,
    embed
};

enum class Precision
{
    automatic,  // as use_fp16 says: see resolve_precision
    fp32,
    bf16,
    fp16,
    fp64
};

/// How convolutions of float32 images are computed on a CPU.
enum class Convolution
{
    automatic,  // winograd where the processor has it
    direct,     // by LibTorch
    winograd    // 3×3 ones with stride 1 by Winograd's F(4×4, 3×3) where that is faster
};

/// What of the encoder stands for an image in evaluation and dumps.
enum class Embedding
{
    backbone,    // features before the projection head
    projection,  // h
    prediction   // z, as published; h without a prediction head
};

/// Where the images are and whose defaults apply. The `_fine_tune` names mean the same images.
enum class Dataset
{
    cifar10,
    cifar10_fine_tune,
    imagenet,
    imagenet_fine_tune,
    hdf5,      // a packed file, data.file
    folder,    // root_path/image_folder/{train,val}/CLASS/image, as ImageNet's is
    synthetic  // made in memory, all labelled: no file is read
};

/// Where the views of images are made.
enum class AugmentOn
{
    automatic,  // as the images and the GPU's memory allow
    host,       // by threads, beside the training step
    device      // where the network is, from images that lie there
};

std::string to_string(Task task);
std::string to_string(Precision precision);
std::string to_string(Convolution convolution);
std::string to_string(Dataset dataset);
std::string to_string(Embedding embedding);

/// Network, device and arithmetic.
struct Meta
{
    std::string model_name;
    std::int64_t output_dim = 0;  // of the projection head; 0 (snn_eval, embed): as in the checkpoint
    bool use_pred_head = false;
    bool load_checkpoint = false;  // resume from read_checkpoint, or from the latest checkpoint without one
    std::optional<std::string> read_checkpoint;
    std::optional<std::string>
        init_backbone;            // checkpoint whose backbone a new run starts from; its heads are left out
    bool training = true;         // fine_tune: false only evaluates
    std::string device = "auto";  // auto, cpu, cuda (a device per rank), cuda:N
    bool use_fp16 = false;
    Precision precision = Precision::automatic;  // anything but automatic overrules use_fp16
    Convolution convolution = Convolution::automatic;
    bool tf32 = true;          // float32 products and convolutions of GPUs may round to TF32
    double comm_timeout = 60;  // seconds without a sign of life after which a rank is given up
    std::int64_t seed = 0;
    std::int64_t threads = 0;  // per rank; 0: as many as the rank may use
    bool deterministic = false;
    std::int64_t emulate_world = 0;  // the mathematics of so many ranks, on fewer; 0: of those that there are
    double bucket_mb = 8;            // gradients are reduced over ranks in pieces of so many MiB
    Precision reduce_precision = Precision::automatic;  // of gradients on the way: as they are, or bf16, fp16
    bool cuda_graph = false;                            // a step's work on a GPU is captured once and then repeated

    bool operator==(const Meta&) const = default;
};

/// Batches (all per rank) and losses.
struct Criterion
{
    std::int64_t classes_per_batch = 0;
    std::int64_t supervised_imgs_per_class = 0;  // paws_train, suncet_train
    std::int64_t supervised_batch_size = 0;      // snn_fine_tune: images per class
    std::int64_t supervised_views = 1;
    std::int64_t unsupervised_batch_size = 0;
    std::int64_t supervised_epochs = 0;  // suncet_train: epochs with the supervised loss
    double temperature = 0.1;
    double sharpen = 0.25;  // sharpening exponent is 1 / sharpen
    bool me_max = true;
    double similarity_memory_gb = 1;  // of the loss: views × supports; beyond it, they are computed by blocks
    double snn_temperature = 0.1;     // of the evaluation
    Embedding embedding = Embedding::prediction;

    bool operator==(const Criterion&) const = default;
};

/// Images, labels and augmentation. Colours are in [0, 1] when mean and std apply.
struct Data
{
    Dataset dataset = Dataset::cifar10;
    std::optional<std::string> file;  // packed paws-dataset file; where given, it is read whatever `dataset` says
    std::string root_path;
    std::string image_folder;  // relative to root_path
    std::string train_split = "train";
    std::string validation_split = "val";
    std::int64_t num_classes = 0;  // 0: as many as the data have

    std::int64_t synthetic_train = 0;       // images, of data.num_classes classes
    std::int64_t synthetic_validation = 0;  // images
    std::int64_t synthetic_height = 0;      // of an image, in pixels
    std::int64_t synthetic_width = 0;
    bool reuse_views = false;  // the first step's views of an epoch serve all its steps

    std::optional<std::string> subset;       // list of the labelled images; overrules the three below
    std::optional<std::string> subset_path;  // folder of the published lists
    double unlabeled_frac = 0;
    std::optional<std::int64_t> data_seed;
    std::int64_t unlabelled_count = 0;  // first so many of a permutation drawn with meta.seed; 0: all
    bool unique_classes_per_rank = false;
    double label_smoothing = 0;
    std::int64_t evaluation_batch_size = 256;

    std::optional<double> cache_gb;     // memory of a rank for images; none: half of what it may use
    std::int64_t prefetch_batches = 0;  // batches in the making or ready; 0: up to four, as memory allows
    std::int64_t workers = 0;           // threads that decode and augment; 0: by the cores that the rank may use
    bool skip_broken = false;           // an image that cannot be decoded is replaced by another of its class
    bool reduced_decoding = true;       // JPEGs are decoded at 1/2, 1/4 or 1/8 where all their views allow it
    AugmentOn augment_on = AugmentOn::automatic;
    bool copy_data = false;              // the packed file is copied to the node's own disk first
    std::optional<std::string> scratch;  // where copy_data puts it; none: $SLURM_TMPDIR, $TMPDIR

    bool normalize = true;
    std::array<double, 3> mean{0, 0, 0};
    std::array<double, 3> std{1, 1, 1};
    std::int64_t crop_size = 0;       // side in pixels
    std::int64_t eval_crop_size = 0;  // evaluation: side of the centre crop
    std::int64_t eval_resize = 0;     // evaluation: shorter side before the centre crop
    bool random_crop = true;          // false: centre crop, in training too
    std::array<double, 2> crop_scale{1, 1};
    std::int64_t multicrop = 0;  // small crops per image
    std::int64_t small_crop_size = 0;
    std::array<double, 2> small_crop_scale{1, 1};
    double flip_probability = 0;
    double jitter_probability = 0;
    double color_jitter_strength = 0;  // s: brightness, contrast, saturation 0.8 s, hue 0.2 s
    double solarise_probability = 0;
    double equalise_probability = 0;
    double grey_probability = 0;
    double blur_probability = 0;

    bool is_cifar10() const { return dataset == Dataset::cifar10 || dataset == Dataset::cifar10_fine_tune; }
    bool is_imagenet() const { return dataset == Dataset::imagenet || dataset == Dataset::imagenet_fine_tune; }
    bool is_synthetic() const { return dataset == Dataset::synthetic; }

    /// The list of labelled images: `subset`, or the file of `subset_path` that unlabeled_frac and data_seed name.
    /// None: no list; each image keeps its label with probability 1 - unlabeled_frac. For ImageNet a published list
    /// that does not exist means the same.
    std::optional<std::string> labelled_list() const;

    /// ImageNet's list of validation images held out of the training split (fine_tune), if there is a subset_path.
    std::optional<std::string> held_out_list() const;

    bool operator==(const Data&) const = default;
};

/// SGD, LARS and the learning-rate schedule: linear from start_lr to lr in `warmup` epochs, then cosine to final_lr.
struct Optimization
{
    std::int64_t epochs = 0;
    std::int64_t batch_size = 256;  // fine_tune: images per rank
    double start_lr = 0;
    double lr = 0;
    double final_lr = 0;
    std::int64_t warmup = 0;
    double momentum = 0.9;
    bool nesterov = false;
    double weight_decay = 0;
    bool use_lars = true;
    double trust_coefficient = 0.001;
    bool zero_init = true;  // fine_tune: the last layer starts at zero

    bool operator==(const Optimization&) const = default;
};

/// Files and how often they are written. Checkpoint names are relative to `folder`.
struct Logging
{
    std::string folder;
    std::string write_tag = "paws";
    std::optional<std::string> pretrain_path;  // the checkpoint to start from or to evaluate
    std::int64_t log_every = 10;               // steps
    std::int64_t eval_every = 0;               // epochs; 0: never
    std::int64_t checkpoint_every = 50;        // epochs between TAG-epN files; before the first also every tenth
    double checkpoint_minutes = 30;            // between checkpoints within an epoch; 0: only at the ends of epochs
    std::int64_t keep_last = 2;                // newest checkpoints that stay besides the best and the TAG-epN files
    bool jsonl = false;                        // TAG_rR.jsonl: one JSON object a logged step
    bool tensorboard = false;                  // event files for TensorBoard
    bool timings = false;                      // TAG-timings.json and .h5: where the time of a step goes
    bool all_ranks = false;                    // what only the first rank writes, all ranks write for themselves

    /// Where a checkpoint named in the configuration lies: an absolute name stays, others are below `folder`.
    std::string path_of(const std::string& name) const;
    /// Whether TAG-epN is kept when `epoch` epochs (counted from 1) are done.
    bool keeps_epoch(std::int64_t epoch) const;

    bool operator==(const Logging&) const = default;
};

/// What the task embed writes.
struct Embed
{
    std::vector<Embedding> outputs;    // none: criterion.embedding alone
    bool half = false;                 // float16 in the file; else float32
    std::int64_t compression = 0;      // deflate level, 1 to 9; 0: none
    std::int64_t chunk_rows = 0;       // rows of a chunk; 0: chosen
    bool probabilities = false;        // soft nearest neighbours over the labelled images: class probabilities
    std::optional<std::string> split;  // none: data.validation_split
    std::optional<std::string> file;   // relative to logging.folder; none: TAG-embeddings.h5

    bool operator==(const Embed&) const = default;
};

struct Config
{
    Task task = Task::paws_train;
    Meta meta;
    Criterion criterion;
    Data data;
    Optimization optimization;
    Logging logging;
    Embed embed;

    /// What the reader should tell the user once, a line each: keys that were accepted but do nothing.
    std::vector<std::string> notices;

    /// The resolved configuration as YAML: every key that has a meaning for the task. Reading it gives an equal Config.
    std::string to_yaml() const;

    /// Equal settings; notices are no setting.
    bool operator==(const Config& other) const;
};

/// Reads `path`, applies `overrides` ("section.key=value" each, in order), decides on the task, fills the defaults in
/// and checks everything. `selected_task` is what --sel says, empty without it. Throws Error.
Config load(const std::string& path, const std::vector<std::string>& overrides = {},
            const std::string& selected_task = "");

/// The same for YAML text; `name` stands for the file in messages.
Config parse(const std::string& text, const std::string& name, const std::vector<std::string>& overrides = {},
             const std::string& selected_task = "");

/// The arithmetic that meta asks for on the device at hand: never automatic. use_fp16 means fp16 on CUDA, and bf16 on
/// a CPU where it is the faster one (else fp32).
Precision resolve_precision(const Meta& meta, bool on_cuda, bool bf16_is_faster);
}  // namespace paws::config

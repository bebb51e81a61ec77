#include "src/cli/published_evaluation.hpp"

#include <fmt/format.h>

#include <cmath>

#include "src/checkpoint/starting_network.hpp"
#include "src/config/enums.hpp"

namespace paws::cli
{
namespace
{
/// Of the published script, where an option is not given.
constexpr const char* default_root = "/datasets/";
constexpr const char* default_folder = "imagenet_full_size/061417/";
constexpr const char* default_dataset = "imagenet_fine_tune";
constexpr double default_unlabeled_frac = 0.9;
constexpr double default_split_seed = 152;
/// The only share of CIFAR-10 that there are published lists for.
constexpr double listed_share = 0.92;

bool names_images(const PublishedEvaluation& published)
{
    return published.dataset_name || published.root_path || published.image_folder || published.subset_path ||
           published.unlabeled_frac || published.split_seed;
}

bool says_images(const config::Data& data)
{
    return data.file || !data.root_path.empty() || !data.image_folder.empty() || data.is_synthetic();
}

/// "152" and "152.0" are the seed of the list spc.4000_split.152.txt.
std::int64_t seed_of(double number)
{
    if (number != std::floor(number) || number < 0 || number > 1e15)
    {
        throw config::Error(fmt::format("--split-seed: {} is not a whole number from 0; published: 152", number));
    }
    return static_cast<std::int64_t>(number);
}

/// The published preparation of images, and where they are.
config::Data published_data(const PublishedEvaluation& published, const config::Meta& meta,
                            std::vector<std::string>& notes)
{
    const auto name = published.dataset_name.value_or(default_dataset);
    const auto read = config::parse(fmt::format("{{task: snn_eval, meta: {{model_name: {}}}, data: {{dataset: {}, "
                                                "root_path: set below, unlabeled_frac: 0}}, logging: {{folder: .}}}}",
                                                meta.model_name, name),
                                    "--dataset-name");
    auto data = read.data;
    data.root_path = published.root_path.value_or(default_root);
    data.image_folder = published.image_folder.value_or(default_folder);
    // As many as the folder has: other classes than the published ones are none that are predicted.
    data.num_classes = 0;
    const auto share = published.unlabeled_frac.value_or(default_unlabeled_frac);
    if (!(share >= 0 && share <= 1) && share != -1)
    {
        throw config::Error(
            fmt::format("--unlabeled-frac: must be between 0 and 1, is {}; 0.9 leaves a tenth of the labels", share));
    }
    if (data.is_cifar10() && share != listed_share)
    {
        data.unlabeled_frac = 0;
        notes.push_back(fmt::format(
            "--unlabeled-frac {}: all training images of CIFAR-10 count as labelled, as in the published code, whose "
            "lists are for 0.92",
            share));
        return data;
    }
    data.unlabeled_frac = share;
    data.subset_path = published.subset_path.value_or(data.is_cifar10() ? "cifar10_subsets/" : "imagenet_subsets/");
    data.data_seed = seed_of(published.split_seed.value_or(default_split_seed));
    return data;
}

bool truth_of(const std::string& text)
{
    if (text == "True" || text == "true" || text == "1")
    {
        return true;
    }
    if (text == "False" || text == "false" || text == "0" || text.empty())
    {
        return false;
    }
    throw CLI::ValidationError("--normalize", fmt::format("{} is neither True nor False", text));
}
}  // namespace

void add_published_options(CLI::App& command, PublishedEvaluation& published)
{
    const auto group = std::string("Options of the published snn_eval.py");
    command
        .add_option("--pretrained", published.pretrained,
                    "Checkpoint; options that are not given then have the published defaults")
        ->group(group);
    command.add_flag("--use-pred", published.use_pred, "Compare the outputs of the prediction head (default: h)")
        ->group(group);
    command.add_option("--model-name", published.model_name, "Network (default: the checkpoint's)")->group(group);
    command.add_option("--dataset-name", published.dataset_name, "imagenet_fine_tune (default) or cifar10_fine_tune")
        ->check(CLI::IsMember({"imagenet_fine_tune", "cifar10_fine_tune"}))
        ->group(group);
    command
        .add_option("--root-path", published.root_path,
                    fmt::format("Folder of the data sets (default: {})", default_root))
        ->group(group);
    command
        .add_option("--image-folder", published.image_folder,
                    fmt::format("Folder of the images in it (default: {})", default_folder))
        ->group(group);
    command
        .add_option("--unlabeled-frac,--unlabeled_frac", published.unlabeled_frac,
                    "Share of the training images without a label (default: 0.9)")
        ->group(group);
    command
        .add_option("--subset-path", published.subset_path,
                    "Folder of the published lists (default: imagenet_subsets/, cifar10_subsets/)")
        ->group(group);
    command
        .add_option("--split-seed", published.split_seed,
                    "SEED of CIFAR-10's list spc.4000_split.SEED.txt (default: 152)")
        ->group(group);
    command
        .add_option_function<std::string>(
            "--normalize", [&published](const std::string& text) { published.normalize = truth_of(text); },
            "Whether colours are normalised: True (default) or False")
        ->type_name("BOOL")
        ->group(group);
    command.add_option("--device", published.device, "cpu, cuda, cuda:N (default: auto)")->group(group);
}

std::vector<std::string> apply_published(const PublishedEvaluation& published,
                                         const checkpoint::PretrainedEncoder& network, bool has_data,
                                         config::Config& config)
{
    const auto source = network.path.string();
    const auto& meta = network.config.meta;
    if (published.model_name && *published.model_name != meta.model_name)
    {
        throw config::Error(fmt::format("--model-name: {} is of a {}, not of a {}; leave the option out", source,
                                        meta.model_name, *published.model_name));
    }
    if (published.use_pred && !meta.use_pred_head)
    {
        throw config::Error(fmt::format("--use-pred: {} has no prediction head ({}); leave the option out", source,
                                        checkpoint::describe_network(network.config)));
    }
    std::vector<std::string> notes;
    const bool is_published = !published.pretrained.empty();
    if (names_images(published) || (is_published && !says_images(config.data) && !has_data))
    {
        config.data = published_data(published, meta, notes);
    }
    if (published.normalize)
    {
        config.data.normalize = *published.normalize;
    }
    if (published.device)
    {
        config.meta.device = *published.device;
    }
    if (is_published || published.use_pred)
    {
        config.criterion.embedding = published.use_pred ? config::Embedding::prediction : config::Embedding::projection;
    }
    return notes;
}
}  // namespace paws::cli

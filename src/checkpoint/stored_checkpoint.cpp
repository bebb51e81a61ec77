#include "src/checkpoint/stored_checkpoint.hpp"

#include <fmt/format.h>

#include <array>
#include <string_view>

#include "io/files/other_file.hpp"
#include "io/torch/published_checkpoint.hpp"
#include "io/torch/torch_file.hpp"
#include "src/checkpoint/network_of.hpp"
#include "src/optim/lars_sgd.hpp"

namespace paws::checkpoint
{
namespace
{
namespace fs = std::filesystem;

constexpr std::string_view our_ending = ".h5";
constexpr std::array<std::string_view, 3> pytorch_endings = {".pth.tar", ".pth", ".pt"};

std::string_view pytorch_ending(const std::string& name)
{
    for (const auto ending : pytorch_endings)
    {
        if (name.ends_with(ending))
        {
            return ending;
        }
    }
    return {};
}

io::PublishedSettings published_settings(const std::string& yaml)
{
    if (yaml.empty())
    {
        return {};
    }
    const auto config = config::parse(yaml, "the configuration of the checkpoint");
    const auto& criterion = config.criterion;
    const auto& optimization = config.optimization;
    return {optimization.lr,
            optimization.momentum,
            optimization.weight_decay,
            optimization.nesterov,
            config.data.unlabeled_frac,
            criterion.supervised_imgs_per_class,
            criterion.unsupervised_batch_size,
            criterion.temperature};
}

io::PublishedRules published_rules()
{
    return {optim::excluded_from_adaptation, published_settings};
}
}  // namespace

bool is_named_like_pytorch(const fs::path& path)
{
    return !pytorch_ending(path.string()).empty();
}

fs::path existing_checkpoint(const fs::path& path)
{
    std::error_code error;
    if (fs::exists(path, error))
    {
        return path;
    }
    const std::string name = path.string();
    const std::string_view ending = name.ends_with(our_ending) ? our_ending : pytorch_ending(name);
    const std::string stem = name.substr(0, name.size() - ending.size());
    for (const auto other : {our_ending, pytorch_endings[0], pytorch_endings[1], pytorch_endings[2]})
    {
        if (const fs::path candidate = stem + std::string(other); !ending.empty() && fs::exists(candidate, error))
        {
            return candidate;
        }
    }
    return path;
}

StoredCheckpoint read_stored_checkpoint(const fs::path& path)
{
    StoredCheckpoint stored{existing_checkpoint(path), {}, {}};
    if (stored.path != path)
    {
        stored.notes.push_back(
            fmt::format("{}: is not there; {} is used instead", path.string(), stored.path.string()));
    }
    if (!io::is_torch_file(stored.path))
    {
        io::refuse_other_file(stored.path);
        stored.content = io::read_checkpoint(stored.path);
        return stored;
    }
    auto read = io::from_published(io::read_torch_file(stored.path), stored.path.string(), published_rules());
    stored.content = std::move(read.checkpoint);
    stored.notes.insert(stored.notes.end(), read.notes.begin(), read.notes.end());
    return stored;
}

void write_stored_checkpoint(const fs::path& path, const io::Checkpoint& checkpoint)
{
    if (is_named_like_pytorch(path))
    {
        io::write_torch_file(path, io::to_published(checkpoint, path.string(), published_rules()));
    }
    else
    {
        io::write_checkpoint(path, checkpoint);
    }
}

config::Config config_of(const StoredCheckpoint& stored)
{
    const auto source = stored.path.string();
    auto config = stored.content.config.empty() ? inferred_config(stored.content.encoder, source)
                                                : config::parse(stored.content.config, source);
    config.notices.insert(config.notices.begin(), stored.notes.begin(), stored.notes.end());
    return config;
}
}  // namespace paws::checkpoint

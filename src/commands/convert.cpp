#include "src/commands/convert.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>

#include "io/base/error.hpp"
#include "io/base/live_line.hpp"
#include "io/base/printable.hpp"
#include "io/base/quantity.hpp"
#include "io/base/seconds.hpp"
#include "io/checkpoint/finite.hpp"
#include "io/torch/torch_file.hpp"
#include "src/checkpoint/network_of.hpp"
#include "src/checkpoint/stored_checkpoint.hpp"
#include "src/config/config.hpp"
#include "src/logging/work_progress.hpp"

namespace paws::commands
{
namespace
{
bool is_known_ending(const std::filesystem::path& path)
{
    return path.extension() == ".h5" || checkpoint::is_named_like_pytorch(path);
}

/// Refuses what would only be a copy: it is more likely a mistake.
void require_other_kind(const ConvertRequest& request, const std::filesystem::path& input)
{
    if (!is_known_ending(request.output))
    {
        throw config::Error(
            fmt::format("{}: its ending does not say what to write; name it .h5, or .pth.tar, .pth or "
                        ".pt for PyTorch",
                        request.output.string()));
    }
    if (io::is_torch_file(input) == checkpoint::is_named_like_pytorch(request.output))
    {
        throw config::Error(fmt::format(
            "{} is {} already, as {} would be; copy it, or give OUT another ending", input.string(),
            io::is_torch_file(input) ? "a checkpoint of PyTorch" : "a file of paws_hpc", request.output.string()));
    }
}

void require_network(const config::Config& config, const checkpoint::Network& network, const std::string& source)
{
    const auto& meta = config.meta;
    const auto require = [&](bool equal, const char* key)
    {
        if (!equal)
        {
            throw config::Error(fmt::format("--config: {} is not that of the weights in {}, which are those of {}", key,
                                            source, checkpoint::in_words(network)));
        }
    };
    require(meta.model_name == network.model_name, "meta.model_name");
    require(network.output_dim == 0 || meta.output_dim == network.output_dim, "meta.output_dim");
    require(network.output_dim == 0 || meta.use_pred_head == network.use_pred_head, "meta.use_pred_head");
}
}  // namespace

Summary convert(const ConvertRequest& request, const std::vector<std::string>& overrides)
{
    const auto start = std::chrono::steady_clock::now();
    io::LiveLine line(STDOUT_FILENO);
    auto stored = checkpoint::read_stored_checkpoint(request.input);
    std::error_code unknown_size;
    logging::WorkDone work;
    work.verb = "converted";
    // What is written is as large as what is read, but for the settings.
    work.bytes = std::filesystem::file_size(stored.path, unknown_size);
    work.all_bytes = 2 * work.bytes;
    work.seconds = io::seconds_since(start);
    line.update([&] { return logging::format_work(work); });
    require_other_kind(request, stored.path);
    auto& checkpoint = stored.content;
    const auto network = checkpoint::network_of(checkpoint.encoder);
    if (request.config)
    {
        const auto config = config::load(*request.config, overrides);
        if (network)
        {
            require_network(config, *network, stored.path.string());
        }
        checkpoint.config = config.to_yaml();
    }
    else if (!overrides.empty())
    {
        throw config::Error("--set: changes the settings of --config, which is not given");
    }
    for (const auto* arrays : {&checkpoint.encoder, &checkpoint.momentum, &checkpoint.pytorch.tensors})
    {
        if (const auto what = io::say_not_finite(*arrays))
        {
            fmt::print(stderr, "note: {}: {}{}; it is converted, but neither evaluated nor trained on\n",
                       stored.path.string(), arrays == &checkpoint.momentum ? "in its momentum, " : "", *what);
        }
    }
    checkpoint::write_stored_checkpoint(request.output, checkpoint);
    line.close();
    for (const auto& note : stored.notes)
    {
        fmt::print("note: {}\n", io::printable(note));
    }
    fmt::print("{}: {}, epoch {}, {}, {} of momentum{}\n", io::printable(request.output.string()),
               network ? checkpoint::in_words(*network) : "an unknown network", checkpoint.progress.epoch,
               io::plural(checkpoint.encoder.size(), "weight"), checkpoint.momentum.size(),
               checkpoint.config.empty() ? "; without settings (--config keeps those of a YAML file with it)" : "");
    return {{"task", "convert"},
            {"checkpoint", stored.path.string()},
            {"model_name", network ? network->model_name : ""},
            {"output_dim", network ? network->output_dim : 0},
            {"use_pred_head", network && network->use_pred_head},
            {"epochs", checkpoint.progress.epoch},
            {"weights", checkpoint.encoder.size()},
            {"momentum", checkpoint.momentum.size()},
            {"has_config", !checkpoint.config.empty()},
            {"files", {request.output.string()}},
            {"seconds", io::seconds_since(start)}};
}
}  // namespace paws::commands

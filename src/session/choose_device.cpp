#include "src/session/choose_device.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <map>
#include <sstream>

#include "io/base/quantity.hpp"
#include "io/ranks/agreed.hpp"
#include "io/ranks/host_name.hpp"
#include "src/device/device.hpp"

namespace paws::session
{
namespace
{
using Ids = std::vector<std::string>;

/// N of "cuda:N", else 0.
std::size_t first_number(const std::string& setting)
{
    const auto colon = setting.find(':');
    if (colon == std::string::npos)
    {
        return 0;
    }
    std::size_t number = 0;
    const auto read = std::from_chars(setting.data() + colon + 1, setting.data() + setting.size(), number);
    return read.ec == std::errc() ? number : std::numeric_limits<std::size_t>::max();
}

[[noreturn]] void refuse(const std::string& setting, const std::string& problem)
{
    throw config::Error(fmt::format("meta.device: {}, but {}", setting, problem));
}

/// There are too few of them behind number `first`.
[[noreturn]] void refuse_too_few(const std::string& setting, const std::vector<VisibleGpus>& ranks,
                                 const VisibleGpus& rank, std::size_t first)
{
    const auto gpus = rank.ids.size();
    if (first >= gpus)
    {
        refuse(setting, fmt::format("a rank on {} sees {}, number{} 0{}; use cuda, which takes them from the first on",
                                    rank.host, io::plural(gpus, "GPU"), gpus == 1 ? "" : "s",
                                    gpus == 1 ? "" : fmt::format(" to {}", gpus - 1)));
    }
    const auto sharing =
        std::count_if(ranks.begin(), ranks.end(), [&](const VisibleGpus& other) { return other.ids == rank.ids; });
    const auto usable = gpus - first;
    refuse(setting,
           fmt::format("{} on {} see {}{}, and each needs one of its own; start as many ranks as GPUs (srun "
                       "--ntasks-per-node={}, mpirun --map-by ppr:{}:node), or compute on CPUs (--set meta.device=cpu)",
                       io::plural(sharing, "rank"), rank.host, io::plural(gpus, "GPU"),
                       first > 0 ? fmt::format(", {} of them from number {} on", usable, first) : "", usable, usable));
}

/// Of a rank, as text, a line for each GPU behind that of the host.
std::string encoded(const VisibleGpus& visible)
{
    return fmt::format("{}\n{}", visible.host, fmt::join(visible.ids, "\n"));
}

VisibleGpus decoded(const std::string& text)
{
    std::istringstream lines(text);
    VisibleGpus visible;
    std::getline(lines, visible.host);
    for (std::string id; std::getline(lines, id);)
    {
        visible.ids.push_back(id);
    }
    return visible;
}

/// A run on CPUs does not touch the GPUs.
VisibleGpus look_around(const config::Meta& meta)
{
    VisibleGpus visible{ranks::host_name(), {}};
    const int count = meta.device == "cpu" ? 0 : device::gpu_count();
    for (int index = 0; index < count; ++index)
    {
        visible.ids.push_back(device::gpu_id(index));
    }
    return visible;
}
}  // namespace

std::vector<torch::Device> choose_devices(const std::string& setting, const std::vector<VisibleGpus>& ranks)
{
    const auto sees_none = [](const VisibleGpus& rank) { return rank.ids.empty(); };
    const auto blind = std::find_if(ranks.begin(), ranks.end(), sees_none);
    const auto seeing = std::find_if_not(ranks.begin(), ranks.end(), sees_none);
    if (setting == "cpu" || (setting == "auto" && seeing == ranks.end()))
    {
        return std::vector<torch::Device>(ranks.size(), torch::kCPU);
    }
    if (seeing == ranks.end())
    {
        refuse(setting, fmt::format("{}; use --set meta.device=cpu (or auto), or a CUDA build on a GPU node",
                                    device::is_built_for_gpus() ? "LibTorch sees no GPU here"
                                                                : "this build of paws_hpc computes on CPUs"));
    }
    if (blind != ranks.end())
    {
        refuse(setting,
               fmt::format("rank {} on {} sees no GPU, and rank {} on {} does; start all ranks where there is a GPU "
                           "for each, or use --set meta.device=cpu",
                           blind - ranks.begin(), blind->host, seeing - ranks.begin(), seeing->host));
    }
    const auto first = first_number(setting);
    std::map<Ids, std::size_t> taken;            // of those that see the same ones
    std::map<std::string, std::size_t> rank_of;  // by the GPU
    std::vector<torch::Device> devices;
    for (std::size_t r = 0; r < ranks.size(); ++r)
    {
        const auto& ids = ranks[r].ids;
        const auto turn = taken[ids]++;
        if (first >= ids.size() || turn >= ids.size() - first)
        {
            refuse_too_few(setting, ranks, ranks[r], first);
        }
        const auto index = first + turn;
        const auto [owner, is_free] = rank_of.try_emplace(ids[index], r);
        if (!is_free)
        {
            refuse(setting, fmt::format("ranks {} and {} on {} would share a GPU, since they see different sets of "
                                        "GPUs that overlap; show each rank of a node all of its GPUs (srun "
                                        "--gpu-bind=none), or each one of its own",
                                        owner->second, r, ranks[r].host));
        }
        devices.emplace_back(torch::kCUDA, static_cast<torch::DeviceIndex>(index));
    }
    return devices;
}

torch::Device choose_device(const config::Meta& meta, const comm::World& world)
{
    auto& communicator = *world.communicator;
    const auto mine = agreed(communicator.group(), [&] { return encoded(look_around(meta)); });
    std::vector<VisibleGpus> ranks;
    for (const auto& text : communicator.group().gather_texts(mine))
    {
        ranks.push_back(decoded(text));
    }
    const auto devices = agreed(communicator.group(), [&] { return choose_devices(meta.device, ranks); });
    return devices[static_cast<std::size_t>(world.rank())];
}
}  // namespace paws::session

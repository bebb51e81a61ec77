#include "src/session/memory_check.hpp"

#include <fmt/format.h>

#include <string>

#include "io/base/quantity.hpp"
#include "io/ranks/process_limits.hpp"
#include "src/data/rank_share.hpp"
#include "src/session/memory_estimate.hpp"

namespace paws::session
{
namespace
{
constexpr std::uint64_t mebibyte = std::uint64_t{1} << 20U;

/// As measured, for the smallest networks: the heaps and stacks of threads, the BLAS library's buffers, what HDF5, MPI
/// and LibTorch take when they are first used.
constexpr std::uint64_t mapped = 640 * mebibyte, mapped_by_thread = 100 * mebibyte;
constexpr std::uint64_t resident = 128 * mebibyte, resident_by_thread = 4 * mebibyte;

struct Need
{
    std::uint64_t mapped = 0;    ///< of address space, beside what is mapped now
    std::uint64_t resident = 0;  ///< of memory, beside what is in use now
};

void require(const Need& need, const std::string& what, std::uint64_t ranks_on_node)
{
    const auto limits = ranks::memory_limits();
    const auto check = [&](const ranks::MemoryLimit& limit, std::uint64_t needed, const std::string& remedy)
    {
        if (limit.exists() && limit.most < needed)
        {
            throw config::Error(fmt::format("{} is limited to {} ({}), and {} needs {}; {}", limit.name,
                                            io::gibibytes(limit.most), limit.setting, what, io::gibibytes(needed),
                                            remedy));
        }
    };
    const std::string fewer = "raise the limit, or set meta.threads to fewer";
    check(limits.address_space, limits.address_space.used + need.mapped, fewer);
    check(limits.data, limits.data.used + need.mapped, fewer);
    check(limits.group, ranks_on_node * (limits.resident + need.resident),
          "ask for more memory (sbatch --mem), or start fewer ranks a node");
}
}  // namespace

void require_memory_to_compute(std::int64_t threads, const comm::World& world)
{
    const auto count = static_cast<std::uint64_t>(threads);
    require({mapped + count * mapped_by_thread, resident + count * resident_by_thread},
            "a rank that computes with " + io::plural(threads, "thread"),
            static_cast<std::uint64_t>(world.ranks_on_node));
}

void require_memory_to_train(const config::Config& config, device::Precision precision, const comm::World& world)
{
    const auto limits = ranks::memory_limits();
    const bool is_limited = limits.address_space.exists() || limits.data.exists() || limits.group.exists();
    if (!is_limited || !world.device.is_cpu())
    {
        return;
    }
    const auto share = data::rank_share(world.rank(), world.world_size(), config.meta.emulate_world);
    const auto bytes = static_cast<std::uint64_t>(session::estimate_memory(config, precision, share).total());
    require({bytes, bytes}, "a training step as configured", static_cast<std::uint64_t>(world.ranks_on_node));
}
}  // namespace paws::session

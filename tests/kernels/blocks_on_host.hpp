#pragma once

#include <Kokkos_Core.hpp>
#include <barrier>
#include <cstddef>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "kernels/policies.hpp"

// A device's blocks of threads on the host, so that what a block does together is tested where there is no GPU.

#ifdef __CUDACC__
// Blocks that are compiled for any team call these functions of the host alone.
#pragma nv_diag_suppress 20014
#endif

namespace paws::test
{
/// An execution space whose blocks are threads of the host; what is launched there has run when the launch returns.
struct BlocksOnHost : Kokkos::Serial
{
    using execution_space = BlocksOnHost;

    /// No multiple of a warp, so that rows of threads are left over.
    static constexpr int threads = 72;
};

/// What blocks ask of their team.
class HostBlock
{
public:
    HostBlock(int block, int rank, std::barrier<>& barrier, std::vector<std::byte>& shared)
        : block_(block), rank_(rank), barrier_(&barrier), shared_(&shared)
    {
    }
    int league_rank() const { return block_; }
    int team_rank() const { return rank_; }
    int team_size() const { return BlocksOnHost::threads; }
    void team_barrier() const { barrier_->arrive_and_wait(); }
    const HostBlock& team_scratch(int) const { return *this; }
    void* get_shmem(std::size_t bytes) const { return bytes <= shared_->size() ? shared_->data() : nullptr; }

private:
    int block_, rank_;
    std::barrier<>* barrier_;
    std::vector<std::byte>* shared_;
};

template <class Block>
void launch_blocks(const std::string&, const BlocksOnHost&, std::int64_t blocks, const Block& block)
{
    std::barrier<> barrier(BlocksOnHost::threads);
    std::vector<std::byte> shared(Block::shared_bytes(BlocksOnHost::threads));
    std::vector<std::jthread> threads;
    for (int rank = 0; rank < BlocksOnHost::threads; ++rank)
    {
        threads.emplace_back(
            [&, rank]
            {
                for (int number = 0; number < blocks; ++number)
                {
                    block(HostBlock(number, rank, barrier, shared));
                    // The next block has the same memory.
                    barrier.arrive_and_wait();
                }
            });
    }
}
}  // namespace paws::test

template <>
struct Kokkos::Tools::Experimental::DeviceTypeTraits<paws::test::BlocksOnHost> : DeviceTypeTraits<Kokkos::Serial>
{
};

namespace paws::kernels
{
template <>
inline constexpr bool runs_on_host<test::BlocksOnHost> = false;
}  // namespace paws::kernels

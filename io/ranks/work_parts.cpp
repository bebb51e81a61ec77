#include "io/ranks/work_parts.hpp"

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>

#include "io/ranks/mpi_call.hpp"

namespace paws::io
{
std::vector<Part> parts_in_rounds(std::span<const std::uint64_t> weights, std::uint64_t most, int rank, int ranks)
{
    std::uint64_t total = 0;
    for (const std::uint64_t weight : weights)
    {
        total += weight;
    }
    const auto in_round = static_cast<std::uint64_t>(ranks);
    most = std::max<std::uint64_t>(1, most);
    const std::uint64_t rounds = std::max<std::uint64_t>(1, (total + most * in_round - 1) / (most * in_round));
    // Evenly filled rounds: with the rest in the last one, most ranks would have nothing to do there.
    const std::uint64_t target = std::max<std::uint64_t>(1, (total + rounds * in_round - 1) / (rounds * in_round));
    std::vector<Part> parts(rounds);
    std::uint64_t before = 0;
    std::size_t item = 0;
    for (std::uint64_t part = 0; part < rounds * in_round; ++part)
    {
        const std::size_t first = item;
        const bool is_last = part + 1 == rounds * in_round;
        // A part has the items that begin within its share of the weight.
        for (; item < weights.size() && (is_last || before < (part + 1) * target); ++item)
        {
            before += weights[item];
        }
        if (part % in_round == static_cast<std::uint64_t>(rank))
        {
            parts[part / in_round] = {first, item};
        }
    }
    return parts;
}

std::size_t threads_of_rank(const RankGroup& ranks)
{
    cpu_set_t mine;
    CPU_ZERO(&mine);
    if (::sched_getaffinity(0, sizeof(mine), &mine) != 0)
    {
        return 1;
    }
    MPI_Comm node = MPI_COMM_NULL;
    check_mpi(MPI_Comm_split_type(ranks.comm(), MPI_COMM_TYPE_SHARED, ranks.rank(), MPI_INFO_NULL, &node),
              "MPI_Comm_split_type");
    cpu_set_t all;
    CPU_ZERO(&all);
    int on_node = 1;
    check_mpi(MPI_Allreduce(&mine, &all, sizeof(mine), MPI_BYTE, MPI_BOR, node), "MPI_Allreduce");
    check_mpi(MPI_Comm_size(node, &on_node), "MPI_Comm_size");
    check_mpi(MPI_Comm_free(&node), "MPI_Comm_free");
    const int share = std::min(CPU_COUNT(&mine), CPU_COUNT(&all) / on_node);
    return static_cast<std::size_t>(std::max(1, share));
}

void for_each_on_threads(Part part, std::size_t threads, const std::function<void(std::size_t)>& action)
{
    std::atomic<std::size_t> next = part.first;
    std::exception_ptr error;
    std::mutex error_mutex;
    const auto work = [&]
    {
        try
        {
            for (std::size_t i = next++; i < part.last; i = next++)
            {
                action(i);
            }
        }
        catch (...)
        {
            const std::scoped_lock lock(error_mutex);
            error = std::current_exception();
            next = part.last;
        }
    };
    {
        std::vector<std::jthread> others;
        for (std::size_t i = 1; i < std::min(threads, part.last - part.first); ++i)
        {
            others.emplace_back(work);
        }
        work();
    }
    if (error)
    {
        std::rethrow_exception(error);
    }
}
}  // namespace paws::io

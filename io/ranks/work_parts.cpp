#include "io/ranks/work_parts.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>

namespace paws::ranks
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
}  // namespace paws::ranks

#pragma once

#include <exception>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "io/ranks/group.hpp"

namespace paws::ranks
{
/// Collective: does `work` on every rank, and gives its result. If it throws on one rank or more, all throw the failure
/// of the lowest of these, as Group::meet says: a file that only one node cannot read shall not leave the others
/// waiting. One rank alone lets the exception through.
///
/// `work` may itself be collective: whichever collective function of the same group the others are in when a rank
/// fails, they leave it with that rank's failure, which passes through all calls of agreed() around. What it must not
/// do is to catch such a failure and go on, or to fail on one rank where others go on to collective calls that are not
/// the group's: of tensors, or of HDF5.
template <class Work>
auto agreed(const Group& group, Work&& work)
{
    using Result = std::invoke_result_t<Work>;
    if (group.is_alone())
    {
        return std::forward<Work>(work)();
    }
    std::exception_ptr failure;
    if constexpr (std::is_void_v<Result>)
    {
        try
        {
            std::forward<Work>(work)();
        }
        catch (...)
        {
            failure = std::current_exception();
        }
        group.meet(failure);
    }
    else
    {
        std::optional<Result> result;
        try
        {
            result.emplace(std::forward<Work>(work)());
        }
        catch (...)
        {
            failure = std::current_exception();
        }
        group.meet(failure);
        return std::move(*result);
    }
}

/// A rank whose text is not that of rank 0.
struct Disagreement
{
    std::string rank;   ///< "rank 3 on node17"
    std::string first;  ///< "rank 0 on node16"
    std::string text;
    std::string text_of_first;
};

/// Collective: the lowest rank whose text is not that of rank 0, if there is one; the same answer on all ranks.
std::optional<Disagreement> find_disagreement(const Group& group, const std::string& text);

/// "rank 3 on node17".
std::string rank_on_host(int rank, const std::string& host);
}  // namespace paws::ranks

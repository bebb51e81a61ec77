#pragma once

#include <exception>
#include <optional>
#include <utility>

#include "src/comm/communicator.hpp"

namespace paws::data
{
/// Throws on every rank, as the same kind of error and with the same words, what the lowest rank that has a failure
/// has; returns on every rank if none has one. Collective.
void throw_together(comm::Communicator& communicator, const std::exception_ptr& failure);

/// What `work` gives on this rank, or the same error on all ranks if it throws on one: a file that only one node cannot
/// read shall not leave the others waiting. Collective; `work` itself must not wait for other ranks.
template <class Work>
auto together(comm::Communicator& communicator, Work&& work) -> decltype(work())
{
    std::optional<decltype(work())> result;
    std::exception_ptr failure;
    try
    {
        result.emplace(work());
    }
    catch (...)
    {
        failure = std::current_exception();
    }
    throw_together(communicator, failure);
    return std::move(*result);
}
}  // namespace paws::data

#pragma once

#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

#include "src/comm/agreement.hpp"
#include "src/comm/communicator.hpp"

namespace paws::session
{
/// What an exception means for the user. Bad input are config::Error, io::Error and std::invalid_argument; what
/// collective calls throw may follow from another rank's failure.
comm::Failure failure_of(const std::exception_ptr& error);

/// Collective: does `work`, which is no collective itself, on every rank, and gives its result. If it throws on one
/// rank or more, all throw comm::AgreedFailure: for what ranks do before they begin together, such as opening files.
/// One rank alone lets the exception through.
template <class Work>
auto agreed(comm::Communicator& communicator, Work&& work)
{
    using Result = std::invoke_result_t<Work>;
    if (communicator.is_alone())
    {
        return std::forward<Work>(work)();
    }
    std::optional<comm::Failure> failure;
    if constexpr (std::is_void_v<Result>)
    {
        try
        {
            std::forward<Work>(work)();
        }
        catch (...)
        {
            failure = failure_of(std::current_exception());
        }
        comm::agree(communicator, failure);
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
            failure = failure_of(std::current_exception());
        }
        comm::agree(communicator, failure);
        return std::move(*result);
    }
}
}  // namespace paws::session

#include "io/ranks/group.hpp"

#include <algorithm>
#include <limits>
#include <memory>
#include <numeric>
#include <optional>

#include "io/ranks/agreed.hpp"
#include "io/ranks/host_name.hpp"
#include "io/ranks/mpi_call.hpp"

namespace paws::ranks
{
namespace
{
/// MPI counts in int.
constexpr std::uint64_t most_bytes = std::uint64_t{1} << 30;
constexpr int tag = 0;
/// Of a rank that waits for others, which may read or write for minutes.
constexpr std::chrono::milliseconds longest_pause(100);

/// `transfer(pointer, count)` for pieces that MPI can count.
template <typename Byte, typename Transfer>
void by_pieces(Byte* data, std::uint64_t bytes, Transfer transfer)
{
    for (std::uint64_t done = 0; done < bytes; done += most_bytes)
    {
        transfer(data + done, static_cast<int>(std::min(most_bytes, bytes - done)));
    }
}

bool is_unmet(const std::exception_ptr& failure)
{
    try
    {
        std::rethrow_exception(failure);
    }
    catch (const Unmet&)
    {
        return true;
    }
    catch (...)
    {
        return false;
    }
}
}  // namespace

Group::Group(MPI_Comm comm) : comm_(comm)
{
    check_mpi(MPI_Comm_rank(comm_, &rank_), "MPI_Comm_rank");
    check_mpi(MPI_Comm_size(comm_, &size_), "MPI_Comm_size");
}

Group Group::with_deadline(std::chrono::milliseconds deadline) const
{
    Group group = *this;
    group.deadline_ = deadline;
    return group;
}

Group Group::naming_ranks(bool names) const
{
    Group group = *this;
    group.names_ranks_ = names;
    return group;
}

void Group::meet(const std::exception_ptr& failure) const
{
    const auto mine = failure ? std::optional(failure_of(failure)) : std::nullopt;
    if (mine && (is_alone() || mine->may_follow || is_unmet(failure) || knows(failure)))
    {
        std::rethrow_exception(failure);
    }
    if (is_alone())
    {
        return;
    }
    const int failed_rank = mine ? meet_with(*mine) : lowest_of_failed(false, deadline_);
    if (failed_rank < size_)
    {
        throw_failure_of(failed_rank, mine.value_or(Failure{"", success}));
    }
}

/// lowest_of_failed() of a rank that has failed. It can do nothing but end: where others are slow, not with them.
int Group::meet_with(const Failure& mine) const
{
    constexpr int part = 10;
    try
    {
        return lowest_of_failed(true, deadline_ / part);
    }
    catch (const CallError&)
    {
        if (mine.code == bad_input)
        {
            throw UnmetBadInput(mine.message);
        }
        throw UnmetError(mine.message);
    }
}

bool Group::knows(const std::exception_ptr& failure) const
{
    try
    {
        std::rethrow_exception(failure);
    }
    catch (const Agreed& agreed)
    {
        return agreed.group == comm_;
    }
    catch (...)
    {
        return false;
    }
}

/// The size of the group if none has failed. The one call of which ranks do not know when the others come to it.
int Group::lowest_of_failed(bool has_failed, std::chrono::milliseconds patience) const
{
    struct Ranks
    {
        int mine;
        int lowest;
    };
    auto ranks = std::make_unique<Ranks>(Ranks{has_failed ? rank_ : size_, size_});
    constexpr const char* call = "MPI_Iallreduce";
    MPI_Request request = MPI_REQUEST_NULL;
    check_mpi(MPI_Iallreduce(&ranks->mine, &ranks->lowest, 1, MPI_INT, MPI_MIN, comm_, &request), call);
    const auto has_ended = [&request]
    {
        int ended = 0;
        check_mpi(MPI_Test(&request, &ended, MPI_STATUS_IGNORE), call);
        return ended != 0;
    };
    try
    {
        wait_until(has_ended, patience, call, longest_pause);
    }
    catch (...)
    {
        // MPI offers no way to take a collective call back, and this one may still write its result.
        static_cast<void>(ranks.release());
        throw;
    }
    return ranks->lowest;
}

void Group::throw_failure_of(int rank, const Failure& mine) const
{
    // Ranks may have met from different calls, of which that of the failed rank says what all throw.
    std::array<int, 2> code_and_names{mine.code, names_ranks_ ? 1 : 0};
    broadcast_bytes(code_and_names.data(), sizeof(code_and_names), rank);
    const auto [code, names] = code_and_names;
    auto message = text_of(mine.message, rank);
    const auto host = text_of(host_name(), rank);
    int is_same = mine.code == code && mine.message == message ? 1 : 0;
    check_mpi(MPI_Allreduce(MPI_IN_PLACE, &is_same, 1, MPI_INT, MPI_MIN, comm_), "MPI_Allreduce");
    if (names == 1 && is_same == 0)
    {
        message = rank_on_host(rank, host) + ": " + message;
    }
    if (code == bad_input)
    {
        throw AgreedBadInput(message, comm_);
    }
    throw AgreedError(message, comm_);
}

int Group::reduce(int number, MPI_Op operation) const
{
    meet();
    if (!is_alone())
    {
        check_mpi(MPI_Allreduce(MPI_IN_PLACE, &number, 1, MPI_INT, operation, comm_), "MPI_Allreduce");
    }
    return number;
}

void Group::add_up(std::uint64_t* numbers, int count) const
{
    meet();
    if (!is_alone())
    {
        check_mpi(MPI_Allreduce(MPI_IN_PLACE, numbers, count, MPI_UINT64_T, MPI_SUM, comm_), "MPI_Allreduce");
    }
}

std::string Group::broadcast(std::string text, int root) const
{
    meet();
    return text_of(std::move(text), root);
}

std::vector<std::string> Group::gather_texts(const std::string& text) const
{
    meet();
    if (is_alone())
    {
        return {text};
    }
    const auto count = static_cast<std::size_t>(size_);
    std::vector<std::int64_t> lengths(count, static_cast<std::int64_t>(text.size()));
    check_mpi(MPI_Allgather(MPI_IN_PLACE, 1, MPI_INT64_T, lengths.data(), 1, MPI_INT64_T, comm_), "MPI_Allgather");
    if (std::accumulate(lengths.begin(), lengths.end(), std::int64_t{0}) > std::numeric_limits<int>::max())
    {
        throw std::length_error("the texts of all ranks are too long to be gathered");
    }
    const std::vector<int> counts(lengths.begin(), lengths.end());
    std::vector<int> begins(count, 0);
    std::partial_sum(counts.begin(), counts.end() - 1, begins.begin() + 1);
    std::string joined(static_cast<std::size_t>(begins.back() + counts.back()), '\0');
    check_mpi(MPI_Allgatherv(text.data(), static_cast<int>(text.size()), MPI_CHAR, joined.data(), counts.data(),
                             begins.data(), MPI_CHAR, comm_),
              "MPI_Allgatherv");
    std::vector<std::string> texts;
    for (std::size_t i = 0; i < count; ++i)
    {
        texts.push_back(joined.substr(static_cast<std::size_t>(begins[i]), static_cast<std::size_t>(counts[i])));
    }
    return texts;
}

std::string Group::first_text(const std::string& text) const
{
    const int speaker = reduce(text.empty() ? size_ : rank_, MPI_MIN);
    return speaker < size_ ? broadcast(text, speaker) : std::string();
}

std::string Group::text_of(std::string text, int root) const
{
    std::uint64_t length = text.size();
    broadcast_bytes(&length, sizeof(length), root);
    text.resize(length);
    broadcast_bytes(text.data(), length, root);
    return text;
}

void Group::broadcast_bytes(void* data, std::uint64_t bytes, int root) const
{
    if (is_alone())
    {
        return;
    }
    by_pieces(static_cast<char*>(data), bytes,
              [&](char* piece, int count) { check_mpi(MPI_Bcast(piece, count, MPI_BYTE, root, comm_), "MPI_Bcast"); });
}

void Group::send_bytes(const void* data, std::uint64_t bytes) const
{
    check_mpi(MPI_Send(&bytes, 1, MPI_UINT64_T, 0, tag, comm_), "MPI_Send");
    by_pieces(static_cast<const char*>(data), bytes,
              [&](const char* piece, int count)
              { check_mpi(MPI_Send(piece, count, MPI_BYTE, 0, tag, comm_), "MPI_Send"); });
}

std::uint64_t Group::bytes_from(int rank) const
{
    std::uint64_t bytes = 0;
    check_mpi(MPI_Recv(&bytes, 1, MPI_UINT64_T, rank, tag, comm_, MPI_STATUS_IGNORE), "MPI_Recv");
    return bytes;
}

void Group::receive_bytes(void* data, std::uint64_t bytes, int rank) const
{
    by_pieces(static_cast<char*>(data), bytes,
              [&](char* piece, int count)
              { check_mpi(MPI_Recv(piece, count, MPI_BYTE, rank, tag, comm_, MPI_STATUS_IGNORE), "MPI_Recv"); });
}
}  // namespace paws::ranks

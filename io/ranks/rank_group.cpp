#include "io/ranks/rank_group.hpp"

#include <algorithm>
#include <chrono>
#include <thread>

#include "io/base/error.hpp"
#include "io/ranks/mpi_call.hpp"

namespace paws::io
{
namespace
{
/// MPI counts in int.
constexpr std::uint64_t most_bytes = std::uint64_t{1} << 30;
constexpr int tag = 0;

/// `transfer(pointer, count)` for pieces that MPI can count.
template <typename Byte, typename Transfer>
void by_pieces(Byte* data, std::uint64_t bytes, Transfer transfer)
{
    for (std::uint64_t done = 0; done < bytes; done += most_bytes)
    {
        transfer(data + done, static_cast<int>(std::min(most_bytes, bytes - done)));
    }
}
}  // namespace

RankGroup::RankGroup(MPI_Comm comm) : comm_(comm)
{
    check_mpi(MPI_Comm_rank(comm_, &rank_), "MPI_Comm_rank");
    check_mpi(MPI_Comm_size(comm_, &size_), "MPI_Comm_size");
}

void RankGroup::low_cpu_barrier() const
{
    MPI_Request request = MPI_REQUEST_NULL;
    check_mpi(MPI_Ibarrier(comm_, &request), "MPI_Ibarrier");
    int done = 0;
    for (auto pause = std::chrono::milliseconds(1);; pause = std::min(pause * 2, std::chrono::milliseconds(100)))
    {
        check_mpi(MPI_Test(&request, &done, MPI_STATUS_IGNORE), "MPI_Test");
        if (done != 0)
        {
            return;
        }
        std::this_thread::sleep_for(pause);
    }
}

int RankGroup::reduce(int number, MPI_Op operation) const
{
    int result = 0;
    check_mpi(MPI_Allreduce(&number, &result, 1, MPI_INT, operation, comm_), "MPI_Allreduce");
    return result;
}

void RankGroup::add_up(std::uint64_t* numbers, int count) const
{
    check_mpi(MPI_Allreduce(MPI_IN_PLACE, numbers, count, MPI_UINT64_T, MPI_SUM, comm_), "MPI_Allreduce");
}

std::string RankGroup::broadcast(std::string text, int root) const
{
    std::uint64_t length = text.size();
    broadcast_bytes(&length, sizeof(length), root);
    text.resize(length);
    broadcast_bytes(text.data(), length, root);
    return text;
}

std::string RankGroup::first_text(const std::string& text) const
{
    const int speaker = reduce(text.empty() ? size_ : rank_, MPI_MIN);
    return speaker < size_ ? broadcast(text, speaker) : std::string();
}

void RankGroup::refuse_if_any(const std::string& error) const
{
    const std::string first = first_text(error);
    if (!first.empty())
    {
        throw Error(first);
    }
}

std::string RankGroup::message_of(const std::exception& error)
{
    const std::string message = error.what();
    return message.empty() ? "an error without a message" : message;
}

void RankGroup::broadcast_bytes(void* data, std::uint64_t bytes, int root) const
{
    by_pieces(static_cast<char*>(data), bytes,
              [&](char* piece, int count) { check_mpi(MPI_Bcast(piece, count, MPI_BYTE, root, comm_), "MPI_Bcast"); });
}

void RankGroup::send_bytes(const void* data, std::uint64_t bytes) const
{
    check_mpi(MPI_Send(&bytes, 1, MPI_UINT64_T, 0, tag, comm_), "MPI_Send");
    by_pieces(static_cast<const char*>(data), bytes,
              [&](const char* piece, int count)
              { check_mpi(MPI_Send(piece, count, MPI_BYTE, 0, tag, comm_), "MPI_Send"); });
}

std::uint64_t RankGroup::bytes_from(int rank) const
{
    std::uint64_t bytes = 0;
    check_mpi(MPI_Recv(&bytes, 1, MPI_UINT64_T, rank, tag, comm_, MPI_STATUS_IGNORE), "MPI_Recv");
    return bytes;
}

void RankGroup::receive_bytes(void* data, std::uint64_t bytes, int rank) const
{
    by_pieces(static_cast<char*>(data), bytes,
              [&](char* piece, int count)
              { check_mpi(MPI_Recv(piece, count, MPI_BYTE, rank, tag, comm_, MPI_STATUS_IGNORE), "MPI_Recv"); });
}
}  // namespace paws::io

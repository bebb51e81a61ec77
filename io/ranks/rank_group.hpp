#pragma once

// What ranks that work on files together say to each other.

#include <mpi.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <string>
#include <type_traits>
#include <vector>

namespace paws::io
{
/// The ranks of a communicator, which is not owned. Every function is collective; each throws std::runtime_error where
/// a call of MPI fails.
class RankGroup
{
public:
    explicit RankGroup(MPI_Comm comm);

    MPI_Comm comm() const { return comm_; }
    int rank() const { return rank_; }
    int size() const { return size_; }
    bool is_first() const { return rank_ == 0; }

    /// A barrier for minutes. MPI's own waiting takes a core per rank, which working ranks and other jobs have use for.
    void low_cpu_barrier() const;

    int reduce(int number, MPI_Op operation) const;
    /// Of each of the numbers.
    template <std::size_t count>
    std::array<std::uint64_t, count> sums(std::array<std::uint64_t, count> numbers) const
    {
        add_up(numbers.data(), static_cast<int>(count));
        return numbers;
    }

    std::string broadcast(std::string text, int root = 0) const;
    /// Those of rank 0, on every rank.
    template <typename T>
    void share(std::vector<T>& values) const
    {
        static_assert(std::is_trivially_copyable_v<T>);
        std::uint64_t count = values.size();
        broadcast_bytes(&count, sizeof(count), 0);
        values.resize(count);
        broadcast_bytes(values.data(), count * sizeof(T), 0);
    }
    /// On rank 0, what each rank gives; elsewhere nothing.
    template <typename T>
    std::vector<std::vector<T>> gather(const std::vector<T>& values) const
    {
        static_assert(std::is_trivially_copyable_v<T>);
        std::vector<std::vector<T>> all;
        if (!is_first())
        {
            send_bytes(values.data(), values.size() * sizeof(T));
            return all;
        }
        all.push_back(values);
        for (int from = 1; from < size_; ++from)
        {
            all.emplace_back(bytes_from(from) / sizeof(T));
            receive_bytes(all.back().data(), all.back().size() * sizeof(T), from);
        }
        return all;
    }

    /// What the lowest rank with a text says; empty if none has one.
    std::string first_text(const std::string& text) const;

    /// Runs `action`, which is not to be collective, and waits for the others. Throws Error, the same on every rank,
    /// with the message of the lowest rank that failed.
    template <typename Action>
    void together(Action action) const
    {
        std::string error;
        try
        {
            action();
        }
        catch (const std::exception& caught)
        {
            error = message_of(caught);
        }
        refuse_if_any(error);
    }

    /// Throws Error, the same on every rank, if one gives a text.
    void refuse_if_any(const std::string& error) const;

private:
    static std::string message_of(const std::exception& error);
    void add_up(std::uint64_t* numbers, int count) const;
    void broadcast_bytes(void* data, std::uint64_t bytes, int root) const;
    void send_bytes(const void* data, std::uint64_t bytes) const;
    std::uint64_t bytes_from(int rank) const;
    void receive_bytes(void* data, std::uint64_t bytes, int rank) const;

    MPI_Comm comm_;
    int rank_ = 0;
    int size_ = 1;
};
}  // namespace paws::io

#pragma once

#include <mpi.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

#include "io/ranks/bad_input.hpp"
#include "io/ranks/failure.hpp"
#include "io/ranks/wait.hpp"

namespace paws::ranks
{
/// Marks an error that all ranks of a group throw alike: none of them waits for another.
struct Agreed
{
    MPI_Comm group;
};

/// Marks the error of a rank that the others did not meet in time: it is this rank's alone.
struct Unmet
{
};

struct AgreedBadInput final : BadInput, Agreed
{
    AgreedBadInput(const std::string& message, MPI_Comm of) : BadInput(message), Agreed{of} {}
};

struct AgreedError final : std::runtime_error, Agreed
{
    AgreedError(const std::string& message, MPI_Comm of) : std::runtime_error(message), Agreed{of} {}
};

struct UnmetBadInput final : BadInput, Unmet
{
    using BadInput::BadInput;
};

struct UnmetError final : std::runtime_error, Unmet
{
    using std::runtime_error::runtime_error;
};

/// Ranks that act together, and what they say to each other beside their tensors and files: the ranks of an MPI
/// communicator, which is not owned, or this process alone, for which MPI need not have been started.
///
/// Functions that are said to be collective are called by all ranks in the same order. Each begins with meet(): ranks
/// wait there without taking their cores from others, and where one has failed meanwhile (see agreed()), all throw its
/// failure. They throw CallError where MPI fails.
class Group
{
public:
    /// This process alone.
    Group() = default;
    explicit Group(MPI_Comm comm);

    /// The same ranks, where whoever waits so long for the others throws CallError, and whoever comes with a failure of
    /// its own throws that after a tenth of it. Without, a rank may take any time.
    Group with_deadline(std::chrono::milliseconds deadline) const;
    /// The same ranks, where the failure of one is said with that rank and its host, unless all fail alike; or, as at
    /// first, in its own words alone, for what all see alike, such as a file.
    Group naming_ranks(bool names) const;

    MPI_Comm mpi() const { return comm_; }
    int rank() const { return rank_; }
    int size() const { return size_; }
    bool is_alone() const { return size_ == 1; }
    bool is_first() const { return rank_ == 0; }
    std::chrono::milliseconds deadline() const { return deadline_; }

    /// Collective: a barrier. With the failure of a rank, or several, all throw that of the lowest one: AgreedBadInput
    /// for bad input (see failure_of), else AgreedError. What all ranks of the group throw already passes, and so does
    /// CallError, after which there is no way to the others. Where these do not come in time, because they sit in a
    /// call that this rank has left, its failure is thrown as UnmetBadInput or UnmetError, which pass, too. A rank
    /// alone throws its error as it is.
    void meet(const std::exception_ptr& failure = {}) const;

    /// Whether all ranks of the group throw this error: one of meet() or refuse().
    bool knows(const std::exception_ptr& failure) const;

    /// Throws AgreedBadInput: what all ranks have found alike.
    [[noreturn]] void refuse(const std::string& message) const { throw AgreedBadInput(message, comm_); }

    /// Collective.
    int reduce(int number, MPI_Op operation) const;
    /// Collective: of each of the numbers.
    template <std::size_t count>
    std::array<std::uint64_t, count> sums(std::array<std::uint64_t, count> numbers) const
    {
        add_up(numbers.data(), static_cast<int>(count));
        return numbers;
    }

    /// Collective: the text of rank `root`.
    std::string broadcast(std::string text, int root = 0) const;
    /// Collective: the texts of all ranks, on every rank.
    std::vector<std::string> gather_texts(const std::string& text) const;
    /// Collective: what the lowest rank with a text says; empty if none has one.
    std::string first_text(const std::string& text) const;

    /// Collective: those of rank 0, on every rank.
    template <typename T>
    void share(std::vector<T>& values) const
    {
        static_assert(std::is_trivially_copyable_v<T>);
        meet();
        std::uint64_t count = values.size();
        broadcast_bytes(&count, sizeof(count), 0);
        values.resize(count);
        broadcast_bytes(values.data(), count * sizeof(T), 0);
    }
    /// Collective: on rank 0, what each rank gives; elsewhere nothing.
    template <typename T>
    std::vector<std::vector<T>> gather(const std::vector<T>& values) const
    {
        static_assert(std::is_trivially_copyable_v<T>);
        meet();
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

private:
    int lowest_of_failed(bool has_failed, std::chrono::milliseconds patience) const;
    int meet_with(const Failure& mine) const;
    [[noreturn]] void throw_failure_of(int rank, const Failure& mine) const;
    std::string text_of(std::string text, int root) const;
    void add_up(std::uint64_t* numbers, int count) const;
    void broadcast_bytes(void* data, std::uint64_t bytes, int root) const;
    void send_bytes(const void* data, std::uint64_t bytes) const;
    std::uint64_t bytes_from(int rank) const;
    void receive_bytes(void* data, std::uint64_t bytes, int rank) const;

    MPI_Comm comm_ = MPI_COMM_SELF;
    int rank_ = 0;
    int size_ = 1;
    std::chrono::milliseconds deadline_ = no_deadline;
    bool names_ranks_ = false;
};
}  // namespace paws::ranks

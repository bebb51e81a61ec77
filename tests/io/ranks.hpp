#pragma once

// What tests of files share that run on several ranks.

#include <mpi.h>

#include <functional>
#include <optional>
#include <string>

#include "io/ranks/mpi_call.hpp"
#include "tests/io/files.hpp"

namespace paws::test
{
inline int my_rank()
{
    int rank = 0;
    ranks::check_mpi(MPI_Comm_rank(MPI_COMM_WORLD, &rank), "MPI_Comm_rank");
    return rank;
}

inline int all_ranks()
{
    int size = 0;
    ranks::check_mpi(MPI_Comm_size(MPI_COMM_WORLD, &size), "MPI_Comm_size");
    return size;
}

inline int sum_over_ranks(int number)
{
    int sum = 0;
    ranks::check_mpi(MPI_Allreduce(&number, &sum, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD), "MPI_Allreduce");
    return sum;
}

inline std::string of_rank_0(std::string text)
{
    text.resize(4096);
    ranks::check_mpi(MPI_Bcast(text.data(), 4096, MPI_CHAR, 0, MPI_COMM_WORLD), "MPI_Bcast");
    return text.c_str();
}

/// A folder that all ranks see, filled by rank 0, and removed when all have done with it.
class SharedFolder
{
public:
    explicit SharedFolder(const std::function<void(const std::filesystem::path&)>& fill)
    {
        if (my_rank() == 0)
        {
            folder_.emplace();
            fill(folder_->path());
        }
        path_ = of_rank_0(folder_ ? folder_->path().string() : "");
    }
    ~SharedFolder() { MPI_Barrier(MPI_COMM_WORLD); }
    SharedFolder(const SharedFolder&) = delete;
    SharedFolder& operator=(const SharedFolder&) = delete;

    const std::filesystem::path& path() const { return path_; }
    std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

private:
    std::optional<TemporaryFolder> folder_;
    std::filesystem::path path_;
};
}  // namespace paws::test

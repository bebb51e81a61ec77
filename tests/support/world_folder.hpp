#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "src/comm/world.hpp"
#include "tests/support/small_run.hpp"
#include "tests/support/world.hpp"

namespace paws::test
{
/// All ranks, on one node.
inline comm::World world_of_all()
{
    comm::World world;
    world.communicator = test::world();
    world.ranks_on_node = world.world_size();
    return world;
}

/// A folder that all ranks see, filled by the first one, and removed when all have done with it.
class WorldFolder
{
public:
    template <class Fill>
    explicit WorldFolder(const Fill& fill)
    {
        if (world_.is_first())
        {
            folder_.emplace();
            fill(*folder_ / "");
        }
        root_ = world_.group().broadcast(folder_ ? (*folder_ / "").string() : "");
    }
    ~WorldFolder() { MPI_Barrier(MPI_COMM_WORLD); }
    WorldFolder(const WorldFolder&) = delete;
    WorldFolder& operator=(const WorldFolder&) = delete;

    std::filesystem::path operator/(const std::string& name) const { return root_ / name; }
    const comm::World& world() const { return world_; }

    /// What one rank does while the others wait.
    template <class Work>
    void on_first(const Work& work) const
    {
        if (world_.is_first())
        {
            work();
        }
        world_.communicator->barrier();
    }

private:
    comm::World world_ = world_of_all();
    std::optional<Folder> folder_;
    std::filesystem::path root_;
};
}  // namespace paws::test

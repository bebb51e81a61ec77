#pragma once

#include "kernels/augment/equalise.hpp"
#include "kernels/augment/params.hpp"
#include "kernels/augment/resize.hpp"
#include "kernels/augment/spec.hpp"

namespace paws::kernels::augment
{
/// The scratch memory that a team needs for one view: the tables of a resize with a histogram and the random choices,
/// and two images. Each goes to the fast scratch level if it fits there.
class Workspace
{
public:
    /// For square views along these axes, or of any smaller part of the image; `blur`: that may be blurred.
    Workspace(const Axis& vertical, const Axis& horizontal, bool blur)
        : row_weights_(horizontal.count * horizontal.most_taps()),
          column_weights_(vertical.count * vertical.most_taps()),
          size_(vertical.count),
          spare_rows_(blur && size_ > vertical.most_input() ? size_ : vertical.most_input())
    {
    }

    /// Sets the policy's scratch sizes and remembers the levels. Throws if the image is too large for this device.
    template <class Policy>
    void place(Policy& policy)
    {
        const std::size_t tables = padded(table_bytes());
        const std::size_t images = padded(image_bytes());
        std::size_t taken[2] = {0, 0};
        const auto level_for = [&](std::size_t bytes)
        {
            const int level = taken[0] + bytes <= static_cast<std::size_t>(policy.scratch_size_max(0)) ? 0 : 1;
            taken[level] += bytes;
            return level;
        };
        table_level_ = level_for(tables);
        image_level_ = level_for(images);
        require(taken[1] <= static_cast<std::size_t>(policy.scratch_size_max(1)), "a view needs ", taken[1],
                " bytes of scratch memory, more than this device gives: use smaller images");
        for (int level = 0; level < 2; ++level)
        {
            if (taken[level] > 0)
            {
                policy.set_scratch_size(level, Kokkos::PerTeam(static_cast<int>(taken[level])));
            }
        }
    }

    /// A team's part of it.
    struct Slice
    {
        ViewParams* params;
        std::uint32_t* histogram;
        int* row_first;
        int* row_weight;
        int* column_first;
        int* column_weight;
        std::uint8_t* image;
        std::uint8_t* spare;
    };

    template <class Team>
    KOKKOS_INLINE_FUNCTION Slice slice(const Team& team) const
    {
        void* const tables = team.team_scratch(table_level_).get_shmem(static_cast<int>(table_bytes()));
        return slice(tables, team.team_scratch(image_level_).get_shmem(static_cast<int>(image_bytes())));
    }

    /// The same of memory that somebody else took: table_bytes(), aligned for double, and image_bytes().
    KOKKOS_INLINE_FUNCTION Slice slice(void* table_memory, void* image_memory) const
    {
        Slice slice{};
        auto* tables = static_cast<int*>(table_memory);
        slice.params = reinterpret_cast<ViewParams*>(tables);
        slice.histogram = reinterpret_cast<std::uint32_t*>(tables + params_ints);
        slice.row_first = tables + params_ints + histogram_ints;
        slice.column_first = slice.row_first + size_;
        slice.row_weight = slice.column_first + size_;
        slice.column_weight = slice.row_weight + row_weights_;
        slice.image = static_cast<std::uint8_t*>(image_memory);
        slice.spare = slice.image + channels * size_ * size_;
        return slice;
    }

    KOKKOS_INLINE_FUNCTION std::size_t table_bytes() const
    {
        return sizeof(int) *
               static_cast<std::size_t>(params_ints + histogram_ints + 2 * size_ + row_weights_ + column_weights_);
    }
    KOKKOS_INLINE_FUNCTION std::size_t image_bytes() const
    {
        return static_cast<std::size_t>(channels) * static_cast<std::size_t>(size_) *
               static_cast<std::size_t>(size_ + spare_rows_);
    }

private:
    static constexpr std::size_t alignment = 16;
    /// Room to align the beginning, and the next team's part aligned: teams' parts of slow scratch memory follow each
    /// other as they are.
    static std::size_t padded(std::size_t bytes) { return (bytes + 2 * alignment - 1) / alignment * alignment; }

    static constexpr int params_ints = sizeof(ViewParams) / sizeof(int);
    static constexpr int histogram_ints = channels * levels;
    static_assert(sizeof(ViewParams) % sizeof(int) == 0 && alignof(ViewParams) <= alignof(int));

    int row_weights_;
    int column_weights_;
    int size_;
    int spare_rows_;
    int table_level_ = 0;
    int image_level_ = 0;
};

/// One team a view. On a device a functor of this size must ask to be passed as an argument: Kokkos would else keep it
/// in constant memory, and have the host wait for the last kernel that uses that. Registers are few enough for
/// `least_teams` on a multiprocessor, which hide each other's waits for memory.
template <class Exec>
struct ViewPolicy
{
    static constexpr unsigned team_size = 128;
    static constexpr unsigned least_teams = 4;
    using type = Kokkos::TeamPolicy<Exec, Kokkos::LaunchBounds<team_size, least_teams>,
                                    Kokkos::Experimental::WorkItemProperty::HintLightWeight_t>;
};

/// A policy of one team a view for a functor that holds `workspace`.
template <class Exec>
auto view_policy(const Exec& exec, std::size_t views, Workspace& workspace)
{
    const auto place = [&](auto policy)
    {
        workspace.place(policy);
        return policy;
    };
    if constexpr (runs_on_host<Exec>)
    {
        return place(row_policy(exec, static_cast<std::int64_t>(views)));
    }
    else
    {
        using Policy = ViewPolicy<Exec>;
        return place(typename Policy::type(exec, static_cast<int>(views), static_cast<int>(Policy::team_size)));
    }
}
}  // namespace paws::kernels::augment

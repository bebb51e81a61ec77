#pragma once

#include <set>
#include <string>

#include "io/picture.hpp"
#include "kernels/augment/host_views.hpp"
#include "src/data/view_pipeline.hpp"

namespace paws::data
{
/// Makes the views of pictures on the calling thread; one object a thread, which keeps its buffers.
class ViewMaker
{
public:
    ViewMaker(const Pictures& pictures, bool skip_broken) : pictures_(pictures), skip_broken_(skip_broken) {}

    /// Fills all views of `order`. stored: the picture as StoredSplit gave it; null for pictures in memory.
    /// A broken picture throws io::Error, or is replaced by the next of its class and noted in `broken`.
    void make(const PictureOrder& order, const std::vector<ViewKind>& kinds, const StoredSplit::Bytes& stored,
              std::set<std::string>& broken);

private:
    struct Pixels
    {
        const std::uint8_t* data;
        int height;
        int width;
    };

    Pixels pixels_of(std::int64_t row, const StoredSplit::Bytes& stored);

    const Pictures& pictures_;
    bool skip_broken_;
    kernels::HostViews views_;
    io::Picture decoded_;
};
}  // namespace paws::data

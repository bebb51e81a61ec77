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
    ViewMaker(const Pictures& pictures, bool skip_broken, bool reduced_decoding)
        : pictures_(pictures), skip_broken_(skip_broken), reduced_decoding_(reduced_decoding)
    {
    }

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
        int reduction = 1;
    };

    Pixels pixels_of(std::int64_t row, const StoredSplit::Bytes& stored, const PictureOrder& order,
                     const std::vector<ViewKind>& kinds);

    const Pictures& pictures_;
    bool skip_broken_;
    bool reduced_decoding_;
    kernels::HostViews views_;
    io::PictureDecoder decoder_;
};
}  // namespace paws::data

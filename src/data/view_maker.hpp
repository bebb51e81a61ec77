#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "io/image/image.hpp"
#include "src/data/batch_plan.hpp"
#include "src/data/images.hpp"

namespace paws::kernels
{
class HostViews;
}

namespace paws::data
{
/// Makes the views of pictures on the calling thread; one object a thread, which keeps its buffers.
class ViewMaker
{
public:
    ViewMaker(const Pictures& pictures, bool skip_broken, bool reduced_decoding);
    ~ViewMaker();

    /// Makes all views of `order`. begins: where the views of each kind begin, float [count, size, size, 3]; stored:
    /// the picture as StoredSplit gave it; null for pictures in memory. A broken picture throws io::Error, or is
    /// replaced by the next of its class and noted in `broken`.
    void make(const PictureOrder& order, const std::vector<ViewKind>& kinds, const std::vector<float*>& begins,
              const StoredSplit::Bytes& stored, std::set<std::string>& broken);

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
    std::unique_ptr<kernels::HostViews> views_;
    io::PictureDecoder decoder_;
};
}  // namespace paws::data

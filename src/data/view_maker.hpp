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
/// Makes the views of images on the calling thread; one object a thread, which keeps its buffers.
class ViewMaker
{
public:
    ViewMaker(const Images& images, bool skip_broken, bool reduced_decoding);
    ~ViewMaker();

    /// Makes all views of `order`. begins: where the views of each kind begin, float [count, size, size, 3]; stored:
    /// the image as StoredSplit gave it; null for images in memory. A corrupt image throws io::Error, or is
    /// replaced by the next of its class and noted in `corrupt`.
    void make(const ImageOrder& order, const std::vector<ViewKind>& kinds, const std::vector<float*>& begins,
              const StoredSplit::Bytes& stored, std::set<std::string>& corrupt);

private:
    struct Pixels
    {
        const std::uint8_t* data;
        int height;
        int width;
        int reduction = 1;
    };

    Pixels pixels_of(std::int64_t row, const StoredSplit::Bytes& stored, const ImageOrder& order,
                     const std::vector<ViewKind>& kinds);

    const Images& images_;
    bool skip_broken_;
    bool reduced_decoding_;
    std::unique_ptr<kernels::HostViews> views_;
    io::ImageDecoder decoder_;
};
}  // namespace paws::data

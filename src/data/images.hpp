#pragma once

#include <torch/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "io/ranks/node.hpp"
#include "src/data/stored_split.hpp"

namespace paws::data
{
/// The images of one split: in host memory, or in their file.
struct Images
{
    torch::Tensor pixels;                 ///< uint8 [Q, H, W, 3]; undefined when they are stored. Q = P, or fewer that
                                          ///< come again and again: row r is r mod Q (synthetic images)
    std::shared_ptr<StoredSplit> stored;  ///< null when they are in memory
    std::vector<std::int64_t> labels;     ///< [P]
    std::vector<std::string> names;       ///< [P]
    ranks::Resources node;                ///< what this rank may use of its node to make views of them

    std::int64_t count() const { return static_cast<std::int64_t>(labels.size()); }
    bool in_memory() const { return pixels.defined(); }
    /// `pixels` on this device. The copy for a GPU is made once, and stays as long as the images do.
    const torch::Tensor& pixels_on(torch::Device device) const;
    /// Whether they lie there already.
    bool lie_on(torch::Device device) const;
    /// 0, 1, ..., P − 1.
    std::vector<std::int64_t> all_rows() const;
    /// Of the images as they lie in memory or in the file.
    std::int64_t bytes() const;
    /// The next image of the same class, in a circle: what stands in for one that cannot be decoded. `row` itself
    /// when it is the only one.
    std::int64_t next_of_class(std::int64_t row) const;

    mutable torch::Tensor copy_on_device;  ///< what pixels_on keeps
};
}  // namespace paws::data

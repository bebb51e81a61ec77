#pragma once

#include <torch/types.h>

#include <cstdint>
#include <optional>

namespace paws::loss
{
/// The labels of the supports: a class each, with an on and an off value in place of a label matrix. Kernels see the
/// supports sorted by class (see neighbours.hpp).
class SupportLabels
{
public:
    /// `class_of`: int64 [M] in host memory, every value in [0, classes). With smoothing s, off = s / classes and
    /// on = 1 − s + off, both rounded to float32: the published label matrix is one, also where the rest is in double.
    /// Throws std::invalid_argument for a class outside the range.
    SupportLabels(const torch::Tensor& class_of, std::int64_t classes, double smoothing = 0.0);

    /// The same with the two values of the label matrix given.
    SupportLabels(const torch::Tensor& class_of, std::int64_t classes, float on, float off);

    /// The labels of class-stratified batches in the published order, gathered rank after rank: images_per_class rounds
    /// over the rank's classes, the whole repeated for every view. Ranks have the same classes, 0 … classes_per_rank −
    /// 1, or, where they are unique to a rank, rank r has those from r · classes_per_rank on.
    static SupportLabels stratified(std::int64_t classes_per_rank, std::int64_t images_per_class, std::int64_t views,
                                    double smoothing, std::int64_t ranks = 1, bool unique_classes = false);

    std::int64_t classes() const { return classes_; }
    std::int64_t supports() const { return members_.size(0); }

    double on() const { return on_; }
    double off() const { return off_; }
    /// int32 [M]: which support is the j-th when they are sorted by class; within a class the order is kept.
    const torch::Tensor& members() const { return members_; }
    /// int32 [classes + 1]: where a class begins among them.
    const torch::Tensor& offsets() const { return offsets_; }
    /// int64 [M]: where support j stands among them.
    const torch::Tensor& places() const { return places_; }
    /// int32 [M]: the class of support j.
    const torch::Tensor& class_of() const { return class_of_; }
    /// A class with one support, which has no neighbour of its class.
    std::optional<std::int64_t> lone_class() const { return lone_class_; }

    /// The same for kernels on another device: all tensors above lie there.
    SupportLabels to(const torch::Device& device) const;

private:
    std::int64_t classes_;
    float on_, off_;
    torch::Tensor members_, offsets_, places_, class_of_;
    std::optional<std::int64_t> lone_class_;
};
}  // namespace paws::loss

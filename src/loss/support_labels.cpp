#include "src/loss/support_labels.hpp"

#include <fmt/format.h>

#include <stdexcept>
#include <vector>

namespace paws::loss
{
SupportLabels::SupportLabels(const torch::Tensor& class_of, std::int64_t classes, double smoothing)
    : SupportLabels(class_of, classes, static_cast<float>(1 - smoothing + smoothing / static_cast<double>(classes)),
                    static_cast<float>(smoothing / static_cast<double>(classes)))
{
}

SupportLabels::SupportLabels(const torch::Tensor& class_of, std::int64_t classes, float on, float off)
    : classes_(classes), on_(on), off_(off)
{
    const auto labels = class_of.contiguous();
    const auto count = labels.size(0);
    const auto* const label = labels.data_ptr<std::int64_t>();
    offsets_ = torch::zeros({classes + 1}, torch::kInt32);
    members_ = torch::empty({count}, torch::kInt32);
    auto* const offsets = offsets_.data_ptr<std::int32_t>();
    for (std::int64_t j = 0; j < count; ++j)
    {
        if (label[j] < 0 || label[j] >= classes)
        {
            throw std::invalid_argument(
                fmt::format("support {} has class {}, but there are {} classes", j, label[j], classes));
        }
        ++offsets[label[j] + 1];
    }
    for (std::int64_t k = 0; k < classes; ++k)
    {
        offsets[k + 1] += offsets[k];
    }
    std::vector<std::int32_t> next(offsets, offsets + classes);
    class_of_ = labels.to(torch::kInt32);
    places_ = torch::empty({count}, torch::kInt64);
    auto* const members = members_.data_ptr<std::int32_t>();
    auto* const places = places_.data_ptr<std::int64_t>();
    for (std::int64_t j = 0; j < count; ++j)
    {
        const auto place = next[static_cast<std::size_t>(label[j])]++;
        members[place] = static_cast<std::int32_t>(j);
        places[j] = place;
    }
    for (std::int64_t k = 0; k < classes && !lone_class_; ++k)
    {
        if (offsets[k + 1] - offsets[k] == 1)
        {
            lone_class_ = k;
        }
    }
}

SupportLabels SupportLabels::stratified(std::int64_t classes_per_rank, std::int64_t images_per_class,
                                        std::int64_t views, double smoothing, std::int64_t ranks, bool unique_classes)
{
    const auto of_rank = torch::arange(classes_per_rank, torch::kInt64).repeat({images_per_class * views});
    std::vector<torch::Tensor> all;
    for (std::int64_t r = 0; r < ranks; ++r)
    {
        all.push_back(unique_classes ? of_rank + r * classes_per_rank : of_rank);
    }
    return {torch::cat(all), classes_per_rank * (unique_classes ? ranks : 1), smoothing};
}

SupportLabels SupportLabels::to(const torch::Device& device) const
{
    auto moved = *this;
    for (auto* const tensor : {&moved.members_, &moved.offsets_, &moved.places_, &moved.class_of_})
    {
        *tensor = tensor->to(device);
    }
    return moved;
}
}  // namespace paws::loss

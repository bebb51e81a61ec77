#pragma once

// Epochs of batches from either source of views, to compare them.

#include <torch/types.h>

#include <vector>

#include "src/data/evaluation_loader.hpp"
#include "src/data/labelled_loader.hpp"
#include "src/data/paws_loader.hpp"

namespace paws::test
{
/// Every operation of the augmentation, each often enough.
inline const std::vector<std::string> all_augmentations{"data.grey_probability=0.2", "data.blur_probability=0.5",
                                                        "data.solarise_probability=0.5",
                                                        "data.equalise_probability=0.5"};

/// `more`, and all of them.
inline std::vector<std::string> augmented(std::vector<std::string> more = {})
{
    more.insert(more.end(), all_augmentations.begin(), all_augmentations.end());
    return more;
}

inline config::Config augmenting_on(config::AugmentOn where, config::Config config)
{
    config.data.augment_on = where;
    return config;
}

/// All tensors of an epoch, step after step; undefined ones are left out.
template <class Loader>
std::vector<torch::Tensor> epoch_of(Loader& loader, std::int64_t epoch, std::int64_t first_step = 0)
{
    std::vector<torch::Tensor> all;
    loader.start_epoch(epoch, first_step);
    while (auto batch = loader.next())
    {
        for (const auto* const tensor : batch->tensors())
        {
            if (tensor->defined())
            {
                all.push_back(*tensor);
            }
        }
    }
    return all;
}

inline std::vector<torch::Tensor> all_views(data::EvaluationLoader loader)
{
    std::vector<torch::Tensor> all;
    while (const auto views = loader.next())
    {
        all.push_back(*views);
    }
    return all;
}

/// How many of the tensors on a device are not, bit for bit, those of the host.
inline std::size_t count_different(const std::vector<torch::Tensor>& host, const std::vector<torch::Tensor>& device)
{
    std::size_t different = host.size() == device.size() ? 0 : 1;
    for (std::size_t i = 0; i < std::min(host.size(), device.size()); ++i)
    {
        different += host[i].equal(device[i].cpu()) && host[i].strides() == device[i].strides() ? 0 : 1;
    }
    return different;
}
}  // namespace paws::test

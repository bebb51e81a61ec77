#pragma once

#include <cstdint>

#include "src/config/config.hpp"
#include "src/data/dataset.hpp"

namespace paws::data
{
/// The data set that data.synthetic_* describe: labelled images from memory, the same for the same seed, so that a
/// step costs what it costs on real ones and no file does. Classes take turns, class k = row mod num_classes; an image
/// is a pattern of waves, by which its class can be learnt, and noise. There are as many different images as 64 MiB
/// hold, at least one of each class; the rows of a longer data set see them again. Throws nothing but std::bad_alloc.
Dataset synthetic_images(const config::Data& data, Splits splits, std::uint64_t seed);
}  // namespace paws::data

#pragma once

#include <map>
#include <string>
#include <vector>

#include "src/config/config.hpp"
#include "src/data/dataset.hpp"

namespace paws::data
{
/// What tells the data of a training run from others, wherever they lie: what a checkpoint keeps beside the weights, as
/// names and texts that begin with "data_".
using Content = std::map<std::string, std::string>;

/// Of the training split: the number of images with a checksum of them and of their labels, the names of the classes,
/// and which images are labelled and held out, in their order (rows; not the bytes of the lists). Reads no image that
/// is not in memory. Of synthetic images, which the settings describe, nothing.
Content content_of(const config::Data& data, const Dataset& dataset);

/// Those of a file's texts.
Content content_in(const std::map<std::string, std::string>& texts);

/// What differs, each in words ("600 → 594 images", "class 2 is 'kat', was 'cat'"); nothing where all that both know is
/// the same.
std::vector<std::string> differences(const Content& before, const Content& now);

/// The same for the names of the classes alone; empty too where `before` does not know them.
std::string class_difference(const Content& before, const std::vector<std::string>& class_names);
}  // namespace paws::data

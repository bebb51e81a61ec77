#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "src/config/config.hpp"
#include "src/data/images.hpp"

namespace paws::data
{
/// Some rows of the training split, and what a user should know of how they came about.
struct Rows
{
    std::vector<std::int64_t> rows;
    std::vector<std::string> notes;  ///< a line each
};

/// The images whose labels may be used: synthetic ones all; else those of data.labelled_list(); where there is no
/// list, and for ImageNet where the published one does not exist, each image keeps its label by the published coin
/// (io::draw_subset_coin_flip). Throws io::Error or config::Error.
Rows labelled_rows(const config::Data& data, const Images& train, const std::vector<std::string>& class_names);

/// imagenet_fine_tune: data.held_out_list(), if it exists; nothing for other data sets.
std::optional<std::string> existing_held_out_list(const config::Data& data);

/// The training images of that list, on which fine-tuning is evaluated; none without it. Throws io::Error.
Rows held_out_rows(const config::Data& data, const Images& train, const std::vector<std::int64_t>& labelled);

/// Throws config::Error for training that learns to tell classes apart where the labelled images are all of one.
void require_several_classes(const config::Config& config, const std::vector<std::int64_t>& targets,
                             const std::vector<std::string>& class_names, const std::string& source);

/// What the user should know where labels are too few to mean much, a line each: evaluations among images of one class,
/// classes without a labelled image for tasks that do without.
std::vector<std::string> notes_on_classes(const config::Config& config, const std::vector<std::int64_t>& targets,
                                          const std::vector<std::string>& class_names, const std::string& source);

/// Throws config::Error, naming the class, if one has fewer labelled images than a support batch takes of it on each
/// of `world_size` ranks (see ClassStratifiedSampler). Tasks without supports need none.
void require_enough_labels(const config::Config& config, const std::vector<std::int64_t>& targets,
                           const std::vector<std::string>& class_names, std::int64_t world_size);
}  // namespace paws::data

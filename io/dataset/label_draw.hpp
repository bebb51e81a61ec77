#pragma once

// Which images keep their label where no list says so.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace paws::io
{
/// The seed that the published implementation flips its coins with, whatever the configuration says.
constexpr std::uint64_t published_coin_seed = 0;

/// Tosses a coin for each of `count` images, in their order: each loses its label with probability
/// `unlabelled_fraction`. Gives the positions that keep theirs, ascending; there may be none.
///
/// These are, on every platform, the images that the published implementation keeps (PyTorch's CPU generator and
/// `bernoulli` of a single-precision probability), as long as images are in its order: classes sorted by name, and
/// files sorted by name in each. As there, seeds beyond 32 bits are cut to them.
/// Throws if the fraction is not at least 0 and less than 1.
std::vector<std::size_t> toss_for_labels(std::size_t count, double unlabelled_fraction, std::uint64_t seed);

/// The same for images with labels, of which every class needs one: a sampler that draws from each class could not go
/// on, and a class without a support is never predicted.
/// `labels`: [N], 0 to class_names.size() - 1. Throws, naming the class, if one is left without; and for other labels.
std::vector<std::size_t> draw_subset_coin_flip(std::span<const std::int64_t> labels,
                                               std::span<const std::string> class_names, double unlabelled_fraction,
                                               std::uint64_t seed = published_coin_seed);

/// Throws, naming the first such class and how many there are, if a class has no image among `labelled`, which are
/// positions in `labels`; names the image if its label is not 0 to class_names.size() - 1. `source` begins the
/// message: the list or the draw that the positions come from.
void require_every_class(std::span<const std::size_t> labelled, std::span<const std::int64_t> labels,
                         std::span<const std::string> class_names, const std::string& source);
}  // namespace paws::io

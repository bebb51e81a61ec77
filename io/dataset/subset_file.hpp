#pragma once

// Which images of a split are labelled: a text file with one image a line.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace paws::io
{
/// Reads a subset file of a split of `names.size()` images; gives positions in the split, in the order of the lines.
/// A line is a position, counted from 0 (`1234`), or an image's name (`train/000123`), for which its last part will do
/// (`n01440764_10026.JPEG` for `n01440764/n01440764_10026.JPEG`). The first line says which of the two the file has.
/// Empty lines and spaces around are passed over.
/// Throws, naming the line, for a position beyond the split, a name that is unknown or that several images have, an
/// image that comes twice; and if there is no image at all.
std::vector<std::size_t> read_subset(const std::filesystem::path& path, std::span<const std::string> names);

/// Positions, one a line.
std::string subset_text(std::span<const std::size_t> indices);

/// Writes them, atomically.
void write_subset(const std::filesystem::path& path, std::span<const std::size_t> indices);

/// Draws `per_class` images of every class, without putting back; the result ascends. The same seed gives the same
/// images on every platform, and a class's images do not depend on the other classes.
/// `labels`: [N], 0 to num_classes - 1. Throws for other labels, for per_class 0, or if a class has too few images.
std::vector<std::size_t> draw_subset_per_class(std::span<const std::int64_t> labels, std::size_t num_classes,
                                               std::size_t per_class, std::uint64_t seed);

/// The same with `fraction` of the images of every class, rounded to the nearest number (halves up), one at least.
/// Throws if the fraction is not above 0 and at most 1, or if a class has no images.
std::vector<std::size_t> draw_subset_fraction(std::span<const std::int64_t> labels, std::size_t num_classes,
                                              double fraction, std::uint64_t seed);
}  // namespace paws::io

#pragma once

#include <turbojpeg.h>

#include <cmath>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "io/hdf5/h5.hpp"
#include "src/data/images.hpp"
#include "tests/support/catch.hpp"

namespace paws::test
{
/// A grey wave along the rows, [height, width, 3], `length` pixels long, from 28 to 228.
inline std::vector<std::uint8_t> wave(int height, int width, double length)
{
    std::vector<std::uint8_t> pixels;
    for (int i = 0; i < height * width; ++i)
    {
        const auto value = 128 + 100 * std::sin(2 * 3.14159265358979 * (i % width) / length);
        pixels.insert(pixels.end(), 3, static_cast<std::uint8_t>(std::lround(value)));
    }
    return pixels;
}

/// As a JPEG of the best quality.
inline std::vector<std::uint8_t> jpeg_of(const std::vector<std::uint8_t>& pixels, int height, int width)
{
    const std::unique_ptr<void, int (*)(void*)> compressor(tjInitCompress(), tjDestroy);
    unsigned char* bytes = nullptr;
    unsigned long size = 0;
    REQUIRE(tjCompress2(compressor.get(), pixels.data(), width, 0, height, TJPF_RGB, &bytes, &size, TJSAMP_444, 100,
                        TJFLAG_ACCURATEDCT) == 0);
    std::vector<std::uint8_t> result(bytes, bytes + size);
    tjFree(bytes);
    return result;
}

/// A packed file whose training split is these encoded images, of one class.
inline void write_encoded(const std::filesystem::path& path, const std::vector<std::vector<std::uint8_t>>& images)
{
    std::vector<std::uint8_t> all;
    std::vector<std::uint64_t> offsets{0};
    std::vector<std::string> names;
    for (const auto& image : images)
    {
        all.insert(all.end(), image.begin(), image.end());
        offsets.push_back(all.size());
        names.push_back("picture" + std::to_string(names.size()) + ".jpg");
    }
    auto file = io::h5::File::create(path);
    file.set_attribute<std::string>("format", "paws-dataset");
    file.set_attribute<std::int64_t>("version", 1);
    file.write_strings("class_names", {"wave"});
    file.write<std::int64_t>("train/labels", std::vector<std::int64_t>(images.size()), {images.size()});
    file.write_strings("train/names", names);
    file.write<std::uint8_t>("train/encoded", all, {all.size()});
    file.write<std::uint64_t>("train/offsets", offsets, {offsets.size()});
    file.save();
}

/// The training split of such a file.
inline data::Images encoded_split(const std::filesystem::path& path)
{
    const auto file = std::make_shared<const io::DatasetFile>(path);
    data::Images images;
    images.labels = file->labels("train");
    images.names = file->names("train");
    images.stored = std::make_shared<data::StoredSplit>(file, "train", 0);
    return images;
}
}  // namespace paws::test

#include "src/data/synthetic.hpp"

#include <fmt/format.h>

#include <algorithm>

#include <cmath>
#include <limits>
#include <random>

namespace paws::data
{
namespace
{
constexpr std::int64_t most_bytes = std::int64_t{64} << 20;

/// [size, 3] of a wave along one side, of `cycles` cycles and another phase for each colour.
std::vector<int> wave(std::int64_t size, double cycles, const std::array<double, 3>& phases)
{
    constexpr double pi = 3.14159265358979;
    constexpr double amplitude = 40;
    std::vector<int> values;
    for (std::int64_t i = 0; i < size; ++i)
    {
        for (const auto phase : phases)
        {
            const auto place = static_cast<double>(i) / static_cast<double>(size);
            values.push_back(static_cast<int>(amplitude * std::sin(2 * pi * (cycles * place + phase))));
        }
    }
    return values;
}

/// Images [count, height, width, 3] from the waves of their classes, and of -32 to 31 of noise.
torch::Tensor make_pixels(std::int64_t count, const config::Data& data, std::uint64_t seed)
{
    const auto height = data.synthetic_height, width = data.synthetic_width;
    auto pixels = torch::empty({count, height, width, 3}, torch::kUInt8);
    for (std::int64_t n = 0; n < count; ++n)
    {
        const auto k = n % data.num_classes;
        // What is common to a class is drawn from it alone. The engine's own numbers are the same everywhere.
        std::mt19937_64 of_class(static_cast<std::uint64_t>(k));
        const auto unit = [&] { return static_cast<double>(of_class() % 1000) / 1000; };
        const auto along_rows = 1 + 4 * unit(), along_columns = 1 + 4 * unit();
        const auto column = wave(height, along_columns, {unit(), unit(), unit()});
        const auto row = wave(width, along_rows, {unit(), unit(), unit()});
        std::mt19937_64 noise(seed * 0x9e3779b97f4a7c15U + static_cast<std::uint64_t>(n));
        auto* out = pixels.data_ptr<std::uint8_t>() + n * height * width * 3;
        std::uint64_t bits = 0;
        std::size_t left = 0;
        for (std::int64_t y = 0; y < height; ++y)
        {
            const auto* const of_row = column.data() + 3 * y;
            for (std::int64_t x = 0; x < 3 * width; ++x)
            {
                bits = left == 0 ? noise() : bits >> 6;
                left = left == 0 ? 9 : left - 1;
                const auto value = 128 + of_row[x % 3] + row[static_cast<std::size_t>(x)];
                *out++ = static_cast<std::uint8_t>(value + static_cast<int>(bits & 63) - 32);
            }
        }
    }
    return pixels;
}

Images make_split(const std::string& split, std::int64_t count, const config::Data& data, std::uint64_t seed)
{
    Images images;
    const auto in_memory = most_bytes / (data.synthetic_height * data.synthetic_width * 3);
    // Whole turns of the classes, so that what comes again has the same class.
    const auto turns = std::max<std::int64_t>(1, in_memory / data.num_classes);
    images.pixels = make_pixels(std::min(count, turns * data.num_classes), data, seed);
    for (std::int64_t row = 0; row < count; ++row)
    {
        images.labels.push_back(row % data.num_classes);
        images.names.push_back(fmt::format("{}/{}", split, row));
    }
    return images;
}
}  // namespace

Dataset synthetic_images(const config::Data& data, Splits splits, std::uint64_t seed)
{
    Dataset dataset;
    dataset.source = dataset.read_from = "synthetic";
    for (std::int64_t k = 0; k < data.num_classes; ++k)
    {
        dataset.class_names.push_back(fmt::format("{}", k));
    }
    dataset.train = make_split(data.train_split, data.synthetic_train, data, 2 * seed);
    if (splits == Splits::train_and_validation)
    {
        dataset.validation = make_split(data.validation_split, data.synthetic_validation, data, 2 * seed + 1);
    }
    return dataset;
}
}  // namespace paws::data

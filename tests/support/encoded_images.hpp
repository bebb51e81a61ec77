#pragma once

// Images as JPEG and PNG files: packed files of them, and folders of class folders.

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include "io/files/checksum.hpp"
#include "io/hdf5/h5.hpp"
#include "tests/support/small_run.hpp"

namespace paws::test
{
inline std::string bytes_of(const std::filesystem::path& path)
{
    std::ifstream stream(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
}

/// One of some whole images of different sizes and kinds.
inline std::string image_bytes(std::size_t number)
{
    constexpr const char* names[] = {"baseline_420.jpg", "progressive.jpg", "grey.jpg",
                                     "palette.png",      "grey.png",        "thin_3x200.jpg"};
    return bytes_of(std::filesystem::path(PAWS_TEST_DATA) / "pictures" / names[number % std::size(names)]);
}

/// A JPEG whose end is missing.
inline std::string truncated_image()
{
    const auto whole = image_bytes(0);
    return whole.substr(0, whole.size() / 2);
}

/// A split of encoded images.
struct EncodedSplit
{
    std::vector<std::string> images;
    std::vector<std::int64_t> labels;
    std::vector<std::string> names;

    void add(const std::string& class_name, std::int64_t label, const std::string& file, const std::string& bytes)
    {
        images.push_back(bytes);
        labels.push_back(label);
        names.push_back(class_name + "/" + file);
    }
};

/// `per_class` images of each class, all of class a first: a/a_0.JPEG, a/a_1.JPEG, ...
inline EncodedSplit encoded_split(const std::vector<std::string>& class_names, std::size_t per_class)
{
    EncodedSplit split;
    for (std::size_t k = 0; k < class_names.size(); ++k)
    {
        for (std::size_t n = 0; n < per_class; ++n)
        {
            split.add(class_names[k], static_cast<std::int64_t>(k), fmt::format("{}_{}.JPEG", class_names[k], n),
                      image_bytes(k * per_class + n));
        }
    }
    return split;
}

inline void write_encoded(const std::filesystem::path& path, const std::vector<std::string>& class_names,
                          const std::map<std::string, EncodedSplit>& splits, bool with_checksums = true)
{
    auto file = io::h5::File::create(path);
    file.set_attribute<std::string>("format", "paws-dataset");
    file.set_attribute<std::int64_t>("version", 1);
    file.write_strings("class_names", class_names);
    for (const auto& [name, split] : splits)
    {
        std::vector<std::uint8_t> bytes;
        std::vector<std::uint64_t> offsets{0};
        std::vector<std::uint32_t> checksums;
        for (const auto& image : split.images)
        {
            bytes.insert(bytes.end(), image.begin(), image.end());
            offsets.push_back(bytes.size());
            checksums.push_back(io::crc32(std::as_bytes(std::span(image))));
        }
        file.write<std::int64_t>(name + "/labels", split.labels, {split.labels.size()});
        file.write_strings(name + "/names", split.names);
        file.write<std::uint8_t>(name + "/encoded", bytes, {bytes.size()});
        file.write<std::uint64_t>(name + "/offsets", offsets, {offsets.size()});
        if (with_checksums)
        {
            file.write<std::uint32_t>(name + "/checksums", checksums, {checksums.size()});
        }
    }
    file.save();
}

/// A folder of class folders with `per_class` images in each class of train, and one in each of val.
inline void write_image_folder(const std::filesystem::path& folder, const std::vector<std::string>& class_names,
                               std::size_t per_class)
{
    for (const auto& [name, split] :
         {std::pair{"train", encoded_split(class_names, per_class)}, std::pair{"val", encoded_split(class_names, 1)}})
    {
        for (std::size_t n = 0; n < split.names.size(); ++n)
        {
            const auto path = folder / name / split.names[n];
            std::filesystem::create_directories(path.parent_path());
            std::ofstream(path, std::ios::binary) << split.images[n];
        }
    }
}

/// A configuration that trains on photographs of few pixels.
inline std::string photographs_yaml(const std::string& data, const std::filesystem::path& runs)
{
    return fmt::format(R"(task: paws_train
meta: {{model_name: wide_resnet16w1, output_dim: 16, use_pred_head: true, device: cpu, precision: fp32}}
criterion:
  unsupervised_batch_size: 4
  classes_per_batch: 2
  supervised_imgs_per_class: 2
  supervised_views: 1
  temperature: 0.1
  sharpen: 0.25
  me_max: true
data: {{{}, crop_size: 16, multicrop: 1, small_crop_size: 8, label_smoothing: 0.1}}
optimization: {{epochs: 1, warmup: 0, start_lr: 0.1, lr: 0.1, final_lr: 0.01, momentum: 0.9, nesterov: false, weight_decay: 1.0e-06}}
logging: {{folder: {}, write_tag: small, log_every: 1}}
)",
                       data, runs.string());
}

inline config::Config photographs_config(const std::string& data, const std::vector<std::string>& overrides = {})
{
    return config::parse(photographs_yaml(data, "run"), "photographs.yaml", overrides);
}
}  // namespace paws::test

#pragma once

#include <fmt/format.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <string>

#include "io/dataset/dataset_file.hpp"
#include "io/dataset/subset_file.hpp"
#include "src/config/config.hpp"

namespace paws::test
{
/// A folder of its own for a test, removed at the end.
class Folder
{
public:
    Folder()
    {
        static int count = 0;
        path_ = std::filesystem::temp_directory_path() / fmt::format("paws-test-{}-{}", getpid(), count++);
        std::filesystem::create_directories(path_);
    }
    ~Folder()
    {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;

    std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

private:
    std::filesystem::path path_;
};

/// Images that tell their class by the direction of stripes, with some variation.
inline io::ImageSet striped_images(std::size_t count, std::size_t classes, std::size_t side)
{
    io::ImageSet set;
    set.height = set.width = side;
    for (std::size_t n = 0; n < count; ++n)
    {
        const auto k = n % classes;
        const double angle = 3.14159 * static_cast<double>(k) / static_cast<double>(classes);
        for (std::size_t y = 0; y < side; ++y)
        {
            for (std::size_t x = 0; x < side; ++x)
            {
                const double along =
                    std::cos(angle) * static_cast<double>(x) + std::sin(angle) * static_cast<double>(y);
                for (std::size_t c = 0; c < 3; ++c)
                {
                    const double value =
                        128 + 90 * std::sin(1.1 * along + 0.7 * static_cast<double>(n) + static_cast<double>(c));
                    set.pixels.push_back(static_cast<std::uint8_t>(value));
                }
            }
        }
        set.labels.push_back(static_cast<std::int64_t>(k));
        set.names.push_back(fmt::format("{:03}", n));
    }
    return set;
}

/// A small data set, its labelled subset, and a configuration that trains on it in a second.
struct SmallRun
{
    Folder folder;

    SmallRun()
    {
        io::DatasetContent content;
        content.class_names = {"a", "b", "c"};
        content.splits["train"] = striped_images(26, 3, 16);
        content.splits["val"] = striped_images(12, 3, 16);
        io::write_dataset(data(), content);
        const auto& labels = content.splits["train"].labels;
        io::write_subset(subset(), io::draw_subset_per_class(labels, 3, 4, 0));
    }

    std::filesystem::path data() const { return folder / "data.h5"; }
    std::filesystem::path subset() const { return folder / "labelled.txt"; }

    std::string yaml(const std::string& run) const
    {
        return described(run, R"(task: paws_train
meta: {model_name: wide_resnet16w1, output_dim: 16, use_pred_head: true, device: cpu, precision: fp32}
criterion:
  unsupervised_batch_size: 8
  classes_per_batch: 3
  supervised_imgs_per_class: 2
  supervised_views: 2
  temperature: 0.1
  sharpen: 0.25
  me_max: true
data: {multicrop: 1, small_crop_size: 8, label_smoothing: 0.1)");
    }

    /// SimCLR, with SuNCEt in all epochs but the last.
    std::string suncet_yaml(const std::string& run) const
    {
        return described(run, R"(task: suncet_train
meta: {model_name: wide_resnet16w1, output_dim: 16, device: cpu, precision: fp32}
criterion:
  unsupervised_batch_size: 8
  classes_per_batch: 3
  supervised_imgs_per_class: 2
  supervised_views: 1
  supervised_epochs: 2
  temperature: 0.1
data: {label_smoothing: 0.0)");
    }

    /// SuNCEt on the labelled images, started from FOLDER/first/small-latest.h5, which config("first") makes.
    std::string snn_yaml(const std::string& run) const
    {
        return fine_tuning(run, R"(task: snn_fine_tune
meta: {model_name: wide_resnet16w1, output_dim: 16, use_pred_head: true, device: cpu, precision: fp32}
criterion: {classes_per_batch: 3, supervised_batch_size: 2, supervised_views: 2, temperature: 0.1}
data: {label_smoothing: 0.0)");
    }

    /// A classifier, started likewise.
    std::string fine_tune_yaml(const std::string& run) const
    {
        auto text = fine_tuning(run, R"(task: fine_tune
meta: {model_name: wide_resnet16w1, device: cpu, precision: fp32}
data: {num_classes: 3)");
        return text.replace(text.find("epochs: 3"), 9, "batch_size: 4, epochs: 3");
    }

    config::Config config(const std::string& run, const std::vector<std::string>& overrides = {}) const
    {
        return config::parse(yaml(run), "small.yaml", overrides);
    }

    config::Config suncet_config(const std::string& run, const std::vector<std::string>& overrides = {}) const
    {
        return config::parse(suncet_yaml(run), "small.yaml", overrides);
    }

    config::Config snn_config(const std::string& run, const std::vector<std::string>& overrides = {}) const
    {
        return config::parse(snn_yaml(run), "small.yaml", overrides);
    }

    config::Config fine_tune_config(const std::string& run, const std::vector<std::string>& overrides = {}) const
    {
        return config::parse(fine_tune_yaml(run), "small.yaml", overrides);
    }

private:
    /// The same with a checkpoint to start from.
    std::string fine_tuning(const std::string& run, const std::string& method) const
    {
        auto text = described(run, method);
        const auto start = (folder / "first/small-latest.h5").string();
        return text.replace(text.find("write_tag: small"), 16, "write_tag: small, pretrain_path: " + start);
    }

    /// `method` ends inside of the section `data`.
    std::string described(const std::string& run, const std::string& method) const
    {
        return method + fmt::format(R"(, dataset: hdf5, file: {}, subset: {}, crop_size: 16}}
optimization: {{epochs: 3, warmup: 1, start_lr: 0.1, lr: 0.5, final_lr: 0.01, momentum: 0.9, nesterov: false, weight_decay: 1.0e-06}}
logging: {{folder: {}, write_tag: small, log_every: 1, eval_every: 1}}
)",
                                    data().string(), subset().string(), (folder / run).string());
    }
};
}  // namespace paws::test

#pragma once

#include <torch/types.h>

#include <memory>
#include <optional>

#include "src/config/config.hpp"
#include "src/data/images.hpp"
#include "src/data/view_pipeline.hpp"
#include "src/data/view_source.hpp"

namespace paws::data
{
/// Throws config::Error where data.augment_on asks for what these images do not allow, on any device.
void check_augment_on(const config::Data& data, const Images& images);

/// Whether a run on `device` makes the views of these images where the run is, from a copy of all images there
/// (ResidentViews), and not by threads of the host (ViewPipeline): as data.augment_on says; auto does on a GPU, for
/// images in memory that take no more than a quarter of what is free there. Throws config::Error where it should and
/// cannot.
bool augments_on_device(const config::Data& data, const Images& images, torch::Device device);

/// Where the views of some images are made, and where they go: decided once for all epochs.
class ViewPlace
{
public:
    /// `images` must outlive it. Throws as augments_on_device.
    ViewPlace(const Images& images, const config::Data& data, torch::Device device);

    /// A source of batches on the device. Of the settings, only `reuse` has a meaning for views that are made there.
    std::unique_ptr<ViewSource> source(const ViewPipeline::Settings& settings, NextPlan next_plan) const;

    torch::Device device() const { return device_; }

private:
    const Images& images_;
    torch::Device device_;
    bool on_device_;
};
}  // namespace paws::data

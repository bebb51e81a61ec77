#include "src/data/view_place.hpp"

#include <fmt/format.h>

#include "io/base/quantity.hpp"
#include "src/data/resident_views.hpp"
#include "src/device/device.hpp"

namespace paws::data
{
void check_augment_on(const config::Data& data, const Images& images)
{
    if (data.augment_on != config::AugmentOn::device || !images.stored)
    {
        return;
    }
    const auto& split = *images.stored;
    if (split.is_encoded())
    {
        throw config::Error(
            "data.augment_on: device needs images of one size, and these are JPEG and PNG files of many sizes; leave "
            "it at auto, or set it to host");
    }
    throw config::Error(fmt::format(
        "data.augment_on: device needs the images in memory, and these {} are more than data.cache_gb leaves "
        "for them; raise data.cache_gb, or leave data.augment_on at auto",
        io::gibibytes(split.bytes())));
}

bool augments_on_device(const config::Data& data, const Images& images, torch::Device device)
{
    check_augment_on(data, images);
    if (data.augment_on == config::AugmentOn::host || !images.in_memory())
    {
        return false;
    }
    const bool must = data.augment_on == config::AugmentOn::device;
    if (!device.is_cuda() || images.lie_on(device))
    {
        return must || device.is_cuda();
    }
    const auto free = device::free_gpu_bytes();
    if (must && images.bytes() > free)
    {
        throw config::Error(fmt::format(
            "data.augment_on: device needs {} of the GPU's memory for the images, of which {:.2f} are free; "
            "leave it at auto, or set it to host",
            io::gibibytes(images.bytes()), static_cast<double>(free) / (1LL << 30)));
    }
    return must || images.bytes() <= free / 4;
}

ViewPlace::ViewPlace(const Images& images, const config::Data& data, torch::Device device)
    : images_(images), device_(device), on_device_(augments_on_device(data, images, device))
{
}

std::unique_ptr<ViewSource> ViewPlace::source(const ViewPipeline::Settings& settings, NextPlan next_plan) const
{
    if (on_device_)
    {
        return std::make_unique<ResidentViews>(images_.pixels_on(device_), settings.reuse, std::move(next_plan));
    }
    return std::make_unique<ViewPipeline>(images_, settings, std::move(next_plan), device_);
}
}  // namespace paws::data

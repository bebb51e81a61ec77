#pragma once

#include <torch/torch.h>

#include <array>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include "kernels/augment/spec.hpp"
#include "src/data/pictures.hpp"

namespace paws::data
{
/// A random training view.
struct RandomView
{
    kernels::AugmentSpec spec;
    kernels::AugmentKey key;
};

/// The view of evaluation: the shorter side resized to `resize` pixels (0: not), then the centre crop.
struct CenterView
{
    int resize = 0;
    int crop = 0;
    std::array<float, 3> mean{0, 0, 0};
    std::array<float, 3> std{1, 1, 1};
};

using ViewKind = std::variant<RandomView, CenterView>;

/// One view of a picture, and where it goes.
struct ViewOrder
{
    std::size_t kind = 0;
    std::uint32_t number = 0;  ///< of a random view
    float* out = nullptr;      ///< [size, size, 3]
};

/// All the views of one picture, which is decoded once for them.
struct PictureOrder
{
    std::int64_t row = 0;
    std::vector<ViewOrder> views;
};

/// A batch as it is asked for: empty tensors, and what belongs where in them.
struct BatchPlan
{
    std::vector<torch::Tensor> tensors;
    std::vector<ViewKind> kinds;
    std::vector<PictureOrder> pictures;
};

/// Prepares batches of views while the last ones are being used: a thread plans batches and reads their pictures,
/// `workers` threads decode them and make the views, and next() gives the batches in the order of their plans.
/// A batch's values depend on its plan alone, not on timing or the number of threads.
class ViewPipeline
{
public:
    struct Settings
    {
        std::size_t workers = 1;
        std::size_t batches_ahead = 2;  ///< planned, being filled, or waiting for next(): a limit on memory
        bool reduced_decoding = true;   ///< JPEGs are decoded smaller where all their views allow it
        bool reuse = false;             ///< the views of the first batch serve for all
        bool skip_broken = false;       ///< a picture that cannot be decoded is replaced by the next of its class
    };

    /// Called by the reading thread, one call at a time; nothing ends the sequence.
    using NextPlan = std::function<std::optional<BatchPlan>()>;

    /// `pictures` must outlive the pipeline.
    ViewPipeline(const Pictures& pictures, const Settings& settings, NextPlan next_plan);
    ~ViewPipeline();
    ViewPipeline(const ViewPipeline&) = delete;
    ViewPipeline& operator=(const ViewPipeline&) = delete;

    /// The tensors of the next batch, nothing after the last one. Rethrows what went wrong while preparing it: a broken
    /// picture (io::Error that names it), a failed plan.
    std::optional<std::vector<torch::Tensor>> next();

    /// Seconds that next() has waited.
    double seconds_waited() const { return seconds_waited_; }

    /// What the workers have spent on decoding and augmenting the batch that next() gave last, all together.
    double seconds_making() const { return seconds_making_; }

    /// What was said of the pictures that were replaced, each once.
    std::set<std::string> broken() const;

private:
    struct Batch;
    class Worker;

    void read_ahead(const std::stop_token& stop);
    void work(const std::stop_token& stop);
    void end_with(std::exception_ptr failure);

    const Pictures& pictures_;
    const Settings settings_;
    NextPlan next_plan_;

    mutable std::mutex mutex_;
    std::condition_variable_any changed_;
    std::deque<std::shared_ptr<Batch>> batches_;
    bool planned_all_ = false;
    std::exception_ptr failure_;
    std::set<std::string> broken_;
    double seconds_waited_ = 0;
    double seconds_making_ = 0;

    std::jthread reader_;
    std::vector<std::jthread> workers_;
};
}  // namespace paws::data

#pragma once

#include <torch/types.h>

#include <condition_variable>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "src/data/batch_plan.hpp"
#include "src/data/images.hpp"
#include "src/data/view_source.hpp"

namespace paws::data
{
/// Prepares batches of views on the host while the last ones are being used: a thread plans batches and reads their
/// images, `workers` threads decode them and make the views. Batches for a GPU are made in pinned memory, and copied
/// by next().
class ViewPipeline : public ViewSource
{
public:
    struct Settings
    {
        std::size_t workers = 1;
        std::size_t batches_ahead = 2;  ///< planned, being filled, or waiting for next(): a limit on memory
        bool reduced_decoding = true;   ///< JPEGs are decoded smaller where all their views allow it
        bool reuse = false;             ///< the views of the first batch serve for all
        bool skip_broken = false;       ///< an image that cannot be decoded is replaced by the next of its class
    };

    /// `next_plan` is called by the reading thread. `images` must outlive the pipeline.
    ViewPipeline(const Images& images, const Settings& settings, NextPlan next_plan,
                 torch::Device device = torch::kCPU);
    ~ViewPipeline() override;
    ViewPipeline(const ViewPipeline&) = delete;
    ViewPipeline& operator=(const ViewPipeline&) = delete;

    std::optional<ViewBatch> next() override;
    double seconds_waited() const override { return seconds_waited_; }
    double seconds_making() const override { return seconds_making_; }
    std::set<std::string> corrupt() const override;

private:
    struct Batch;
    class Worker;

    void read_ahead(const std::stop_token& stop);
    void work(const std::stop_token& stop);
    void end_with(std::exception_ptr failure);
    std::shared_ptr<Batch> take_front();
    ViewBatch send_batch(const Batch& batch) const;

    const Images& images_;
    const Settings settings_;
    NextPlan next_plan_;
    const torch::Device device_;
    std::optional<ViewBatch> reused_;

    mutable std::mutex mutex_;
    std::condition_variable_any changed_;
    std::deque<std::shared_ptr<Batch>> batches_;
    bool planned_all_ = false;
    std::exception_ptr failure_;
    std::set<std::string> corrupt_;
    double seconds_waited_ = 0;
    double seconds_making_ = 0;

    std::jthread reader_;
    std::vector<std::jthread> workers_;
};
}  // namespace paws::data

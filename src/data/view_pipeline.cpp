#include "src/data/view_pipeline.hpp"

#include <algorithm>
#include <chrono>

#include "io/base/seconds.hpp"
#include "src/data/pinned_memory.hpp"
#include "src/data/view_maker.hpp"

namespace paws::data
{
namespace
{
/// Small images are taken several at a time: a lock for each would cost as much as its views.
constexpr std::size_t images_at_a_time = 4;
}  // namespace

struct ViewPipeline::Batch
{
    BatchPlan plan;
    std::vector<torch::Tensor> views;        ///< of each kind, on the host; none where the first batch's are reused
    std::vector<float*> begins;              ///< of each of them
    std::vector<StoredSplit::Bytes> stored;  ///< of each image; empty for images in memory
    std::size_t taken = 0;                   ///< images that a worker has or had in hand
    std::size_t done = 0;
    double seconds = 0;  ///< that workers have spent on it

    std::size_t count() const { return plan.images.size(); }
};

ViewPipeline::ViewPipeline(const Images& images, const Settings& settings, NextPlan next_plan, torch::Device device)
    : images_(images),
      settings_(settings),
      next_plan_(std::move(next_plan)),
      device_(device),
      reader_([this](const std::stop_token& stop) { read_ahead(stop); })
{
    for (std::size_t i = 0; i < std::max<std::size_t>(1, settings_.workers); ++i)
    {
        workers_.emplace_back([this](const std::stop_token& stop) { work(stop); });
    }
}

ViewPipeline::~ViewPipeline()
{
    reader_.request_stop();
    for (auto& worker : workers_)
    {
        worker.request_stop();
    }
}

void ViewPipeline::end_with(std::exception_ptr failure)
{
    const std::lock_guard lock(mutex_);
    failure_ = failure_ ? failure_ : std::move(failure);
    changed_.notify_all();
}

void ViewPipeline::read_ahead(const std::stop_token& stop)
{
    try
    {
        bool is_first = true;
        while (true)
        {
            {
                std::unique_lock lock(mutex_);
                if (!changed_.wait(lock, stop, [this] { return batches_.size() < settings_.batches_ahead; }))
                {
                    return;
                }
            }
            auto plan = next_plan_();
            if (!plan)
            {
                break;
            }
            auto batch = std::make_shared<Batch>();
            batch->plan = std::move(*plan);
            if (settings_.reuse && !is_first)
            {
                batch->plan.images.clear();
            }
            else
            {
                batch->views = empty_views(batch->plan, staging_memory(torch::kFloat32, device_));
                std::transform(batch->views.begin(), batch->views.end(), std::back_inserter(batch->begins),
                               [](const torch::Tensor& views) { return views.data_ptr<float>(); });
            }
            is_first = false;
            if (!images_.in_memory())
            {
                std::vector<std::int64_t> rows;
                for (const auto& image : batch->plan.images)
                {
                    rows.push_back(image.row);
                }
                batch->stored = images_.stored->read(rows);
            }
            const std::lock_guard lock(mutex_);
            batches_.push_back(std::move(batch));
            changed_.notify_all();
        }
    }
    catch (...)
    {
        end_with(std::current_exception());
    }
    const std::lock_guard lock(mutex_);
    planned_all_ = true;
    changed_.notify_all();
}

void ViewPipeline::work(const std::stop_token& stop)
{
    try
    {
        ViewMaker maker(images_, settings_.skip_broken, settings_.reduced_decoding);
        std::set<std::string> corrupt;
        const std::size_t at_a_time = images_.in_memory() ? images_at_a_time : 1;
        const auto to_do = [](const std::shared_ptr<Batch>& batch) { return batch->taken < batch->count(); };
        while (true)
        {
            std::shared_ptr<Batch> batch;
            std::size_t first = 0, last = 0;
            {
                std::unique_lock lock(mutex_);
                const auto something = [&] { return std::any_of(batches_.begin(), batches_.end(), to_do); };
                if (!changed_.wait(lock, stop, something))
                {
                    return;
                }
                batch = *std::find_if(batches_.begin(), batches_.end(), to_do);
                first = batch->taken;
                batch->taken = last = std::min(batch->count(), first + at_a_time);
            }
            const auto start = std::chrono::steady_clock::now();
            for (std::size_t i = first; i < last; ++i)
            {
                maker.make(batch->plan.images[i], batch->plan.kinds, batch->begins,
                           batch->stored.empty() ? nullptr : std::move(batch->stored[i]), corrupt);
            }
            const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
            const std::lock_guard lock(mutex_);
            batch->seconds += seconds.count();
            batch->done += last - first;
            corrupt_.merge(corrupt);
            if (batch->done == batch->count())
            {
                changed_.notify_all();
            }
        }
    }
    catch (...)
    {
        end_with(std::current_exception());
    }
}

std::shared_ptr<ViewPipeline::Batch> ViewPipeline::take_front()
{
    const auto start = std::chrono::steady_clock::now();
    std::unique_lock lock(mutex_);
    const auto front_is_done = [this]
    { return !batches_.empty() && batches_.front()->done == batches_.front()->count(); };
    changed_.wait(lock, [&] { return front_is_done() || failure_ || (batches_.empty() && planned_all_); });
    seconds_waited_ += io::seconds_since(start);
    if (front_is_done())
    {
        auto batch = std::move(batches_.front());
        batches_.pop_front();
        changed_.notify_all();
        return batch;
    }
    if (failure_)
    {
        std::rethrow_exception(failure_);
    }
    return nullptr;
}

ViewBatch ViewPipeline::send_batch(const Batch& batch) const
{
    ViewBatch sent;
    for (const auto& views : batch.views)
    {
        sent.views.push_back(channels_last(send(views, device_)));
    }
    sent.classes = sent_values(batch.plan.classes, device_);
    return sent;
}

std::optional<ViewBatch> ViewPipeline::next()
{
    const auto batch = take_front();
    if (!batch)
    {
        return std::nullopt;
    }
    seconds_making_ = batch->seconds;
    if (reused_)
    {
        return reused_;
    }
    auto sent = send_batch(*batch);
    if (settings_.reuse)
    {
        reused_ = sent;
    }
    return sent;
}

std::set<std::string> ViewPipeline::corrupt() const
{
    const std::lock_guard lock(mutex_);
    return corrupt_;
}
}  // namespace paws::data

#pragma once

#include <torch/torch.h>

#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>

#include "src/config/config.hpp"
#include "src/data/dataset.hpp"
#include "src/data/samplers.hpp"

namespace paws::data
{
/// The pictures of one training step, channels-last float32.
struct PawsBatch
{
    torch::Tensor supports;  ///< [classes · imgs · views, 3, S, S], view after view, classes in turn
    torch::Tensor large;     ///< [2B, 3, S, S], first views, then second views
    torch::Tensor small;     ///< [multicrop · B, 3, s, s], crop after crop; undefined when multicrop is 0
};

/// Batches of an epoch, prepared by a thread of its own while the training step runs.
/// What a batch holds depends on configuration, epoch and position only, not on timing.
class PawsLoader
{
public:
    /// `dataset` must outlive the loader. Throws SamplerError when a batch cannot be filled.
    PawsLoader(const Dataset& dataset, const config::Config& config);
    ~PawsLoader();
    PawsLoader(const PawsLoader&) = delete;
    PawsLoader& operator=(const PawsLoader&) = delete;

    std::int64_t steps_per_epoch() const { return unlabelled_sampler_.batches_per_epoch(); }

    void start_epoch(std::int64_t epoch);

    /// The next batch, nothing after the epoch's last one. Rethrows what went wrong while preparing it.
    std::optional<PawsBatch> next();

    /// Seconds that next() has waited since start_epoch.
    double seconds_waited() const { return seconds_waited_; }

    /// Where the support sampler stands; taken and given back between epochs.
    ClassStratifiedSampler::State support_state() const { return support_sampler_.state(); }
    void restore_support_state(const ClassStratifiedSampler::State& state) { support_sampler_.restore(state); }

private:
    void produce(std::int64_t epoch, const std::stop_token& stop);
    PawsBatch prepare(std::int64_t epoch, std::int64_t step, const std::vector<std::int64_t>& positions);
    void finish_thread();

    const Dataset& dataset_;
    const config::Config config_;
    DistributedSampler unlabelled_sampler_;
    ClassStratifiedSampler support_sampler_;

    std::jthread producer_;
    std::mutex mutex_;
    std::condition_variable_any changed_;
    std::deque<PawsBatch> ready_;
    bool finished_ = true;
    std::exception_ptr failure_;
    double seconds_waited_ = 0;
};
}  // namespace paws::data

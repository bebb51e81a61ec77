#pragma once

#include <optional>

#include "src/data/labelled_loader.hpp"
#include "src/data/paws_loader.hpp"
#include "src/methods/method.hpp"

namespace paws::methods
{
inline std::vector<torch::Tensor*> tensors_of(data::PawsBatch& batch)
{
    return {&batch.supports, &batch.large, &batch.small};
}

inline std::vector<torch::Tensor*> tensors_of(data::LabelledBatch& batch)
{
    return {&batch.views, &batch.classes};
}

/// A method whose images come from a loader of src/data.
template <class Loader>
class LoaderMethod : public Method
{
public:
    std::int64_t steps_per_epoch() const override { return loader_.steps_per_epoch(); }
    void start_epoch(std::int64_t epoch, std::int64_t first_step) override { loader_.start_epoch(epoch, first_step); }
    bool next() override
    {
        batch_ = loader_.next();
        return batch_.has_value();
    }
    std::vector<torch::Tensor*> inputs() override { return tensors_of(*batch_); }
    data::StepRows rows_of_step(std::int64_t step) const override { return loader_.rows_of_step(step); }
    double seconds_waited() const override { return loader_.seconds_waited(); }
    double seconds_making() const override { return loader_.seconds_making(); }
    std::set<std::string> broken() const override { return loader_.broken(); }
    data::SamplerState sampler_state() const override { return loader_.sampler_state(); }
    void restore_samplers(const data::SamplerState& state) override { loader_.restore_samplers(state); }

protected:
    template <class... Arguments>
    explicit LoaderMethod(Arguments&&... arguments) : loader_(std::forward<Arguments>(arguments)...)
    {
    }

    const typename Loader::Batch& batch() const { return *batch_; }

private:
    Loader loader_;
    std::optional<typename Loader::Batch> batch_;
};
}  // namespace paws::methods

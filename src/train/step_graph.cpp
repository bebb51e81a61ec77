#include "src/train/step_graph.hpp"

#include <fmt/format.h>

#include "io/ranks/failure.hpp"

namespace paws::train
{
namespace
{
std::vector<std::vector<std::int64_t>> shapes_of(const std::vector<torch::Tensor*>& inputs)
{
    std::vector<std::vector<std::int64_t>> shapes;
    for (const auto* const input : inputs)
    {
        shapes.push_back(input->defined() ? input->sizes().vec() : std::vector<std::int64_t>{-1});
        shapes.push_back(input->defined() ? input->strides().vec() : std::vector<std::int64_t>());
    }
    return shapes;
}
}  // namespace

StepGraph::StepGraph(std::unique_ptr<GraphRecorder> recorder, optim::LarsSgd& optimizer)
    : recorder_(std::move(recorder)), optimizer_(optimizer), is_possible_(recorder_ != nullptr)
{
    if (!is_possible_)
    {
        note_ = "meta.cuda_graph has no effect: it needs a GPU";
    }
}

std::optional<std::string> StepGraph::take_note()
{
    return std::exchange(note_, std::nullopt);
}

std::vector<torch::Tensor> StepGraph::run(const std::vector<torch::Tensor*>& inputs, const Step& step)
{
    if (!is_possible_)
    {
        return step();
    }
    if (auto shapes = shapes_of(inputs); shapes != shapes_)
    {
        shapes_ = std::move(shapes);
        steps_ = 0;
        is_captured_ = false;
        results_.clear();
        recorder_->drop();
    }
    if (!is_captured_)
    {
        return steps_++ < steps_before ? step() : capture(inputs, step);
    }
    for (std::size_t i = 0; i < inputs.size(); ++i)
    {
        if (inputs[i]->defined())
        {
            inputs_[i].copy_(*inputs[i], true);
        }
    }
    recorder_->replay();
    return results_;
}

std::vector<torch::Tensor> StepGraph::capture(const std::vector<torch::Tensor*>& inputs, const Step& step)
{
    inputs_.clear();
    for (auto* const input : inputs)
    {
        inputs_.push_back(input->defined() ? input->clone() : torch::Tensor());
        *input = inputs_.back();
    }
    optimizer_.begin_capture();
    try
    {
        recorder_->begin();
        results_ = step();
        recorder_->end();
    }
    catch (const std::exception& error)
    {
        recorder_->drop();
        optimizer_.end_capture();
        results_.clear();
        is_possible_ = false;
        note_ = fmt::format("meta.cuda_graph has no effect: a step cannot be captured ({})",
                            ranks::first_line(error.what()));
        return step();
    }
    optimizer_.end_capture();
    is_captured_ = true;
    recorder_->replay();
    return results_;
}

StepGraph::Scope::Scope(StepGraph* graph) : recorder_(graph ? graph->recorder_.get() : nullptr)
{
    if (recorder_)
    {
        recorder_->enter();
    }
}

StepGraph::Scope::~Scope()
{
    try
    {
        if (recorder_)
        {
            recorder_->leave();
        }
    }
    catch (const std::exception&)
    {
        // The device has failed; the next who asks it for something says so.
    }
}
}  // namespace paws::train

#pragma once

#include <torch/types.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "src/optim/lars_sgd.hpp"
#include "src/train/graph_recorder.hpp"

namespace paws::train
{
/// Repeats the device's work of a training step (forward, backward, update) from a graph of it, as soon as some steps
/// have had inputs of the same shapes; another shape begins anew. Where a step cannot be captured, steps are taken as
/// ever, and a note says so.
class StepGraph
{
public:
    /// Takes the step, whose inputs are in memory of its own when it is captured. Gives what it leaves on the device.
    using Step = std::function<std::vector<torch::Tensor>()>;

    /// Steps of the same shapes before one is captured: libraries choose their algorithms, and allocate what stays.
    static constexpr int steps_before = 4;

    /// `recorder` may be null: then steps are only taken. `optimizer` is the one that the step applies, and must
    /// outlive this.
    StepGraph(std::unique_ptr<GraphRecorder> recorder, optim::LarsSgd& optimizer);

    /// `inputs`: what the step reads, assignable; undefined ones may be among them. The results are overwritten by the
    /// next step.
    std::vector<torch::Tensor> run(const std::vector<torch::Tensor*>& inputs, const Step& step);

    bool is_captured() const { return is_captured_; }
    /// Why steps are not captured; once.
    std::optional<std::string> take_note();

    /// Steps are run within such a scope.
    class Scope
    {
    public:
        explicit Scope(StepGraph* graph);
        ~Scope();
        Scope(const Scope&) = delete;
        Scope& operator=(const Scope&) = delete;

    private:
        GraphRecorder* recorder_;
    };

private:
    std::vector<torch::Tensor> capture(const std::vector<torch::Tensor*>& inputs, const Step& step);

    std::unique_ptr<GraphRecorder> recorder_;
    optim::LarsSgd& optimizer_;
    std::vector<std::vector<std::int64_t>> shapes_;  ///< sizes and strides of the last inputs
    int steps_ = 0;                                  ///< of these shapes
    bool is_possible_;
    bool is_captured_ = false;
    std::vector<torch::Tensor> inputs_, results_;  ///< of the graph
    std::optional<std::string> note_;
};
}  // namespace paws::train

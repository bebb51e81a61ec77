#include "src/train/step_graph.hpp"

#include <stdexcept>

#include "tests/support/catch.hpp"

// When a step is captured and what it reads then, with a recorder that does the work by a function.

using namespace paws;

namespace
{
struct Calls
{
    int captures = 0, replays = 0, drops = 0;
    bool is_entered = false;
    bool fails = false;
    std::function<void()> work;  ///< of a replay
};

class FakeRecorder final : public train::GraphRecorder
{
public:
    explicit FakeRecorder(Calls& calls) : calls_(calls) {}
    void enter() override { calls_.is_entered = true; }
    void leave() override { calls_.is_entered = false; }
    void begin() override { ++calls_.captures; }
    void end() override
    {
        if (calls_.fails)
        {
            throw std::runtime_error("a wait was captured\nstack trace");
        }
    }
    void replay() override
    {
        ++calls_.replays;
        calls_.work();
    }
    void drop() override { ++calls_.drops; }

private:
    Calls& calls_;
};

/// A step that doubles its first input.
struct Doubling
{
    torch::Tensor first, second;
    torch::Tensor result;
    int steps = 0;

    std::vector<torch::Tensor*> inputs(const torch::Tensor& a, const torch::Tensor& b = {})
    {
        first = a;
        second = b;
        return {&first, &second};
    }
    train::StepGraph::Step step()
    {
        return [this]
        {
            ++steps;
            result = first * 2;
            return std::vector<torch::Tensor>{result};
        };
    }
};

optim::LarsSgd optimizer_of_one()
{
    return optim::LarsSgd({{"weight", torch::ones({1})}}, {});
}
}  // namespace

TEST_CASE("a step is captured when shapes have stayed, and repeated from memory of its own", "[train]")
{
    Calls calls;
    Doubling doubling;
    auto optimizer = optimizer_of_one();
    train::StepGraph graph(std::make_unique<FakeRecorder>(calls), optimizer);
    calls.work = [&, input = torch::Tensor()]() mutable
    {
        // The first replay comes right after the capture, whose inputs are the graph's.
        input = calls.replays == 1 || !input.defined() ? doubling.first : input;
        doubling.result.copy_(input * 2);
    };
    const auto run = [&](const torch::Tensor& a, const torch::Tensor& b = {})
    { return graph.run(doubling.inputs(a, b), doubling.step()).front().clone(); };
    for (int i = 0; i < train::StepGraph::steps_before; ++i)
    {
        CHECK(run(torch::full({3}, i)).equal(torch::full({3}, 2 * i)));
        CHECK_FALSE(graph.is_captured());
    }
    CHECK(run(torch::full({3}, 7)).equal(torch::full({3}, 14)));
    CHECK(graph.is_captured());
    CHECK(doubling.steps == train::StepGraph::steps_before + 1);
    CHECK(run(torch::full({3}, 9)).equal(torch::full({3}, 18)));
    CHECK(run(torch::full({3}, 10)).equal(torch::full({3}, 20)));
    CHECK(doubling.steps == train::StepGraph::steps_before + 1);
    CHECK(calls.replays == 3);

    // Another shape, and another set of inputs, begin anew.
    const int drops = calls.drops;
    CHECK(run(torch::full({4}, 1)).equal(torch::full({4}, 2)));
    CHECK_FALSE(graph.is_captured());
    CHECK(run(torch::full({4}, 1), torch::ones({1})).equal(torch::full({4}, 2)));
    CHECK(calls.drops == drops + 2);
    CHECK_FALSE(graph.take_note());
}

TEST_CASE("a step that cannot be captured is taken, and a note says so once", "[train]")
{
    Calls calls;
    calls.fails = true;
    Doubling doubling;
    auto optimizer = optimizer_of_one();
    train::StepGraph graph(std::make_unique<FakeRecorder>(calls), optimizer);
    for (int i = 0; i < train::StepGraph::steps_before + 3; ++i)
    {
        CHECK(graph.run(doubling.inputs(torch::full({3}, i)), doubling.step()).front().equal(torch::full({3}, 2 * i)));
    }
    CHECK(calls.captures == 1);
    CHECK(calls.replays == 0);
    CHECK(graph.take_note() == "meta.cuda_graph has no effect: a step cannot be captured (a wait was captured)");
    CHECK_FALSE(graph.take_note());
    {
        const train::StepGraph::Scope scope(&graph);
        CHECK(calls.is_entered);
    }
    CHECK_FALSE(calls.is_entered);

    train::StepGraph without(train::make_graph_recorder(torch::kCPU), optimizer);
    CHECK(without.run(doubling.inputs(torch::ones({3})), doubling.step()).front().equal(torch::full({3}, 2.F)));
    CHECK_THAT(*without.take_note(), Catch::Contains("needs a GPU"));
    const train::StepGraph::Scope no_scope(nullptr);
}

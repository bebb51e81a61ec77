#include "src/nn/batch_norm.hpp"

#include "src/nn/batch_norm_relu.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/golden_tensors.hpp"
#include "tests/support/world.hpp"

using namespace paws;
using test::relative_error;

namespace
{
/// Layers with the same parameters and running statistics on every rank.
template <class Layer>
Layer layer(std::int64_t channels, torch::ScalarType type)
{
    torch::manual_seed(11);
    Layer bn(torch::nn::BatchNormOptions(channels).momentum(0.3));
    bn->to(type);
    const torch::NoGradGuard no_gradient;
    bn->weight.uniform_(-1, 2);
    bn->bias.uniform_(-1, 1);
    bn->running_mean.uniform_(-1, 1);
    bn->running_var.uniform_(0.5, 2);
    return bn;
}

/// What is checked on every kind of layer: the values of all ranks together, and this rank's rows of them. Rank r has
/// 3 + r images.
class Problem
{
public:
    Problem(std::vector<std::int64_t> shape_of_one, torch::ScalarType type, double offset)
    {
        const auto world = test::world();
        for (int r = 0; r <= world->world_size(); ++r)
        {
            begins_.push_back(r == 0 ? 0 : begins_.back() + 2 + r);
        }
        shape_of_one.insert(shape_of_one.begin(), begins_.back());
        torch::manual_seed(5);
        x_ = (torch::randn(shape_of_one, torch::kFloat64) * 1.7 + offset).to(type);
        direction_ = torch::randn(shape_of_one, torch::kFloat64).to(type);
        shortcut_ = torch::randn(shape_of_one, torch::kFloat64).to(type);
    }

    torch::Tensor mine(const torch::Tensor& all) const
    {
        const auto rank = static_cast<std::size_t>(test::world()->rank());
        return all.slice(0, begins_[rank], begins_[rank + 1]);
    }

    /// run(layer, x, shortcut) on this rank's rows, and reference(layer, x, shortcut) on all.
    template <class Layer, class Run, class Reference>
    void check(Layer ours, Layer theirs, const Run& run, const Reference& reference, double tolerance)
    {
        const auto world = test::world();
        nn::synchronise_batch_norm(*ours, world);
        auto x = mine(x_).clone().requires_grad_();
        auto shortcut = mine(shortcut_).clone().requires_grad_();
        const auto y = run(ours, x, shortcut);
        (y * mine(direction_)).sum().backward();

        auto all_x = x_.to(torch::kFloat64, false, true).requires_grad_();
        auto all_shortcut = shortcut_.to(torch::kFloat64, false, true).requires_grad_();
        const auto all_y = reference(theirs, all_x, all_shortcut);
        (all_y * direction_).sum().backward();

        CHECK(relative_error(y, mine(all_y)) < tolerance);
        CHECK(relative_error(x.grad(), mine(all_x.grad())) < tolerance);
        if (all_shortcut.grad().defined())
        {
            CHECK(relative_error(shortcut.grad(), mine(all_shortcut.grad())) < tolerance);
        }
        // Gradients of parameters stay this rank's: their sum over ranks is that of the whole batch.
        auto grad_weight = ours->weight.grad().clone(), grad_bias = ours->bias.grad().clone();
        world->all_reduce(grad_weight);
        world->all_reduce(grad_bias);
        CHECK(relative_error(grad_weight, theirs->weight.grad()) < tolerance);
        CHECK(relative_error(grad_bias, theirs->bias.grad()) < tolerance);
        CHECK(relative_error(ours->running_mean, theirs->running_mean) < tolerance);
        CHECK(relative_error(ours->running_var, theirs->running_var) < tolerance);
        CHECK(ours->num_batches_tracked.template item<std::int64_t>() == 1);
    }

private:
    std::vector<std::int64_t> begins_;
    torch::Tensor x_, direction_, shortcut_;
};

/// Counts the reductions that go through it.
class CountingCalls final : public comm::Communicator
{
public:
    explicit CountingCalls(const std::shared_ptr<comm::Communicator>& world)
        : Communicator(world->group()), world_(world)
    {
    }
    void all_reduce(const torch::Tensor& values) override
    {
        ++reductions;
        world_->all_reduce(values);
    }
    std::unique_ptr<comm::Pending> start_all_reduce(const torch::Tensor& values) override
    {
        return world_->start_all_reduce(values);
    }
    torch::Tensor all_gather(const torch::Tensor& values) override { return world_->all_gather(values); }
    torch::Tensor reduce_scatter(const torch::Tensor& values) override { return world_->reduce_scatter(values); }
    void broadcast(const torch::Tensor& values, int root) override { world_->broadcast(values, root); }
    void barrier() override { world_->barrier(); }
    double seconds_waiting() const override { return world_->seconds_waiting(); }

    int reductions = 0;

private:
    std::shared_ptr<comm::Communicator> world_;
};

struct Case
{
    torch::ScalarType type;
    double offset;
    double tolerance;
};

// Large means, far from the running ones. What is reduced loses (mean / σ)² of the last bit of a double.
const std::vector<Case> cases{{torch::kFloat64, 0, 1e-12},
                              {torch::kFloat64, 100, 1e-11},
                              {torch::kFloat32, 0, 1e-5},
                              {torch::kFloat32, 300, 2e-3},
                              {torch::kBFloat16, 0, 2e-2}};
}  // namespace

TEST_CASE("batch norm over ranks is that of the whole batch", "[ranks]")
{
    for (const auto& [type, offset, tolerance] : cases)
    {
        INFO(toString(type) << ", offset " << offset);
        // Parameters are float32 beside bfloat16 images.
        const auto parameters = type == torch::kFloat64 ? torch::kFloat64 : torch::kFloat32;
        Problem images({7, 5, 3}, type, offset);
        const auto ours = [&] { return layer<nn::BatchNorm2d>(7, parameters); };
        const auto exact = [&] { return layer<nn::BatchNorm2d>(7, torch::kFloat64); };
        const auto copy = [](nn::BatchNorm2d to, const nn::BatchNorm2d& from)
        {
            const torch::NoGradGuard no_gradient;
            to->weight.copy_(from->weight);
            to->bias.copy_(from->bias);
            to->running_mean.copy_(from->running_mean);
            to->running_var.copy_(from->running_var);
            return to;
        };
        const auto run_check = [&](const auto& run, const auto& reference)
        {
            const auto mine = ours();
            images.check(mine, copy(exact(), mine), run, reference, tolerance);
        };
        run_check([](auto& bn, const auto& x, const auto&) { return nn::fused_batch_norm(*bn, x, false); },
                  [](auto& bn, const auto& x, const auto&) { return bn->forward_by_libtorch(x); });
        if (offset == 0)
        {
            run_check([](auto& bn, const auto& x, const auto&) { return nn::fused_batch_norm(*bn, x, true); },
                      [](auto& bn, const auto& x, const auto&) { return bn->forward_by_libtorch(x).relu(); });
            run_check([](auto& bn, const auto& x, const auto& shortcut)
                      { return nn::fused_batch_norm_add_relu(*bn, x, shortcut); },
                      [](auto& bn, const auto& x, const auto& shortcut)
                      { return (bn->forward_by_libtorch(x) + shortcut).relu(); });
        }
    }
}

TEST_CASE("the two batch norms of a block's end share their reductions over ranks", "[ranks]")
{
    const auto copy = [](const nn::BatchNorm2d& from)
    {
        auto to = layer<nn::BatchNorm2d>(7, torch::kFloat64);
        const torch::NoGradGuard no_gradient;
        to->weight.copy_(from->weight);
        to->bias.copy_(from->bias);
        return to;
    };
    auto of_shortcut = layer<nn::BatchNorm2d>(7, torch::kFloat64);
    auto reference_of_shortcut = copy(of_shortcut);
    const auto counting = std::make_shared<CountingCalls>(test::world());
    nn::synchronise_batch_norm(*of_shortcut, counting);
    Problem images({7, 5, 3}, torch::kFloat64, 2);
    images.check(
        layer<nn::BatchNorm2d>(7, torch::kFloat64), layer<nn::BatchNorm2d>(7, torch::kFloat64),
        [&](auto& bn, const auto& x, const auto& shortcut)
        {
            nn::synchronise_batch_norm(*bn, counting);
            return nn::fused_batch_norm_pair_relu(*bn, x, *of_shortcut, shortcut);
        },
        [&](auto& bn, const auto& x, const auto& shortcut)
        { return (bn->forward_by_libtorch(x) + reference_of_shortcut->forward_by_libtorch(shortcut)).relu(); },
        1e-11);
    CHECK(counting->reductions == (test::world()->is_alone() ? 0 : 2));
    CHECK(relative_error(of_shortcut->running_mean, reference_of_shortcut->running_mean) < 1e-11);
    CHECK(relative_error(of_shortcut->running_var, reference_of_shortcut->running_var) < 1e-11);
}

TEST_CASE("batch norm of vectors over ranks is that of the whole batch", "[ranks]")
{
    Problem vectors({6}, torch::kFloat64, 1);
    vectors.check(
        layer<nn::BatchNorm1d>(6, torch::kFloat64), layer<nn::BatchNorm1d>(6, torch::kFloat64),
        [](auto& bn, const auto& x, const auto&) { return bn->forward(x); },
        [](auto& bn, const auto& x, const auto&) { return bn->forward_by_libtorch(x); }, 1e-12);
}

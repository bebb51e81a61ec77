#include "src/optim/loss_scaler.hpp"

#include <limits>

#include "tests/support/catch.hpp"

using namespace paws;

TEST_CASE("the loss scale follows the overflows as a plain loop does", "[optim]")
{
    const optim::LossScalerSettings settings{1024, 2, 0.5, 3};
    optim::LossScaler scaler(torch::kCPU, settings);
    const auto* const memory = scaler.scale().data_ptr();
    double scale = 1024;
    std::int64_t good_steps = 0;
    // Overflows one after the other, just before, at and just after a growth.
    for (const int overflowed : {0, 0, 0, 0, 1, 2, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0})
    {
        scaler.update(torch::tensor(overflowed, torch::kInt32));
        good_steps = overflowed != 0 ? 0 : good_steps + 1;
        scale *= overflowed != 0 ? 0.5 : good_steps == 3 ? 2 : 1;
        good_steps %= 3;
        CHECK(scaler.state() == optim::LossScalerState{scale, good_steps});
    }
    CHECK(scaler.scale().data_ptr() == memory);
}

TEST_CASE("the loss scale begins as PyTorch's, and has an upper end", "[optim]")
{
    optim::LossScaler scaler(torch::kCPU);
    CHECK(scaler.state() == optim::LossScalerState{65536, 0});
    const auto none = torch::zeros({}, torch::kInt32);
    scaler.restore({65536, 1998});
    scaler.update(none);
    CHECK(scaler.state() == optim::LossScalerState{65536, 1999});
    scaler.update(none);
    CHECK(scaler.state() == optim::LossScalerState{131072, 0});
    scaler.restore({0x1p127, 1999});
    scaler.update(none);
    CHECK(scaler.state() == optim::LossScalerState{0x1p127, 0});
}

TEST_CASE("a scaled backward pass gives scaled gradients", "[optim]")
{
    const auto gradient_of = [](const optim::LossScaler* scaler)
    {
        const auto x = torch::linspace(-1, 1, 7, torch::dtype(torch::kFloat64)).requires_grad_();
        optim::scaled_backward(x.sin().sum(), scaler);
        return x.grad();
    };
    const optim::LossScaler scaler(torch::kCPU, {1024});
    CHECK(gradient_of(&scaler).equal(gradient_of(nullptr) * 1024));
}

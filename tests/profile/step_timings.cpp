#include "src/profile/step_timings.hpp"

#include <numeric>
#include <thread>

#include "src/profile/median.hpp"
#include "src/profile/ready_times.hpp"
#include "tests/support/catch.hpp"

namespace
{
using namespace paws;
using namespace std::chrono_literals;
using profile::Phase;
using profile::StepPhase;

/// One rank whose collective calls are said to have kept it so long.
class Waiting final : public comm::Communicator
{
public:
    void all_reduce(const torch::Tensor&) override {}
    std::unique_ptr<comm::Pending> start_all_reduce(const torch::Tensor&) override { return nullptr; }
    torch::Tensor all_gather(const torch::Tensor& values) override { return values; }
    torch::Tensor reduce_scatter(const torch::Tensor& values) override { return values; }
    void broadcast(const torch::Tensor&, int) override {}
    void barrier() override {}
    double seconds_waiting() const override { return seconds; }

    double seconds = 0;
};

void wait(const std::shared_ptr<Waiting>& communicator, std::chrono::milliseconds time)
{
    std::this_thread::sleep_for(time);
    communicator->seconds += std::chrono::duration<double>(time).count();
}

double sum_of_phases(const profile::StepTiming& step)
{
    double sum = 0;
    for (std::size_t phase = 0; phase < profile::step_phases; ++phase)
    {
        sum += profile::is_overlapped(phase) ? 0 : step.phases[phase];
    }
    return sum;
}
}  // namespace

TEST_CASE("a step's time is divided into phases, waiting for other ranks taken out of them", "[train]")
{
    const auto communicator = std::make_shared<Waiting>();
    profile::StepTimings timings(communicator);
    {
        const Phase step("step");
        {
            const Phase phase("data wait");
            std::this_thread::sleep_for(4ms);
        }
        {
            const Phase phase("forward");
            std::this_thread::sleep_for(8ms);
            wait(communicator, 20ms);
        }
        {
            const Phase phase("reduce");
            wait(communicator, 30ms);
        }
        std::this_thread::sleep_for(6ms);
        timings.name_step(3, 7, 0.125);
        {
            const Phase phase("checkpoint");
            std::this_thread::sleep_for(5ms);
        }
    }
    {
        // An epoch's end: no images come any more.
        const Phase step("step");
        const Phase phase("data wait");
    }
    {
        const Phase phase("checkpoint");
        std::this_thread::sleep_for(5ms);
        wait(communicator, 2ms);
    }
    {
        // An evaluation's, say.
        const Phase phase("forward");
        std::this_thread::sleep_for(3ms);
    }
    auto steps = timings.take_steps();
    REQUIRE(steps.size() == 1);
    auto& step = steps.front();
    CHECK(step.epoch == 3);
    CHECK(step.step == 7);
    CHECK(step[StepPhase::augmentation] == 0.125);
    CHECK(step[StepPhase::communication] == Approx(0.052));
    CHECK(step[StepPhase::data_wait] >= 0.004);
    CHECK(step[StepPhase::forward] >= 0.008);
    CHECK(step[StepPhase::checkpoint] >= 0.010);
    CHECK(step[StepPhase::other] >= 0.006);
    CHECK(step[StepPhase::loss] == 0);
    CHECK(step[StepPhase::backward] == 0);
    CHECK(step[StepPhase::update] == 0);
    CHECK(sum_of_phases(step) == Approx(step.total));
    CHECK(timings.take_steps().empty());
}

TEST_CASE("phases are told to nobody when nobody listens", "[train]")
{
    CHECK(profile::PhaseObserver::active == nullptr);
    {
        const profile::StepTimings timings(std::make_shared<Waiting>());
        CHECK(profile::PhaseObserver::active == &timings);
    }
    CHECK(profile::PhaseObserver::active == nullptr);
    const Phase phase("forward");
}

TEST_CASE("gradients are listed in the order in which the backward pass has them ready", "[train]")
{
    const auto first = torch::ones({3}, torch::requires_grad());
    const auto second = torch::ones({2, 3}, torch::requires_grad());
    const auto unused = torch::ones({4}, torch::requires_grad());
    profile::ReadyTimes ready({{"first", first}, {"second", second}, {"unused", unused}});
    CHECK(nn::BatchNormObserver::active == &ready);
    for (int i = 0; i < 3; ++i)
    {
        ready.begin_forward();
        const auto loss = torch::matmul(second, first.exp()).sum();
        ready.begin_backward();
        loss.backward();
        ready.end_backward();
        ready.end_step();
    }
    // Not a step's: nothing is taken down.
    (first * first).sum().backward();
    const auto gradients = ready.gradients();
    REQUIRE(gradients.size() == 2);
    CHECK(gradients[0].name == "second");
    CHECK(gradients[0].bytes == 24);
    CHECK(gradients[1].name == "first");
    CHECK(gradients[1].bytes == 12);
    CHECK(gradients[0].ready > 0);
    CHECK(gradients[0].ready < gradients[1].ready);
}

TEST_CASE("a batch norm's passes are brought together by their call", "[train]")
{
    profile::ReadyTimes ready({});
    const int a = 0, b = 0;
    for (int i = 0; i < 5; ++i)
    {
        ready.begin_forward();
        ready.statistics_ready(&a, 16, 264);
        ready.statistics_ready(&b, 32, 520);
        ready.begin_backward();
        ready.sums_ready(&b, 256);
        std::this_thread::sleep_for(1ms);
        ready.sums_ready(&a, 128);
        ready.sums_ready(&ready, 1);  // nobody's
        ready.end_backward();
        ready.end_step();
    }
    const auto layers = ready.batch_norms();
    REQUIRE(layers.size() == 2);
    CHECK(layers[0].channels == 16);
    CHECK(layers[0].bytes_forward == 264);
    CHECK(layers[0].bytes_backward == 128);
    CHECK(layers[1].bytes_backward == 256);
    CHECK(layers[0].forward_at <= layers[1].forward_at);
    CHECK(layers[0].backward_at >= layers[1].backward_at + 0.001);
}

TEST_CASE("of few steps, fewer are left out as warm-up", "[train]")
{
    const std::vector<std::int64_t> expected{0, 0, 0, 1, 1, 2, 2, 2};
    for (std::size_t steps = 0; steps < expected.size(); ++steps)
    {
        CHECK(profile::warm_up_steps(static_cast<std::int64_t>(steps)) == expected[steps]);
    }
    CHECK(profile::median({3, 1, 2}) == 2);
    CHECK(profile::median({4, 1, 2, 3}) == 2.5);
    CHECK(profile::median({7}) == 7);
}

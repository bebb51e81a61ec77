// What the observers of a training are told, when, and in which order.

#include "src/train/trainer.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/small_run.hpp"

namespace
{
using namespace paws;
using Events = std::vector<std::string>;

/// Writes down what it is told.
class Recorder final : public train::Observer
{
public:
    Recorder(std::string name, Events& events, std::int64_t stop_after = 0)
        : name_(std::move(name)), events_(events), stop_after_(stop_after)
    {
    }

    void before_training(train::EpochReport& report) override { note("begin", report); }
    void before_epoch() override { note("epoch"); }
    void ask(std::int64_t steps_done, train::StepRequest& request) override
    {
        request.stop = request.stop || steps_done == stop_after_;
    }
    void after_step(const train::StepReport& report) override
    {
        note(fmt::format("step {} of {}, {} done{}", report.step, report.epoch - 1, report.steps_done,
                         report.stops ? ", stops" : ""));
    }
    void after_epoch(train::EpochReport& report) override
    {
        note(fmt::format("end at {}", report.last_step.steps_done), report);
    }
    void after_training() override { note("over"); }

private:
    void note(const std::string& what) { events_.push_back(fmt::format("{}: {}", name_, what)); }
    void note(const std::string& what, train::EpochReport& report)
    {
        note(fmt::format("{}, {} epochs and {} steps done{}{}", what, report.epochs_done, report.steps_done,
                         report.is_last ? ", the last" : "",
                         report.accuracy ? fmt::format(", top-1 {}", report.accuracy->top1) : ""));
        // For those after it.
        report.accuracy = loss::Accuracy{0.5, 1};
    }

    std::string name_;
    Events& events_;
    std::int64_t stop_after_;
};

/// Two epochs of two steps.
struct ObservedRun
{
    test::SmallRun small;
    config::Config config = small.config("run", {"criterion.unsupervised_batch_size=12", "optimization.epochs=2"});
    data::Dataset dataset = data::load_dataset(config, data::Splits::train);
    train::Trainer trainer{config, dataset, device::Precision::fp32};
};
}  // namespace

TEST_CASE("observers are told of a training in their order, and what one finds the next is told", "[train]")
{
    ObservedRun run;
    REQUIRE(run.trainer.loader().steps_per_epoch() == 2);
    Events events;
    Recorder a("a", events), b("b", events);
    CHECK(run.trainer.run(2, {&a, &b}));
    CHECK(events == Events{"a: begin, 0 epochs and 0 steps done",
                           "b: begin, 0 epochs and 0 steps done, top-1 0.5",
                           "a: epoch",
                           "b: epoch",
                           "a: step 0 of 0, 1 done",
                           "b: step 0 of 0, 1 done",
                           "a: step 1 of 0, 2 done",
                           "b: step 1 of 0, 2 done",
                           "a: end at 2, 1 epochs and 2 steps done",
                           "b: end at 2, 1 epochs and 2 steps done, top-1 0.5",
                           "a: epoch",
                           "b: epoch",
                           "a: step 0 of 1, 3 done",
                           "b: step 0 of 1, 3 done",
                           "a: step 1 of 1, 4 done",
                           "b: step 1 of 1, 4 done",
                           "a: end at 4, 2 epochs and 4 steps done, the last",
                           "b: end at 4, 2 epochs and 4 steps done, the last, top-1 0.5",
                           "a: over",
                           "b: over"});
    events.clear();
    CHECK(run.trainer.run(2, {&a}));
    CHECK(events == Events{"a: begin, 2 epochs and 4 steps done, the last", "a: over"});
}

TEST_CASE("a training that is asked to stop does so after the step, and goes on behind it", "[train]")
{
    ObservedRun run;
    Events events;
    Recorder a("a", events), b("b", events, 1);
    CHECK_FALSE(run.trainer.run(2, {&a, &b}));
    CHECK(events == Events{"a: begin, 0 epochs and 0 steps done", "b: begin, 0 epochs and 0 steps done, top-1 0.5",
                           "a: epoch", "b: epoch", "a: step 0 of 0, 1 done, stops", "b: step 0 of 0, 1 done, stops",
                           "a: over", "b: over"});
    events.clear();
    CHECK(run.trainer.run(1, {&a}));
    CHECK(events == Events{"a: begin, 0 epochs and 1 steps done", "a: epoch", "a: step 1 of 0, 2 done",
                           "a: end at 2, 1 epochs and 2 steps done, the last", "a: over"});
}

TEST_CASE("an epoch whose last step is done ends without another one", "[train]")
{
    ObservedRun run;
    Events events;
    Recorder a("a", events, 2);
    CHECK_FALSE(run.trainer.run(2, {&a}));
    events.clear();
    CHECK(run.trainer.run(1, {&a}));
    CHECK(events == Events{"a: begin, 0 epochs and 2 steps done", "a: epoch",
                           "a: end at 0, 1 epochs and 2 steps done, the last", "a: over"});
}

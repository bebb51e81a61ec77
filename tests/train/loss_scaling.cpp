// Training with a loss scale. On a CPU fp16 computes in float32, so that all else of it can be tested there.

#include <cmath>
#include <limits>

#include "io/checkpoint/checkpoint_file.hpp"
#include "src/data/dataset.hpp"
#include "src/train/trainer.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/golden_tensors.hpp"
#include "tests/support/run_epoch.hpp"
#include "tests/support/small_run.hpp"

namespace
{
using namespace paws;

/// A network that trains on stripes.
struct ScaledRun
{
    test::SmallRun small;
    config::Config config = small.config("run");
    data::Dataset dataset = data::load_dataset(config, data::Splits::train);

    std::unique_ptr<train::Trainer> trainer(device::Precision precision) const
    {
        return std::make_unique<train::Trainer>(config, dataset, precision);
    }

    /// One that resumes from a checkpoint.
    std::unique_ptr<train::Trainer> resumed(const io::Checkpoint& checkpoint) const
    {
        const auto path = small.folder / "changed.h5";
        io::write_checkpoint(path, checkpoint);
        auto made = trainer(device::Precision::fp16);
        made->resume(path);
        return made;
    }
};

/// Takes `steps` steps of an epoch.
std::vector<train::StepReport> take(train::Trainer& trainer, std::int64_t steps)
{
    std::vector<train::StepReport> reports;
    test::run_epoch(
        trainer, [&](const train::StepReport& report) { reports.push_back(report); },
        [&]() -> train::StepRequest {
            return {static_cast<std::int64_t>(reports.size()) + 1 == steps, false};
        });
    return reports;
}

torch::Tensor weights_of(train::Trainer& trainer)
{
    std::vector<torch::Tensor> all;
    for (const auto& parameter : trainer.encoder().parameters())
    {
        all.push_back(parameter.detach().flatten());
    }
    return torch::cat(all);
}
}  // namespace

TEST_CASE("training with a loss scale is training without one", "[train]")
{
    const ScaledRun run;
    const auto plain = run.trainer(device::Precision::fp32);
    const auto scaled = run.trainer(device::Precision::fp16);
    const auto expected = take(*plain, 100);
    const auto reports = take(*scaled, 100);
    REQUIRE(reports.size() == expected.size());
    for (std::size_t i = 0; i < reports.size(); ++i)
    {
        CHECK(reports[i].read);
        CHECK(reports[i].left_out == 0);
        CHECK(reports[i].loss_scale == 65536);
        for (std::size_t part = 0; part < 2; ++part)
        {
            CHECK(reports[i].values[part] == Approx(expected[i].values[part]).epsilon(1e-5));
        }
    }
    CHECK(test::relative_error(weights_of(*scaled), weights_of(*plain)) < test::float_tolerance);
}

TEST_CASE("a step whose gradients overflow is left out, and the loss scale is halved", "[train]")
{
    const ScaledRun run;
    const auto begun = run.trainer(device::Precision::fp16);
    take(*begun, 1);
    auto checkpoint = begun->snapshot();
    CHECK(checkpoint.progress.reals.at("loss_scale") == 65536);
    CHECK(checkpoint.progress.integers.at("loss_scale_good_steps") == 1);

    checkpoint.progress.reals["loss_scale"] = 0x1p127;
    const auto trainer = run.resumed(checkpoint);
    REQUIRE(trainer->progress().scaler);
    CHECK(trainer->progress().scaler->good_steps == 1);
    const auto before = weights_of(*trainer);
    const auto reports = take(*trainer, 1);
    REQUIRE(reports.size() == 1);
    CHECK(reports.front().step == 1);
    CHECK(reports.front().left_out == 1);
    CHECK(reports.front().loss_scale == 0x1p126);
    CHECK(std::isfinite(reports.front().values[0]));
    CHECK(weights_of(*trainer).equal(before));
    CHECK(trainer->progress().steps_done == 2);
    CHECK(trainer->progress().meters.steps == 2);

    // The state that a checkpoint keeps is the one that a run resumes from.
    const auto kept = trainer->snapshot();
    CHECK(kept.progress.reals.at("loss_scale") == 0x1p126);
    CHECK(kept.progress.integers.at("loss_scale_good_steps") == 0);
    CHECK((run.resumed(kept)->snapshot() == kept));
}

TEST_CASE("without fp16 a checkpoint has no loss scale, and one without is resumed from", "[train]")
{
    const ScaledRun run;
    const auto plain = run.trainer(device::Precision::fp32);
    take(*plain, 1);
    const auto checkpoint = plain->snapshot();
    CHECK_FALSE(checkpoint.progress.reals.contains("loss_scale"));
    CHECK_FALSE(checkpoint.progress.integers.contains("loss_scale_good_steps"));
    const auto resumed = run.resumed(checkpoint);
    CHECK(take(*resumed, 1).front().loss_scale == 65536);
}

TEST_CASE("gradients that overflow at any loss scale end the run", "[train]")
{
    const ScaledRun run;
    const auto begun = run.trainer(device::Precision::fp16);
    take(*begun, 1);
    auto checkpoint = begun->snapshot();
    checkpoint.progress.reals["loss_scale"] = 2;
    const auto trainer = run.resumed(checkpoint);
    {
        const torch::NoGradGuard no_gradient;
        trainer->encoder().parameters().front().fill_(std::numeric_limits<float>::quiet_NaN());
    }
    // The first step leaves a scale of 1, the second one none.
    const auto reports = take(*trainer, 1);
    CHECK(reports.front().left_out == 1);
    CHECK(reports.front().loss_scale == 1);
    // Its loss, NaN, is in no mean, and in no checkpoint.
    const auto kept = trainer->snapshot();
    CHECK(kept.progress.reals.at("epoch_counted") == 1);
    CHECK(kept.progress.reals.at("epoch_counted_rank0") == 1);
    CHECK(kept.progress.reals.at("epoch_sum_0") == checkpoint.progress.reals.at("epoch_sum_0"));
    CHECK_THROWS_WITH(run.resumed(kept), Catch::Contains("'conv1.weight'") && Catch::Contains("NaN or infinite"));
    checkpoint.progress = kept.progress;
    CHECK((run.resumed(checkpoint)->snapshot().progress == kept.progress));
    CHECK_THROWS_WITH(take(*trainer, 1), Catch::Contains("gradient is NaN or infinite") &&
                                             Catch::Contains("epoch 1, step 2") && Catch::Contains("optimization.lr"));
}

TEST_CASE("an epoch whose values are read now and then ends as one that is read at each step", "[train]")
{
    ScaledRun run;
    run.config.logging.log_every = 5;
    run.config.criterion.unsupervised_batch_size = 2;
    const auto each = run.trainer(device::Precision::fp32);
    const auto rare = run.trainer(device::Precision::fp32);
    rare->read_when_needed();
    const auto expected = take(*each, 100);
    const auto reports = take(*rare, 100);
    REQUIRE(expected.size() == 13);
    REQUIRE(reports.size() == expected.size());
    for (std::size_t i = 0; i < reports.size(); ++i)
    {
        INFO(i);
        CHECK(expected[i].read);
        CHECK(reports[i].read == (i % 5 == 0 || i == 12));
        const auto& known = expected[reports[i].read ? i : i / 5 * 5].values;
        for (std::size_t part = 0; part < 2; ++part)
        {
            CHECK(reports[i].values[part] == Approx(known[part]).epsilon(1e-12));
            CHECK(reports[i].own_values[part] == Approx(known[part]).epsilon(1e-12));
        }
    }
    CHECK(rare->progress().loss == Approx(each->progress().loss).epsilon(1e-12));
    CHECK((rare->snapshot().encoder == each->snapshot().encoder));

    // A checkpoint has the values up to its step.
    const auto reports_of_part = take(*rare, 3);
    CHECK(reports_of_part.back().read);
    take(*each, 3);
    const auto of_rare = rare->snapshot().progress;
    const auto of_each = each->snapshot().progress;
    CHECK(of_rare.integers == of_each.integers);
    CHECK(of_rare.reals.at("epoch_sum_1") == Approx(of_each.reals.at("epoch_sum_1")).epsilon(1e-12));
}

TEST_CASE("the step that was NaN or infinite is named, also where it is read later", "[train]")
{
    ScaledRun run;
    run.config.logging.log_every = 5;
    run.config.criterion.unsupervised_batch_size = 2;
    const auto trainer = run.trainer(device::Precision::fp32);
    trainer->read_when_needed();
    std::int64_t steps = 0;
    const auto spoil = [&](const train::StepReport& report)
    {
        ++steps;
        if (report.step == 2)
        {
            const torch::NoGradGuard no_gradient;
            trainer->encoder().parameters().front().fill_(std::numeric_limits<float>::infinity());
        }
    };
    try
    {
        test::run_epoch(*trainer, spoil);
        FAIL("nothing was thrown");
    }
    catch (const train::NotFinite& failure)
    {
        CHECK(failure.step() == 3);
        CHECK(failure.rows() == trainer->loader().rows_of_step(3));
        CHECK(steps == 5);
    }
}

TEST_CASE("meta.cuda_graph without a GPU is a note and nothing else", "[train]")
{
    ScaledRun run;
    const auto plain = run.trainer(device::Precision::fp32);
    run.config.meta.cuda_graph = true;
    const auto graph = run.trainer(device::Precision::fp32);
    const auto expected = take(*plain, 100);
    const auto reports = take(*graph, 100);
    CHECK_THAT(reports.front().note, Catch::Contains("meta.cuda_graph"));
    CHECK(reports.back().note.empty());
    CHECK(reports.back().values == expected.back().values);
    CHECK(weights_of(*graph).equal(weights_of(*plain)));
}

#include "src/checkpoint/starting_network.hpp"
#include "src/train/trainer.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/golden_tensors.hpp"
#include "tests/support/run_epoch.hpp"
#include "tests/support/small_run.hpp"
#include "tests/support/world.hpp"

using namespace paws;
using test::relative_error;

namespace
{
/// A bias that starts at zero and stands before a linear layer and a batch norm has no gradient but rounding.
constexpr double nothing_but_rounding = 1e-13;

/// What training has come to.
struct Outcome
{
    std::vector<double> losses;
    std::vector<std::pair<std::string, torch::Tensor>> gradients;
    std::vector<std::pair<std::string, torch::Tensor>> state;
};

config::Config config_of(const std::string& task, const std::string& model, const std::vector<std::string>& overrides,
                         std::int64_t world_size)
{
    const bool photographs = model == "resnet18";
    return config::parse(fmt::format(R"(task: {}
meta: {{model_name: {}, output_dim: 16, use_pred_head: true, device: cpu, precision: fp64}}
criterion:
  unsupervised_batch_size: 3
  classes_per_batch: {}
  supervised_imgs_per_class: 2
  supervised_views: 2
  supervised_epochs: 1
data:
  dataset: hdf5
  file: none
  unlabeled_frac: 0
  crop_size: {}
  multicrop: 2
  small_crop_size: {}
  label_smoothing: 0.1
  unlabelled_count: {}
optimization: {{epochs: 1, warmup: 0, lr: 0.1, final_lr: 0.01, momentum: 0.9, weight_decay: 1.0e-06}}
logging: {{folder: none}}
)",
                                     task, model, 2, photographs ? 64 : 16, photographs ? 32 : 8, 15 * world_size),
                         "equal_worlds.yaml", overrides);
}

/// Fine-tuning of what a checkpoint of random weights holds, in steps of 12 of the 72 labelled images or more.
config::Config fine_tuning_config_of(const std::string& task, const std::filesystem::path& checkpoint,
                                     const std::vector<std::string>& overrides)
{
    const auto meta = [](const std::string& batch)
    { return "meta: {model_name: wide_resnet16w1, output_dim: 16, device: cpu, precision: fp64}\n" + batch; };
    const auto yaml = fmt::format(
        R"(task: {}
{}
data: {{dataset: hdf5, file: none, unlabeled_frac: 0, crop_size: 16, num_classes: 6}}
optimization: {{epochs: 1, warmup: 0, lr: 0.05, final_lr: 0.01, batch_size: 12}}
logging: {{folder: none, pretrain_path: {}}}
)",
        task,
        meta("criterion: {classes_per_batch: 2, supervised_batch_size: 4, supervised_views: 2, temperature: 0.1}"),
        checkpoint.string());
    const auto config = config::parse(yaml, "equal_worlds.yaml", overrides);
    auto pre_training = config;
    pre_training.task = config::Task::paws_train;
    pre_training.meta.output_dim = 16;
    const auto encoder = checkpoint::new_network(pre_training);
    checkpoint::save_checkpoint(checkpoint, *encoder, optim::LarsSgd(*encoder, {}), {}, pre_training);
    return config;
}

data::Dataset dataset_of(const config::Config& config)
{
    const auto set = test::striped_images(72, 6, 40);
    data::Dataset dataset;
    for (int k = 0; k < 6; ++k)
    {
        dataset.class_names.push_back(std::to_string(k));
    }
    dataset.train.pixels = torch::tensor(set.pixels, torch::kUInt8).reshape({72, 40, 40, 3});
    dataset.train.labels = set.labels;
    dataset.train.names = set.names;
    dataset.labelled = dataset.train.all_rows();
    dataset.unlabelled = data::random_permutation(72, 1);
    if (config.data.unlabelled_count > 0)
    {
        dataset.unlabelled.resize(static_cast<std::size_t>(config.data.unlabelled_count));
    }
    return dataset;
}

Outcome train(const config::Config& config, const std::shared_ptr<comm::Communicator>& communicator)
{
    const auto dataset = dataset_of(config);
    train::Trainer trainer(config, dataset, device::Precision::fp64, communicator);
    trainer.synchronise();
    Outcome outcome;
    test::run_epoch(trainer, [&](const train::StepReport& report)
                    { outcome.losses.insert(outcome.losses.end(), report.values.begin(), report.values.end()); });
    for (const auto& item : trainer.encoder().named_parameters())
    {
        outcome.gradients.emplace_back(item.key(), item.value().grad().clone());
    }
    for (const auto& [name, tensor] : nn::state_dict(trainer.encoder()))
    {
        outcome.state.emplace_back(name, tensor.detach().clone());
    }
    return outcome;
}

void check_equal_worlds(config::Config config, std::size_t steps)
{
    const auto world = test::world();
    const auto ours = train(config, world);
    config.meta.emulate_world = world->world_size();
    const auto whole = train(config, comm::make_single_rank());

    REQUIRE(ours.losses.size() == whole.losses.size());
    REQUIRE(ours.losses.size() >= steps);
    for (std::size_t i = 0; i < ours.losses.size(); ++i)
    {
        CHECK(ours.losses[i] == Approx(whole.losses[i]).epsilon(1e-10));
    }
    const auto all = [](const auto& named)
    {
        std::vector<torch::Tensor> flat;
        for (const auto& [name, tensor] : named)
        {
            flat.push_back(tensor.to(torch::kFloat64).flatten());
        }
        return torch::cat(flat);
    };
    CHECK(relative_error(all(ours.gradients), all(whole.gradients)) < 1e-10);
    for (std::size_t i = 0; i < ours.state.size(); ++i)
    {
        INFO(ours.state[i].first);
        const auto &tensor = ours.state[i].second, &expected = whole.state[i].second;
        if (expected.to(torch::kFloat64).norm().item<double>() < nothing_but_rounding)
        {
            CHECK(tensor.to(torch::kFloat64).norm().item<double>() < nothing_but_rounding);
            continue;
        }
        CHECK(relative_error(tensor, expected) < 1e-10);
    }
    // Not only close: the same bits on every rank.
    const auto mine = all(ours.state);
    const auto first = mine.clone();
    world->broadcast(first, 0);
    CHECK(mine.equal(first));
}

void check_equal_worlds(const std::string& task, const std::string& model,
                        const std::vector<std::string>& overrides = {})
{
    const auto ranks = test::world()->world_size();
    INFO(task << ", " << model << ", " << ranks << " ranks");
    check_equal_worlds(config_of(task, model, overrides, ranks), 2 * 5);
}
}  // namespace

TEST_CASE("W ranks train as one process that computes the W-rank mathematics", "[ranks]")
{
    for (const auto* task : {"paws_train", "suncet_train"})
    {
        check_equal_worlds(task, "wide_resnet16w1");
        check_equal_worlds(task, "resnet18");
    }
}

TEST_CASE("the same with classes unique to a rank, without prediction head, and in other buckets", "[ranks]")
{
    for (const auto* task : {"paws_train", "suncet_train"})
    {
        check_equal_worlds(task, "wide_resnet16w1",
                           {"data.unique_classes_per_rank=true", "meta.use_pred_head=false", "meta.bucket_mb=0.01"});
    }
}

TEST_CASE("W ranks fine-tune as one process that computes the W-rank mathematics", "[ranks]")
{
    const test::Folder folder;
    const auto check = [&](const std::string& task, const std::vector<std::string>& overrides)
    {
        INFO(task << ", " << test::world()->world_size() << " ranks");
        torch::manual_seed(5);
        check_equal_worlds(fine_tuning_config_of(task, folder / "start.h5", overrides), 2);
    };
    check("snn_fine_tune", {});
    check("snn_fine_tune", {"data.unique_classes_per_rank=true", "criterion.supervised_views=1"});
    check("fine_tune", {});
    check("fine_tune", {"optimization.zero_init=false", "meta.bucket_mb=0.01"});
}

TEST_CASE("values of all ranks that are read now and then are those of each step", "[ranks]")
{
    auto config = config_of("paws_train", "wide_resnet16w1", {}, test::world()->world_size());
    config.logging.log_every = 3;
    const auto dataset = dataset_of(config);
    const auto reports_of = [&](bool when_needed)
    {
        train::Trainer trainer(config, dataset, device::Precision::fp64, test::world());
        trainer.synchronise();
        if (when_needed)
        {
            trainer.read_when_needed();
        }
        std::vector<train::StepReport> reports;
        // The last rank asks for a checkpoint after the second step, and to stop after the last but one.
        test::run_epoch(
            trainer, [&](const train::StepReport& report) { reports.push_back(report); },
            [&]() -> train::StepRequest
            {
                const bool is_last = test::world()->rank() == test::world()->world_size() - 1;
                return {is_last && reports.size() == 3, is_last && reports.size() == 1};
            });
        return reports;
    };
    const auto each = reports_of(false);
    const auto rare = reports_of(true);
    REQUIRE(each.size() == 4);
    REQUIRE(rare.size() == 4);
    for (std::size_t step = 0; step < rare.size(); ++step)
    {
        INFO(step);
        CHECK(rare[step].saves == (step == 1));
        CHECK(rare[step].stops == (step == 3));
        CHECK(rare[step].read == (step != 2));
        const auto& known = each[step == 2 ? 1 : step];
        for (std::size_t part = 0; part < 2; ++part)
        {
            CHECK(rare[step].values[part] == Approx(known.values[part]).epsilon(1e-12));
            CHECK(rare[step].own_values[part] == Approx(known.own_values[part]).epsilon(1e-12));
        }
    }
}

TEST_CASE("a world that the ranks do not divide is refused", "[ranks]")
{
    CHECK_THROWS_WITH(data::rank_share(0, 2, 5), Catch::Contains("meta.emulate_world") && Catch::Contains("2 ranks"));
    const auto share = data::rank_share(1, 2, 6);
    CHECK(share.first == 3);
    CHECK(share.count == 3);
    CHECK(share.world_size == 6);
    CHECK(data::rank_share(1, 2, 0).count == 1);
}

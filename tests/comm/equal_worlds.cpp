#include "src/train/trainer.hpp"
#include "tests/comm/world.hpp"
#include "tests/core/golden_tensors.hpp"
#include "tests/core/small_run.hpp"
#include "tests/support/catch.hpp"

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

data::Dataset dataset_of(const config::Config& config)
{
    const auto set = test::striped_pictures(72, 6, 40);
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
    dataset.unlabelled.resize(static_cast<std::size_t>(config.data.unlabelled_count));
    return dataset;
}

Outcome train(const config::Config& config, const std::shared_ptr<comm::Communicator>& communicator)
{
    const auto dataset = dataset_of(config);
    train::Trainer trainer(config, dataset, nn::Precision::fp64, communicator);
    trainer.synchronise();
    Outcome outcome;
    trainer.run_epoch([&](const train::StepReport& report)
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

void check_equal_worlds(const std::string& task, const std::string& model,
                        const std::vector<std::string>& overrides = {})
{
    const auto world = test::world();
    INFO(task << ", " << model << ", " << world->world_size() << " ranks");
    auto config = config_of(task, model, overrides, world->world_size());
    const auto ours = train(config, world);
    config.meta.emulate_world = world->world_size();
    const auto whole = train(config, comm::make_single_rank());

    REQUIRE(ours.losses.size() == 2 * 5);
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

TEST_CASE("a world that the ranks do not divide is refused", "[ranks]")
{
    CHECK_THROWS_WITH(data::rank_share(0, 2, 5), Catch::Contains("meta.emulate_world") && Catch::Contains("2 ranks"));
    const auto share = data::rank_share(1, 2, 6);
    CHECK(share.first == 3);
    CHECK(share.count == 3);
    CHECK(share.world_size == 6);
    CHECK(data::rank_share(1, 2, 0).count == 1);
}

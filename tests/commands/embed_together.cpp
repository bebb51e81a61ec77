// Evaluation and embeddings of a checkpoint by all ranks; run on one rank, two and three.
#include "io/base/error.hpp"
#include "io/results/embeddings_file.hpp"
#include "src/commands/embed.hpp"
#include "src/commands/training.hpp"
#include "src/train/embedder.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/small_run.hpp"
#include "tests/support/world_folder.hpp"

using namespace paws;

namespace
{
namespace fs = std::filesystem;

/// A run that the first rank trained, which all ranks see.
class RunToEmbed
{
public:
    RunToEmbed()
    {
        if (world_.is_first())
        {
            small_.emplace();
            commands::run_training(small_->config("run", {"optimization.epochs=1"}), {"never", {}, {}, true});
        }
        const auto share = [&](const std::string& text) { return world_.group().broadcast(text); };
        yaml_ = share(small_ ? small_->yaml("run") : "");
        folder_ = share(small_ ? (small_->folder / "").string() : "");
    }
    ~RunToEmbed() { MPI_Barrier(MPI_COMM_WORLD); }
    RunToEmbed(const RunToEmbed&) = delete;
    RunToEmbed& operator=(const RunToEmbed&) = delete;

    const comm::World& world() const { return world_; }
    fs::path operator/(const std::string& name) const { return fs::path(folder_) / name; }
    commands::Pretrained load() const
    {
        return commands::load_pretrained(*this / "run/small-latest.h5", *world_.communicator);
    }
    config::Config config(const std::vector<std::string>& overrides, const std::string& task = "embed") const
    {
        return config::parse(yaml_, "small.yaml", overrides, task);
    }
    /// Embeds on all ranks.
    io::EmbeddingsFile embed(const std::vector<std::string>& overrides) const
    {
        commands::embed(load(), config(overrides), *this / "all.h5", world_);
        return io::EmbeddingsFile(*this / "all.h5");
    }

private:
    comm::World world_ = test::world_of_all();
    std::optional<test::SmallRun> small_;
    std::string yaml_;
    std::string folder_;
};

double largest_difference(const std::vector<float>& a, const torch::Tensor& b)
{
    const auto left = torch::tensor(a).reshape(b.sizes());
    return (left - b.to(torch::kFloat32)).abs().max().item<double>();
}
}  // namespace

TEST_CASE("soft nearest neighbours on all ranks give the accuracy of one", "[embed]")
{
    const RunToEmbed run;
    const auto config = run.config({}, "snn_eval");
    const auto all = commands::snn_eval(run.load(), config, run.world());
    const auto one = commands::snn_eval(run.load(), config);
    CHECK(all["top1"] == one["top1"]);
    CHECK(all["top5"] == one["top5"]);
    CHECK(all["pictures"] == 12);
    CHECK(all["ranks"] == run.world().world_size());
}

TEST_CASE("all outputs of a network reach the file in data order, whatever the layout", "[embed]")
{
    const RunToEmbed run;
    const auto pretrained = run.load();
    const auto config = run.config({});
    const auto dataset = data::load_dataset(config, data::Splits::train_and_validation);
    const auto rows = dataset.validation.all_rows();
    const auto expected = [&](nn::Embedding which) {
        return train::embed(*pretrained.network.encoder, dataset.validation, rows, config, which,
                            device::Precision::fp32);
    };
    const auto backbone = expected(nn::Embedding::backbone);
    const auto projection = expected(nn::Embedding::projection);
    const auto prediction = expected(nn::Embedding::prediction);
    // As criterion.embedding has it, where nothing else is said.
    CHECK(run.embed({}).outputs() == std::vector<std::string>{"prediction"});
    const std::vector<std::vector<std::string>> layouts{
        {"data.evaluation_batch_size=5"},
        {"data.evaluation_batch_size=2", "embed.chunk_rows=3"},
        {"embed.compression=4", "embed.chunk_rows=5", "data.evaluation_batch_size=4"},
        {"embed.half=true", "embed.compression=1"}};
    for (auto overrides : layouts)
    {
        overrides.emplace_back("embed.outputs=[backbone, projection, prediction]");
        const auto file = run.embed(overrides);
        // Batches of other sizes round differently; half keeps 11 bits.
        const double tolerance = file.reals("embeddings").element_size() == 2 ? 2e-3 : 2e-5;
        CHECK(largest_difference(file.rows("backbone", 0, 12), backbone) < tolerance);
        CHECK(largest_difference(file.rows("embeddings", 0, 12), backbone) < tolerance);
        CHECK(largest_difference(file.rows("projection", 0, 12), projection) < tolerance);
        CHECK(largest_difference(file.rows("prediction", 0, 12), prediction) < tolerance);
        CHECK(file.source().names == dataset.validation.names);
        CHECK(file.source().labels == dataset.validation.labels);
        CHECK_FALSE(file.has_probabilities());
        CHECK(config::parse(file.source().config, "stored").embed.outputs.size() == 3);
        MPI_Barrier(MPI_COMM_WORLD);
    }
}

TEST_CASE("class probabilities stand beside embeddings, of the evaluation's split and of the training split", "[embed]")
{
    const RunToEmbed run;
    const auto pretrained = run.load();
    const auto config = run.config({"criterion.snn_temperature=0.3"});
    const auto dataset = data::load_dataset(config, data::Splits::train_and_validation);
    const auto embed = [&](const data::Images& images, const std::vector<std::int64_t>& rows)
    {
        return train::embed(*pretrained.network.encoder, images, rows, config, nn::Embedding::prediction,
                            device::Precision::fp32);
    };
    const auto supports = embed(dataset.train, dataset.labelled);
    for (const std::string split : {"val", "train"})
    {
        const auto& images = split == "val" ? dataset.validation : dataset.train;
        const auto wanted =
            loss::snn_probabilities(embed(images, images.all_rows()), supports, dataset.labelled_targets(), 3, 0.3);
        const auto overrides = {std::string("criterion.snn_temperature=0.3"), std::string("embed.probabilities=true"),
                                std::string("embed.outputs=[backbone]"), "embed.split=" + split};
        const auto summary = commands::embed(pretrained, run.config(overrides), run / "all.h5", run.world());
        const io::EmbeddingsFile file(run / "all.h5");
        CHECK(largest_difference(file.rows("probabilities", 0, file.count()), wanted) < 1e-5);
        CHECK(torch::tensor(file.predicted()).equal(wanted.argmax(1)));
        const auto accuracy = loss::accuracy(wanted, images.labels);
        CHECK(summary["top1"].get<double>() == Approx(accuracy.top1));
        CHECK(summary["top5"].get<double>() == Approx(accuracy.top5));
        CHECK(file.source().temperature == 0.3);
        CHECK(file.source().split == split);
        MPI_Barrier(MPI_COMM_WORLD);
    }
}

TEST_CASE("what cannot be embedded is refused on all ranks, and no file is left", "[embed]")
{
    const RunToEmbed run;
    const auto pretrained = run.load();
    const auto refused = [&](const std::vector<std::string>& overrides, const std::string& file)
    {
        try
        {
            commands::embed(pretrained, run.config(overrides), run / file, run.world());
        }
        catch (const std::exception& error)
        {
            return std::string(error.what());
        }
        return std::string("no error");
    };
    CHECK_THAT(refused({"embed.split=test"}, "all.h5"), Catch::Contains("has no split 'test'"));
    CHECK_THAT(refused({}, "nowhere/all.h5"), Catch::Contains("nowhere") && Catch::Contains("make it first"));
    CHECK_THAT(refused({"data.file=/nowhere.h5"}, "all.h5"), Catch::Contains("/nowhere.h5"));
    {
        const torch::NoGradGuard no_gradient;
        for (const auto& parameter : pretrained.network.encoder->named_parameters())
        {
            if (parameter.key().starts_with("fc.") && parameter.key().ends_with("bias"))
            {
                parameter.value().fill_(1e6);
            }
        }
    }
    CHECK_THAT(refused({"embed.half=true", "embed.outputs=[projection]"}, "all.h5"),
               Catch::Contains("embed.half: the projection of image '0") && Catch::Contains("float16"));
    MPI_Barrier(MPI_COMM_WORLD);
    for (const auto& entry : fs::directory_iterator(run / ""))
    {
        CHECK_THAT(entry.path().string(), !Catch::Contains("all.h5"));
    }
    MPI_Barrier(MPI_COMM_WORLD);
}

TEST_CASE("the task embed writes where the section embed says", "[tasks]")
{
    auto config = config::parse(
        "task: embed\nmeta: {model_name: resnet50}\ndata: {dataset: hdf5, file: a.h5}\n"
        "logging: {folder: runs, write_tag: tag}\n",
        "embed.yaml");
    CHECK(commands::embeddings_path(config) == "runs/tag-embeddings.h5");
    config.embed.file = "mine.h5";
    CHECK(commands::embeddings_path(config) == "runs/mine.h5");
    config.embed.file = "/elsewhere/mine.h5";
    CHECK(commands::embeddings_path(config) == "/elsewhere/mine.h5");
}

TEST_CASE("evaluation and embeddings of a checkpoint", "[tasks]")
{
    const test::SmallRun small;
    commands::run_training(small.config("run"), {"never", {}, {}, true});
    const auto checkpoint = small.folder / "run/small-latest.h5";
    const auto pretrained = commands::load_pretrained(checkpoint, *comm::make_single_rank());
    const auto config = pretrained.network.config;
    const auto evaluation = commands::snn_eval(pretrained, config);
    CHECK(evaluation["top1"].get<double>() >= 0);
    CHECK(evaluation["top5"].get<double>() == 1.0);
    CHECK(evaluation["labelled"] == 12);

    for (const auto& [embedding, dimensions] : {std::pair{"prediction", 16}, {"projection", 16}, {"backbone", 64}})
    {
        const auto wanted = small.config("run", {fmt::format("criterion.embedding={}", embedding)});
        commands::embed(pretrained, wanted, small.folder / "emb.h5");
        const io::EmbeddingsFile file(small.folder / "emb.h5");
        CHECK(file.count() == 12);
        CHECK(file.outputs() == std::vector<std::string>{embedding});
        CHECK(file.reals("embeddings").shape()[1] == static_cast<std::size_t>(dimensions));
        CHECK(file.source().split == "val");
        CHECK(file.source().epoch == 3);
        CHECK(file.source().labels[4] == 1);
        CHECK(file.source().names[4] == "004");
        CHECK(file.source().checkpoint_config == config.to_yaml());
    }
    auto missing = config;
    missing.embed.split = "test";
    CHECK_THROWS_WITH(commands::embed(pretrained, missing, small.folder / "emb.h5"), Catch::Contains("test"));
}

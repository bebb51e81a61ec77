// Checkpoints of PyTorch in the places that take checkpoints.

#include "src/checkpoint/stored_checkpoint.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstring>
#include <fstream>
#include <set>

#include "io/torch/torch_file.hpp"
#include "src/checkpoint/checkpoint.hpp"
#include "src/checkpoint/network_of.hpp"
#include "src/commands/convert.hpp"
#include "src/commands/evaluation.hpp"
#include "src/commands/training.hpp"
#include "src/nn/architecture.hpp"
#include "tests/commands/train_alone.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/golden_tensors.hpp"
#include "tests/support/goldens.hpp"
#include "tests/support/small_run.hpp"

namespace
{
using namespace paws;
using test::train_alone;
namespace fs = std::filesystem;

io::TorchTensor torch_tensor(const torch::Tensor& tensor)
{
    const auto values = tensor.detach().contiguous();
    io::TorchTensor made{values.scalar_type() == torch::kInt64 ? io::TorchType::int64 : io::TorchType::float32,
                         {values.sizes().begin(), values.sizes().end()},
                         {}};
    made.bytes.resize(values.nbytes());
    std::memcpy(made.bytes.data(), values.data_ptr(), made.bytes.size());
    return made;
}

/// The file that torchvision would have of the network: a plain state dict with a classifier.
void write_like_torchvision(const fs::path& path, const nn::Encoder& encoder)
{
    auto root = io::TorchValue::empty(io::TorchValue::Kind::ordered);
    for (const auto& [name, tensor] : nn::state_dict(encoder))
    {
        if (!name.starts_with("fc."))
        {
            root.add(io::TorchValue::of(name), io::TorchValue::of(torch_tensor(tensor)));
        }
    }
    root.add(io::TorchValue::of("fc.weight"), io::TorchValue::of(torch_tensor(torch::zeros({1000, 512}))));
    root.add(io::TorchValue::of("fc.bias"), io::TorchValue::of(torch_tensor(torch::zeros({1000}))));
    io::write_torch_file(path, root);
}

/// What the published code would have written: without what is ours alone.
void write_published(const fs::path& ours, const fs::path& path)
{
    checkpoint::write_stored_checkpoint(path, checkpoint::read_stored_checkpoint(ours).content);
    auto root = io::read_torch_file(path);
    REQUIRE(root.keys.back().text == "paws_hpc");
    root.keys.pop_back();
    root.items.pop_back();
    io::write_torch_file(path, root);
}

bool have_same_weights(const nn::Encoder& a, const nn::Encoder& b)
{
    const auto left = nn::state_dict(a), right = nn::state_dict(b);
    bool same = left.size() == right.size();
    for (std::size_t i = 0; same && i < left.size(); ++i)
    {
        same = left[i].first == right[i].first && torch::equal(left[i].second, right[i].second);
    }
    return same;
}

io::NamedArrays arrays_of(const nn::Encoder& encoder)
{
    io::NamedArrays arrays;
    for (const auto& [name, tensor] : nn::state_dict(encoder))
    {
        arrays.emplace_back(name, io::widened(torch_tensor(tensor)));
    }
    return arrays;
}

struct StoredRun : test::SmallRun
{
    fs::path latest() const { return folder / "run/small-latest.h5"; }

    StoredRun() { train_alone(config("run"), "never", 1); }
};
}  // namespace

TEST_CASE("the published checkpoint gives the published outputs", "[train][golden]")
{
    const fs::path path = test::golden_path("reference_ckpt.pth.tar");
    if (!fs::exists(path))
    {
        WARN("left out: " << path << " is not there; it is too large for the repository (set PAWS_GOLDENS)");
        return;
    }
    const auto pretrained = checkpoint::load_encoder(path);
    CHECK(pretrained.epochs_done == 17);
    CHECK(pretrained.config.meta.model_name == "wide_resnet28w2");
    CHECK(pretrained.config.meta.output_dim == 128);
    CHECK_FALSE(pretrained.config.meta.use_pred_head);
    REQUIRE(pretrained.config.notices.size() == 1);
    CHECK_THAT(pretrained.config.notices[0], Catch::Contains("wide_resnet28w2") && Catch::Contains("CIFAR-10"));
    const auto file = io::h5::File::open(test::golden_path("models.h5"));
    const auto group = file.group("wide_resnet28w2");
    std::vector<torch::Tensor> inputs;
    while (group.has_dataset("input" + std::to_string(inputs.size())))
    {
        inputs.push_back(test::read_tensor(group, "input" + std::to_string(inputs.size())).to(torch::kFloat32));
    }
    pretrained.encoder->eval();
    const torch::NoGradGuard no_gradient;
    const auto out = pretrained.encoder->forward(inputs);
    CHECK(test::relative_error(out.h, test::read_tensor(group, "eval_h")) < test::float_tolerance);
    CHECK(test::relative_error(out.z, test::read_tensor(group, "eval_z")) < test::float_tolerance);
}

TEST_CASE("a network is known by its weights", "[train]")
{
    for (const nn::EncoderSettings& settings :
         {nn::EncoderSettings{"wide_resnet16w1", 16, true}, nn::EncoderSettings{"wide_resnet28w2", 8, false},
          nn::EncoderSettings{"resnet18", 32, true}, nn::EncoderSettings{"resnet50", 4, false}})
    {
        const auto network = checkpoint::network_of(arrays_of(*nn::make_encoder(settings)));
        REQUIRE(network.has_value());
        CHECK(network->model_name == settings.model_name);
        CHECK(network->output_dim == settings.output_dim);
        CHECK(network->use_pred_head == settings.use_pred_head);
    }
    // One architecture, one name.
    std::set<std::string> descriptions;
    for (const auto& [name, architecture] : nn::architectures())
    {
        descriptions.insert(fmt::format("{} {} {}", static_cast<int>(architecture.family),
                                        fmt::join(architecture.blocks, ","), architecture.widen));
    }
    CHECK(descriptions.size() == nn::architectures().size());
    CHECK_FALSE(checkpoint::network_of({}).has_value());
    CHECK_THROWS_WITH(checkpoint::load_encoder(std::string(PAWS_TEST_DATA) + "/reference_ckpt_small.pth.tar"),
                      Catch::Contains("reference_ckpt_small.pth.tar") && Catch::Contains("resnet50"));
}

TEST_CASE("training resumes from a converted checkpoint as from the original", "[tasks]")
{
    const StoredRun run;
    train_alone(run.config("whole"), "never", 2);
    const auto converted = run.folder / "run/converted.pth.tar";
    commands::convert({run.latest(), converted, {}}, {});
    CHECK((checkpoint::read_stored_checkpoint(converted).content == io::read_checkpoint(run.latest())));
    train_alone(run.config("run"), converted.string(), 2);
    CHECK((io::read_checkpoint(run.latest()).encoder ==
           io::read_checkpoint(run.folder / "whole/small-latest.h5").encoder));
}

TEST_CASE("training resumes from a checkpoint of the published code", "[tasks]")
{
    const StoredRun run;
    const auto published = run.folder / "published.pth.tar";
    write_published(run.latest(), published);
    const auto config = run.config("run");
    const auto original = checkpoint::load_encoder(run.latest());
    const auto encoder = nn::make_encoder({config.meta.model_name, config.meta.output_dim, config.meta.use_pred_head});
    optim::LarsSgd optimizer(*encoder, {});
    const auto progress = checkpoint::resume_from(published, *encoder, optimizer, config);
    CHECK(have_same_weights(*encoder, *original.encoder));
    CHECK(progress.epochs_done == 1);
    CHECK(progress.world_size == 0);
    CHECK(progress.loss == io::read_checkpoint(run.latest()).progress.reals.at("loss"));
    const auto stored = io::read_checkpoint(run.latest()).momentum;
    REQUIRE(stored.size() == optimizer.momentum().size());
    for (std::size_t i = 0; i < stored.size(); ++i)
    {
        CHECK((io::widened(torch_tensor(optimizer.momentum()[i].second)) == stored[i].second));
    }
    const auto summary = train_alone(run.config("next"), published.string(), 2);
    CHECK(summary["epochs"] == 2);
    CHECK(summary["steps"] == 6);

    // Strict, with names.
    CHECK_THROWS_WITH(train_alone(run.config("next", {"meta.output_dim=8"}), published.string()),
                      Catch::Contains("published.pth.tar") &&
                          Catch::Contains("of another shape: fc.fc3.weight [16, 64]") && Catch::Contains("here [8, "));
    CHECK_THROWS_WITH(train_alone(run.config("next", {"meta.use_pred_head=false"}), published.string()),
                      Catch::Contains("unexpected: pred.bn1.weight") && Catch::Contains(" more"));
    auto content = checkpoint::read_stored_checkpoint(published).content;
    content.momentum.clear();
    content.pytorch = {};
    checkpoint::write_stored_checkpoint(published, content);
    CHECK_THROWS_WITH(train_alone(run.config("next"), published.string()),
                      Catch::Contains("no optimiser state") && Catch::Contains("meta.init_backbone"));
}

TEST_CASE("a checkpoint is found under the other ending of its name", "[train]")
{
    const StoredRun run;
    const auto named = run.folder / "run/small-latest.pth.tar";
    auto stored = checkpoint::read_stored_checkpoint(named);
    CHECK(stored.path == run.latest());
    REQUIRE(stored.notes.size() == 1);
    CHECK_THAT(stored.notes[0], Catch::Contains("small-latest.pth.tar: is not there; "));
    CHECK_THAT(checkpoint::load_encoder(named).config.notices.at(0),
               Catch::Contains("small-latest.h5 is used instead"));
    checkpoint::write_stored_checkpoint(named, stored.content);
    CHECK(checkpoint::read_stored_checkpoint(named).notes.empty());
    fs::remove(run.latest());
    CHECK(checkpoint::read_stored_checkpoint(run.latest()).path == named);
    CHECK_THROWS_WITH(checkpoint::read_stored_checkpoint(run.folder / "run/other.pth"),
                      Catch::Contains("other.pth") && Catch::Contains("no such file"));
    // By what is in it, not by its name.
    fs::rename(named, run.latest());
    CHECK((checkpoint::read_stored_checkpoint(run.latest()).content == stored.content));
}

TEST_CASE("a run starts from a network of torchvision", "[train]")
{
    const test::Folder folder;
    const auto path = folder / "resnet18.pth";
    const auto pretrained = nn::make_encoder({"resnet18", 16, false});
    write_like_torchvision(path, *pretrained);
    const auto encoder = nn::make_encoder({"resnet18", 32, true});
    const auto head = encoder->named_parameters()["fc.fc1.weight"].clone();
    CHECK(checkpoint::load_backbone(path, *encoder).empty());
    CHECK(torch::equal(encoder->named_parameters()["layer4.1.conv2.weight"],
                       pretrained->named_parameters()["layer4.1.conv2.weight"]));
    CHECK(torch::equal(encoder->named_buffers()["bn1.running_var"], pretrained->named_buffers()["bn1.running_var"]));
    CHECK(torch::equal(encoder->named_parameters()["fc.fc1.weight"], head));
    CHECK_THROWS_WITH(
        checkpoint::load_backbone(path, *nn::make_encoder({"wide_resnet16w1", 16, false})),
        Catch::Contains("resnet18.pth") && Catch::Contains("missing: ") && Catch::Contains("another network"));
    CHECK_THROWS_WITH(
        checkpoint::load_encoder(path),
        Catch::Contains("resnet18 without the published projection head") && Catch::Contains("meta.init_backbone"));
}

TEST_CASE("what of a backbone does not fit is said", "[train]")
{
    const test::Folder folder;
    const auto path = folder / "part.pth";
    auto root = io::TorchValue::empty(io::TorchValue::Kind::dict);
    const auto whole = nn::make_encoder({"wide_resnet16w1", 16, false});
    for (const auto& [name, tensor] : nn::state_dict(*whole))
    {
        if (name != "bn1.weight" && !name.starts_with("fc."))
        {
            root.add(io::TorchValue::of(name),
                     io::TorchValue::of(torch_tensor(name == "bn1.bias" ? torch::zeros({3}) : tensor)));
        }
    }
    root.add(io::TorchValue::of("extra"), io::TorchValue::of(torch_tensor(torch::zeros({1}))));
    io::write_torch_file(path, root);
    const auto encoder = nn::make_encoder({"wide_resnet16w1", 16, false});
    const auto notes = checkpoint::load_backbone(path, *encoder);
    REQUIRE(notes.size() == 1);
    for (const char* part : {"part.pth",
                             "(missing: bn1.weight; unexpected: extra; of another shape: bn1.bias [3], here "
                             "[64])",
                             "stay as they were"})
    {
        CHECK_THAT(notes[0], Catch::Contains(part));
    }
    CHECK(torch::equal(encoder->named_parameters()["conv1.weight"], whole->named_parameters()["conv1.weight"]));
}

TEST_CASE("a published checkpoint is evaluated like the original", "[tasks]")
{
    const StoredRun run;
    const auto published = run.folder / "published.pth.tar";
    write_published(run.latest(), published);
    const auto evaluate = [&](const fs::path& checkpoint)
    {
        const auto pretrained = commands::load_pretrained(checkpoint, *comm::make_single_rank());
        return commands::snn_eval(
            pretrained,
            config::parse(
                pretrained.network.config.to_yaml(), checkpoint.string(),
                {"data.dataset=hdf5", "data.file=" + run.data().string(), "data.subset=" + run.subset().string(),
                 "data.num_classes=0", "data.crop_size=16", "data.eval_crop_size=16", "data.eval_resize=16",
                 "data.mean=[0.5, 0.5, 0.5]", "data.std=[0.5, 0.5, 0.5]", "meta.precision=fp32"}));
    };
    const auto expected = evaluate(run.latest());
    const auto actual = evaluate(published);
    CHECK(actual["top1"] == expected["top1"]);
    CHECK(actual["epochs"] == 1);
}

TEST_CASE("what cannot be converted is refused, and nothing is written", "[tasks]")
{
    const StoredRun run;
    const auto refuse = [&](const commands::ConvertRequest& request, const std::vector<std::string>& parts,
                            const std::vector<std::string>& overrides = {})
    {
        std::string message;
        try
        {
            commands::convert(request, overrides);
        }
        catch (const std::exception& error)
        {
            message = error.what();
        }
        INFO(message);
        CHECK_FALSE(fs::exists(request.output));
        for (const auto& part : parts)
        {
            CHECK(message.find(part) != std::string::npos);
        }
    };
    const auto other = run.folder / "other.yaml";
    std::ofstream(other) << run.yaml("run");
    refuse({run.latest(), run.folder / "out.txt", {}}, {"out.txt", ".pth.tar"});
    refuse({run.latest(), run.folder / "out.h5", {}}, {"small-latest.h5", "paws_hpc already"});
    refuse({run.folder / "none.h5", run.folder / "out.pth", {}}, {"none.h5", "no such file"});
    refuse({run.data(), run.folder / "out.pth", {}}, {"data.h5", "paws-checkpoint"});
    refuse({run.latest(), run.folder / "missing/out.pth", {}}, {"missing"});
    refuse({run.latest(), run.folder / "out.pth", {}}, {"--set", "--config"}, {"meta.seed=1"});
    refuse({run.latest(), run.folder / "out.pth", other.string()}, {"--config", "meta.output_dim", "wide_resnet16w1"},
           {"meta.output_dim=8"});
    refuse({run.latest(), run.folder / "out.pth", other.string()}, {"meta.model_name"}, {"meta.model_name=resnet18"});
    refuse({run.latest(), run.folder / "out.pth", other.string()}, {"meta.use_pred_head"},
           {"meta.use_pred_head=false"});

    // Settings go along where they fit.
    const auto published = run.folder / "published.pth";
    write_published(run.latest(), published);
    const auto summary = commands::convert({published, run.folder / "back.h5", other.string()}, {});
    CHECK(summary["has_config"] == true);
    CHECK(summary["model_name"] == "wide_resnet16w1");
    CHECK(summary["output_dim"] == 16);
    const auto back = io::read_checkpoint(run.folder / "back.h5");
    CHECK((config::parse(back.config, "back.h5").meta == run.config("run").meta));
    CHECK((back.encoder == io::read_checkpoint(run.latest()).encoder));
}

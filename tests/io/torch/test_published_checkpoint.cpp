#include "io/torch/published_checkpoint.hpp"

#include <algorithm>
#include <limits>

#include "io/torch/torch_file.hpp"
#include "tests/io/torch_samples.hpp"

using namespace paws::test;
using namespace paws::io;
using Kind = TorchValue::Kind;

namespace
{
ReadCheckpoint read_published(const std::filesystem::path& path)
{
    return from_published(read_torch_file(path), path.string(), rules());
}

Checkpoint through_h5(const Checkpoint& checkpoint)
{
    const TemporaryFolder folder;
    write_checkpoint(folder / "file.h5", checkpoint);
    return read_checkpoint(folder / "file.h5");
}

TorchValue through_torch(const TorchValue& root)
{
    const TemporaryFolder folder;
    write_torch_file(folder / "file.pth.tar", root);
    return read_torch_file(folder / "file.pth.tar");
}

Array array_of(const std::vector<float>& numbers)
{
    return widened(tensor_of(TorchType::float32, {numbers.size()}, numbers));
}

Array count_of(std::int64_t count)
{
    return widened(tensor_of<std::int64_t>(TorchType::int64, {}, {count}));
}

/// One of a run of ours.
Checkpoint ours()
{
    Checkpoint checkpoint;
    checkpoint.encoder = {{"conv1.weight", array_of({1, 2, 3})},    {"conv1.bias", array_of({4})},
                          {"bn1.weight", array_of({5, 6})},         {"bn1.running_mean", array_of({7, 8})},
                          {"bn1.num_batches_tracked", count_of(9)}, {"fc.fc1.weight", array_of({10, 11})}};
    checkpoint.momentum = {{"conv1.weight", array_of({-1, -2, -3})},
                           {"conv1.bias", array_of({-4})},
                           {"bn1.weight", array_of({-5, -6})},
                           {"fc.fc1.weight", array_of({-10, -11})}};
    checkpoint.progress.epoch = 3;
    checkpoint.progress.iteration = 1 << 20;
    checkpoint.progress.integers = {{"world_size", 4}, {"support_epoch", -7}};
    checkpoint.progress.reals = {{"loss", 0.1}, {"best_loss", std::numeric_limits<double>::infinity()}};
    checkpoint.progress.texts = {{"generator", "grün"}};
    checkpoint.config = "task: paws_train\n";
    return checkpoint;
}

const TorchValue& at(const TorchValue& root, std::initializer_list<const char*> path)
{
    const TorchValue* value = &root;
    for (const char* key : path)
    {
        value = value->find(key);
        REQUIRE(value != nullptr);
    }
    return *value;
}

const Array& named(const NamedArrays& arrays, const std::string& name)
{
    const auto found =
        std::find_if(arrays.begin(), arrays.end(), [&](const auto& entry) { return entry.first == name; });
    REQUIRE(found != arrays.end());
    return found->second;
}
}  // namespace

TEST_CASE("a checkpoint of the published code is understood", "[io]")
{
    const auto [checkpoint, notes] = read_published(small_reference());
    CHECK(notes.empty());
    CHECK(checkpoint.encoder.size() == 25);
    CHECK(checkpoint.encoder.front().first == "conv1.weight");
    CHECK(checkpoint.progress.epoch == 17);
    CHECK(checkpoint.progress.reals.at("loss") == 1.234);
    CHECK(checkpoint.progress.integers.at("world_size") == 8);
    CHECK(checkpoint.config.empty());
    // In the order of the network, while the file has those with weight decay first.
    REQUIRE(checkpoint.momentum.size() == 16);
    CHECK(checkpoint.momentum[0].first == "conv1.weight");
    CHECK(checkpoint.momentum[1].first == "conv1.bias");
    const auto root = read_torch_file(small_reference());
    const auto& state = at(root, {"opt", "state"});
    CHECK(named(checkpoint.momentum, "fc.fc3.weight") == widened(state.find(4)->find("momentum_buffer")->tensor));
    CHECK(named(checkpoint.momentum, "conv1.bias") == widened(state.find(5)->find("momentum_buffer")->tensor));
    CHECK(named(checkpoint.momentum, "fc.fc3.bias") == widened(state.find(15)->find("momentum_buffer")->tensor));
}

TEST_CASE("from PyTorch to HDF5 and back, nothing is lost", "[io]")
{
    for (const auto& path : {small_reference(), data_path("torch/module.pth"), data_path("torch/values.pth")})
    {
        const auto root = read_torch_file(path);
        const auto checkpoint = read_published(path).checkpoint;
        CHECK(through_h5(checkpoint) == checkpoint);
        const auto back = through_torch(to_published(through_h5(checkpoint), "x", rules()));
        CHECK(back == root);
        CHECK(from_published(back, "x", rules()).checkpoint == checkpoint);
    }
}

TEST_CASE("from HDF5 to PyTorch and back, nothing is lost", "[io]")
{
    auto some = ours();
    const auto check = [](const Checkpoint& checkpoint)
    {
        const auto root = to_published(checkpoint, "x", rules());
        const auto back = from_published(through_torch(root), "x", rules()).checkpoint;
        CHECK(back == checkpoint);
        CHECK(to_published(back, "x", rules()) == root);
    };
    check(some);
    SECTION("only some parameters were trained")
    {
        some.momentum.erase(some.momentum.begin() + 1);
    }
    SECTION("in another order")
    {
        std::swap(some.momentum[0], some.momentum[3]);
    }
    SECTION("none was")
    {
        some.momentum.clear();
    }
    SECTION("no settings")
    {
        some.config.clear();
    }
    SECTION("nothing is known of the run")
    {
        some.progress = {};
    }
    SECTION("in double precision")
    {
        some.encoder[0].second = widened(tensor_of<double>(TorchType::float64, {3}, {0.1, 0.2, 0.3}));
        some.momentum[0].second = some.encoder[0].second;
    }
    check(some);
}

TEST_CASE("a converted checkpoint takes settings along", "[io]")
{
    auto checkpoint = read_published(small_reference()).checkpoint;
    checkpoint.config = "task: paws_train\n";
    const auto root = to_published(checkpoint, "x", rules());
    CHECK(from_published(root, "x", rules()).checkpoint == checkpoint);
    CHECK(at(root, {"amp", "scale"}).real == 65536.0);
}

TEST_CASE("ours is written as the published loaders want it", "[io]")
{
    const auto root = to_published(ours(), "x", rules());
    CHECK(at(root, {"encoder"}).kind == Kind::ordered);
    CHECK(at(root, {"encoder", "module.conv1.weight"}).tensor == narrowed(array_of({1, 2, 3}), TorchType::float32));
    const auto& groups = at(root, {"opt", "param_groups"}).items;
    REQUIRE(groups.size() == 2);
    CHECK(groups[0].find("params")->items.size() == 2);
    CHECK(groups[1].find("params")->items.size() == 2);
    CHECK(groups[1].find("params")->items[0].integer == 2);
    CHECK(groups[0].find("weight_decay")->real == 1e-6);
    CHECK(groups[0].find("LARS_exclude") == nullptr);
    CHECK(groups[1].find("LARS_exclude")->integer == 1);
    CHECK(groups[1].find("weight_decay")->integer == 0);
    CHECK(groups[0].find("lr")->real == 3.2);
    const auto& state = at(root, {"opt", "state"});
    CHECK(widened(state.find(1)->find("momentum_buffer")->tensor) == array_of({-10, -11}));
    CHECK(widened(state.find(2)->find("momentum_buffer")->tensor) == array_of({-4}));
    CHECK(at(root, {"epoch"}).integer == 3);
    CHECK(at(root, {"world_size"}).integer == 4);
    CHECK(at(root, {"loss"}).real == 0.1);
    for (const char* key : {"unlabel_prob", "s_batch_size", "u_batch_size", "lr", "temperature"})
    {
        CHECK(root.find(key) != nullptr);
    }
}

TEST_CASE("what someone changed in a file of ours is kept", "[io]")
{
    auto root = to_published(ours(), "x", rules());
    root.add(TorchValue::of("note"), TorchValue::of("mine"));
    root.add(TorchValue::of("queue"), TorchValue::of(tensor_of<float>(TorchType::float32, {2}, {1, 2})));
    const auto checkpoint = from_published(root, "x", rules()).checkpoint;
    CHECK(checkpoint.progress == ours().progress);
    CHECK(checkpoint.pytorch.tensors.size() == 1);
    const auto back = to_published(through_h5(checkpoint), "x", rules());
    CHECK(at(back, {"note"}).text == "mine");
    CHECK(at(back, {"queue"}) == at(root, {"queue"}));
    CHECK(at(back, {"paws_hpc"}) == at(root, {"paws_hpc"}));
}

TEST_CASE("weights are found where others put them, and prefixes go", "[io]")
{
    const auto weights = [](const std::string& prefix)
    {
        auto dict = TorchValue::empty(Kind::dict);
        dict.add(TorchValue::of(prefix + "a.weight"), TorchValue::of(tensor_of<float>(TorchType::float16, {0}, {})));
        dict.add(TorchValue::of(prefix + "a.bias"), TorchValue::of(tensor_of<float>(TorchType::float32, {1}, {1})));
        return dict;
    };
    for (const char* key : {"encoder", "state_dict", "model_state_dict", "model"})
    {
        auto root = TorchValue::empty(Kind::dict);
        root.add(TorchValue::of(key), weights("_orig_mod.module."));
        const auto checkpoint = from_published(root, "x", rules()).checkpoint;
        REQUIRE(checkpoint.encoder.size() == 2);
        CHECK(checkpoint.encoder[0].first == "a.weight");
        CHECK(checkpoint.encoder[0].second.type == ElementType::float32);
        CHECK(to_published(checkpoint, "x", rules()) == root);
    }
    auto mixed = weights("module.");
    mixed.add(TorchValue::of("b"), TorchValue::of(tensor_of<float>(TorchType::float32, {1}, {1})));
    CHECK(from_published(mixed, "x", rules()).checkpoint.encoder[0].first == "module.a.weight");
}

TEST_CASE("an optimiser's state that is not that of the weights is kept, and said", "[io]")
{
    auto root = read_torch_file(small_reference());
    auto& params = root.find("opt")->find("param_groups")->items[0].find("params")->items;
    SECTION("a parameter less")
    {
        params.pop_back();
    }
    SECTION("another order")
    {
        std::swap(params[0], params[1]);
    }
    const auto [checkpoint, notes] = from_published(root, "some.pth", rules());
    CHECK(checkpoint.momentum.empty());
    CHECK(checkpoint.pytorch.tensors.size() == 16);
    REQUIRE(notes.size() == 1);
    CHECK(notes[0].find("some.pth: the optimiser's state") == 0);
    CHECK(to_published(checkpoint, "x", rules()) == root);
}

TEST_CASE("momentum that is not there yet is zero", "[io]")
{
    auto root = read_torch_file(small_reference());
    auto& state = *root.find("opt")->find("state");
    state.keys.pop_back();
    state.items.pop_back();
    state.items[0].items[0] = TorchValue();
    const auto checkpoint = from_published(root, "x", rules()).checkpoint;
    CHECK(named(checkpoint.momentum, "fc.fc3.bias").bytes == std::vector<std::byte>(512));
    CHECK(named(checkpoint.momentum, "conv1.weight").bytes == std::vector<std::byte>(1728));
    CHECK(to_published(checkpoint, "x", rules()) == root);
}

TEST_CASE("what is no checkpoint is refused", "[io]")
{
    const auto refuse = [](TorchValue root, std::initializer_list<std::string> parts)
    { check_refused([&] { from_published(std::move(root), "some.pth", rules()); }, parts); };
    refuse({}, {"some.pth", "no weights"});
    refuse(TorchValue::of(1.0), {"no weights"});
    auto dict = TorchValue::empty(Kind::dict);
    dict.add(TorchValue::of("encoder"), TorchValue::of("somewhere else"));
    refuse(dict, {"no weights"});
    auto numbered = TorchValue::empty(Kind::dict);
    numbered.add(TorchValue::of(std::int64_t{1}), TorchValue::of(tensor_of<float>(TorchType::float32, {1}, {1})));
    refuse(numbered, {"without a name"});

    auto newer = to_published(ours(), "x", rules());
    newer.find("paws_hpc")->find("version")->integer = 2;
    refuse(newer, {"paws_hpc", "version 2", "newer"});
    auto wrong = to_published(ours(), "x", rules());
    wrong.find("paws_hpc")->find("integers")->items[0] = TorchValue::of("four");
    refuse(wrong, {"integers", "convert"});

    auto lacking = read_published(small_reference()).checkpoint;
    lacking.encoder.pop_back();
    check_refused([&] { to_published(lacking, "some.pth", rules()); }, {"some.pth", "encoder/fc.fc3.bias"});
    auto damaged = read_published(small_reference()).checkpoint;
    damaged.pytorch.structure.resize(100);
    check_refused([&] { to_published(damaged, "some.pth", rules()); }, {"some.pth", "cut off"});
}

// How far a run of the published code has come: read whatever it stands in, or refused, and never taken for 0.

#include "io/torch/published_progress.hpp"

#include <limits>

#include "io/torch/published_checkpoint.hpp"
#include "io/torch/published_own.hpp"
#include "io/torch/torch_file.hpp"
#include "tests/io/torch_samples.hpp"

using namespace paws::test;
using namespace paws::io;
using Kind = TorchValue::Kind;

namespace
{
TorchValue reference()
{
    return read_torch_file(small_reference());
}

ReadCheckpoint read_content(const TorchValue& root)
{
    return from_published(root, "some.pth", rules());
}

TorchValue with(const char* key, const TorchValue& value)
{
    auto root = reference();
    *root.find(key) = value;
    return root;
}

TorchValue without(const char* key)
{
    auto root = reference();
    const auto at = root.find(key) - root.items.data();
    root.items.erase(root.items.begin() + at);
    root.keys.erase(root.keys.begin() + at);
    return root;
}

template <class Number>
TorchValue tensor(TorchType type, std::vector<std::size_t> shape, const std::vector<Number>& numbers)
{
    return TorchValue::of(tensor_of(type, std::move(shape), numbers));
}

TorchValue& group(TorchValue& root, std::size_t i)
{
    return root.find("opt")->find("param_groups")->items[i];
}

/// The momentum is kept, but nobody resumes from it.
void check_unread(const TorchValue& root, const std::string& part)
{
    const auto [checkpoint, notes] = read_content(root);
    CHECK(checkpoint.momentum.empty());
    REQUIRE(notes.size() == 1);
    CHECK(notes[0].find("some.pth: ") == 0);
    CHECK(notes[0].find(part) != std::string::npos);
    CHECK(notes[0].find("training cannot resume") != std::string::npos);
    CHECK(to_published(checkpoint, "x", rules()) == root);
}
}  // namespace

TEST_CASE("an epoch is read from whatever holds a whole number", "[io]")
{
    const std::vector<TorchValue> seventeen = {
        TorchValue::of(std::int64_t{17}),
        TorchValue::of(17.0),
        tensor<std::int64_t>(TorchType::int64, {}, {17}),
        tensor<std::int64_t>(TorchType::int64, {1}, {17}),
        tensor<std::int32_t>(TorchType::int32, {}, {17}),
        tensor<std::uint8_t>(TorchType::uint8, {}, {17}),
        tensor<float>(TorchType::float32, {}, {17}),
        tensor<double>(TorchType::float64, {1, 1}, {17}),
        tensor<std::uint16_t>(TorchType::float16, {}, {0x4c40}),
    };
    const auto momentum = read_content(reference()).checkpoint.momentum;
    REQUIRE_FALSE(momentum.empty());
    for (const auto& epoch : seventeen)
    {
        const auto root = with("epoch", epoch);
        const auto [checkpoint, notes] = read_content(root);
        CHECK(checkpoint.progress.epoch == 17);
        CHECK(checkpoint.momentum == momentum);
        CHECK(notes.empty());
        // There and back it is what it was, and nothing of ours is with it.
        CHECK(to_published(checkpoint, "x", rules()) == root);
        CHECK(from_published(to_published(checkpoint, "x", rules()), "x", rules()).checkpoint == checkpoint);
    }
    CHECK(read_content(with("epoch", TorchValue::of(true))).checkpoint.progress.epoch == 1);
    CHECK(read_content(with("epoch", tensor<std::uint8_t>(TorchType::boolean, {}, {1}))).checkpoint.progress.epoch ==
          1);
    CHECK(read_content(with("epoch", TorchValue::of(std::int64_t{0}))).checkpoint.progress.epoch == 0);
}

TEST_CASE("an epoch that is not a number of epochs is refused", "[io]")
{
    const auto refuse = [](const TorchValue& epoch, const std::string& words)
    {
        check_refused([&] { read_content(with("epoch", epoch)); },
                      {"some.pth: its 'epoch' is " + words, "not a number of epochs", "torch.save"});
    };
    refuse(TorchValue::of(1.5), "1.5");
    refuse(TorchValue::of(-1.0), "-1");
    refuse(TorchValue::of(std::int64_t{-3}), "-3");
    refuse(TorchValue::of(1e300), "1e+300");
    refuse(TorchValue::of(std::numeric_limits<double>::quiet_NaN()), "nan");
    refuse(TorchValue::of(std::numeric_limits<double>::infinity()), "inf");
    refuse(TorchValue::of("17"), "text");
    refuse(tensor<std::int64_t>(TorchType::int64, {2}, {17, 18}), "a tensor of several numbers");
    refuse(tensor<float>(TorchType::float32, {}, {0.5F}), "0.5");
    refuse(TorchValue::empty(Kind::list), "not a number");
    refuse(TorchValue::empty(Kind::dict), "not a number");
}

TEST_CASE("without an epoch there is no momentum to resume from", "[io]")
{
    check_unread(without("epoch"), "'epoch'");
    check_unread(with("epoch", TorchValue()), "'epoch'");
    // Weights alone need none.
    auto root = without("epoch");
    root.find("opt")->find("state")->keys.clear();
    root.find("opt")->find("state")->items.clear();
    CHECK(read_content(root).notes.empty());
}

TEST_CASE("other progress is read from tensors too, and said where it cannot be", "[io]")
{
    const auto loss = read_content(with("loss", tensor<double>(TorchType::float64, {}, {0.25})));
    CHECK(loss.notes.empty());
    CHECK(loss.checkpoint.progress.reals.at("loss") == 0.25);
    const auto ranks = read_content(with("world_size", TorchValue::of(8.0)));
    CHECK(ranks.checkpoint.progress.integers.at("world_size") == 8);
    for (const char* key : {"loss", "world_size"})
    {
        const auto root = with(key, TorchValue::of("much"));
        const auto [checkpoint, notes] = read_content(root);
        REQUIRE(notes.size() == 1);
        CHECK(notes[0].find(std::string("some.pth: its '") + key + "' is not a number") == 0);
        CHECK(to_published(checkpoint, "x", rules()) == root);
        CHECK(read_content(with(key, TorchValue())).notes.empty());
    }
}

TEST_CASE("an optimiser's state that cannot be read is kept, and never taken for another", "[io]")
{
    const std::string part = "the optimiser's state is not that of the weights";
    SECTION("parameters with numbers that are none")
    {
        auto root = reference();
        for (const auto& number : {TorchValue::of(0.0), TorchValue::of("0"), TorchValue::of(false),
                                   tensor<std::int64_t>(TorchType::int64, {}, {0})})
        {
            group(root, 0).find("params")->items[0] = number;
            check_unread(root, part);
        }
    }
    SECTION("a parameter twice")
    {
        auto root = reference();
        auto& numbers = group(root, 0).find("params")->items;
        numbers[1] = numbers[0];
        check_unread(root, part);
    }
    SECTION("states with keys that are no numbers")
    {
        auto root = reference();
        root.find("opt")->find("state")->keys[3] = TorchValue::of("3");
        check_unread(root, part);
    }
    SECTION("a state of no parameter")
    {
        auto root = reference();
        root.find("opt")->find("state")->keys[3] = TorchValue::of(std::int64_t{99});
        check_unread(root, part);
    }
    SECTION("momentum that is no tensor")
    {
        auto root = reference();
        *root.find("opt")->find("state")->items[3].find("momentum_buffer") = TorchValue::of(0.0);
        check_unread(root, part);
    }
    SECTION("momentum of whole numbers")
    {
        auto root = reference();
        auto& momentum = root.find("opt")->find("state")->items[3].find("momentum_buffer")->tensor;
        momentum.type = TorchType::int32;
        check_unread(root, part);
    }
}

TEST_CASE("our own part must be as it was written", "[io]")
{
    Checkpoint checkpoint;
    checkpoint.encoder = {{"a", widened(tensor_of<float>(TorchType::float32, {1}, {1}))},
                          {"b", widened(tensor_of<float>(TorchType::float32, {1}, {2}))}};
    checkpoint.momentum = {checkpoint.encoder[1]};
    checkpoint.progress.epoch = 3;
    checkpoint.config = "task: paws_train\n";
    const auto root = to_published(checkpoint, "x", rules());
    REQUIRE((from_published(root, "x", rules()).checkpoint == checkpoint));
    const auto refuse = [&](const char* key, const TorchValue& value)
    {
        auto changed = root;
        *changed.find(our_key)->find(key) = value;
        check_refused([&] { read_content(changed); }, {"some.pth", "'paws_hpc'"});
        auto& own = *changed.find(our_key);
        const auto at = own.find(key) - own.items.data();
        own.items.erase(own.items.begin() + at);
        own.keys.erase(own.keys.begin() + at);
        if (std::string(key) != "momentum")
        {
            check_refused([&] { read_content(changed); }, {"some.pth", "'paws_hpc'"});
        }
    };
    refuse("version", TorchValue::of(1.0));
    refuse("iteration", TorchValue::of("7"));
    refuse("integers", TorchValue::empty(Kind::list));
    refuse("reals", TorchValue());
    refuse("texts", TorchValue::of(true));
    refuse("config", TorchValue::of(std::int64_t{0}));
    auto names = TorchValue::empty(Kind::list);
    names.items = {TorchValue::of("c")};
    refuse("momentum", names);
    names.items = {TorchValue::of("b"), TorchValue::of("b")};
    refuse("momentum", names);
}

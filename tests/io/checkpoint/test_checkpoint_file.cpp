#include <cstring>
#include <limits>

#include "io/checkpoint/checkpoint_file.hpp"
#include "io/hdf5/h5.hpp"
#include "tests/io/files.hpp"

using namespace paws::test;
using namespace paws::io;

namespace
{
template <typename T>
Array array_of(ElementType type, std::vector<std::size_t> shape, const std::vector<T>& values)
{
    Array array{type, std::move(shape), std::vector<std::byte>(values.size() * sizeof(T))};
    if (!values.empty())
    {
        std::memcpy(array.bytes.data(), values.data(), array.bytes.size());
    }
    return array;
}

Checkpoint made_up()
{
    const float nan = std::numeric_limits<float>::quiet_NaN();
    Checkpoint checkpoint;
    // Not in the order of the alphabet, and with a branch that is come back to.
    checkpoint.encoder = {
        {"conv1.weight", array_of<float>(ElementType::float32, {2, 3}, {1, 2, 3, 4, 5, nan})},
        {"layer1.10.bn1.weight", array_of<float>(ElementType::float32, {1}, {7})},
        {"fc.bias", array_of<double>(ElementType::float64, {2}, {0.1, -0.0})},
        {"layer1.2.bn1.weight", array_of<float>(ElementType::float32, {1}, {8})},
        {"layer1.2.bn1.num_batches_tracked", array_of<std::int64_t>(ElementType::int64, {}, {1LL << 60})},
        {"bytes", array_of<std::uint8_t>(ElementType::uint8, {2, 2}, {0, 255, 3, 4})},
        {"empty", array_of<float>(ElementType::float32, {0, 4}, {})},
    };
    checkpoint.momentum = {{"fc.bias", array_of<double>(ElementType::float64, {2}, {3, 4})},
                           {"conv1.weight", array_of<float>(ElementType::float32, {1}, {0.5F})}};
    checkpoint.progress.epoch = 17;
    checkpoint.progress.iteration = 123456789012;
    checkpoint.progress.integers = {{"sampler_seed", -5}};
    checkpoint.progress.reals = {{"scaler_scale", 65536.0}, {"best", 0.1}};
    checkpoint.progress.texts = {{"note", "grün"}, {"empty", ""}, {"generator", std::string(200'000, 'x')}};
    checkpoint.config = "meta:\n  device: cuda\n# grün\n";
    return checkpoint;
}

void check_unwritable(const Checkpoint& checkpoint, std::initializer_list<std::string> parts)
{
    const TemporaryFolder folder;
    check_refused([&] { write_checkpoint(folder / "file.h5", checkpoint); }, parts);
    CHECK(folder.entries() == 0);
}
}  // namespace

TEST_CASE("a checkpoint is read as it was written, in its order", "[io]")
{
    const TemporaryFolder folder;
    write_checkpoint(folder / "file.h5", made_up());
    CHECK(read_checkpoint(folder / "file.h5") == made_up());
    write_checkpoint(folder / "empty.h5", {});
    CHECK(read_checkpoint(folder / "empty.h5") == Checkpoint{});
    CHECK(folder.entries() == 2);
}

TEST_CASE("a checkpoint is laid out as other programs expect", "[io]")
{
    const TemporaryFolder folder;
    write_checkpoint(folder / "file.h5", made_up());
    const h5::File file = h5::File::open(folder / "file.h5");
    CHECK(file.attribute<std::string>("format") == "paws-checkpoint");
    CHECK(file.attribute<std::int64_t>("version") == 1);
    CHECK(file.attribute<std::string>("created_by").starts_with("paws_hpc"));
    CHECK(file.dataset("encoder/layer1/10/bn1/weight").read<float>() == std::vector<float>{7});
    CHECK(file.dataset("encoder/conv1/weight").shape() == h5::Shape{2, 3});
    CHECK(file.dataset("encoder/layer1/2/bn1/num_batches_tracked").shape().empty());
    CHECK(file.dataset("optimizer/momentum/fc/bias").read<double>() == std::vector<double>{3, 4});
    CHECK(file.group("progress").attribute<std::int64_t>("epoch") == 17);
    CHECK(file.group("progress").attribute<double>("scaler_scale") == 65536);
    CHECK(file.dataset("config").read_scalar<std::string>() == made_up().config);
}

TEST_CASE("equal checkpoints give equal files", "[io]")
{
    const TemporaryFolder folder;
    write_checkpoint(folder / "a.h5", made_up());
    write_checkpoint(folder / "b.h5", made_up());
    CHECK(contents(folder / "a.h5") == contents(folder / "b.h5"));
}

TEST_CASE("checkpoints whose parts do not match or collide are not written", "[io]")
{
    const auto changed = [](auto change)
    {
        Checkpoint checkpoint = made_up();
        change(checkpoint);
        return checkpoint;
    };
    check_unwritable(changed(
                         [](Checkpoint& c) {
                             c.encoder[0].second.shape = {2, 2};
                         }),
                     {"file.h5", "'conv1.weight'", "shape"});
    check_unwritable(changed([](Checkpoint& c) { c.momentum[1].first = "fc.bias"; }),
                     {"file.h5", "'fc.bias'", "twice"});
    check_unwritable(changed([](Checkpoint& c) { c.encoder[0].first = "a/b"; }), {"file.h5", "'a/b'", "slash"});
    check_unwritable(changed([](Checkpoint& c) { c.encoder[0].first = "a..b"; }), {"file.h5", "a//b"});
    check_unwritable(changed([](Checkpoint& c) { c.encoder[0].first = "fc.bias.more"; }), {"file.h5"});
    check_unwritable(changed([](Checkpoint& c) { c.progress.reals["epoch"] = 1; }), {"file.h5", "'epoch'", "taken"});
    check_unwritable(changed([](Checkpoint& c) { c.progress.texts["best"] = ""; }), {"file.h5", "'best'", "taken"});
    check_unwritable(changed([](Checkpoint& c) { c.progress.integers[""] = 1; }), {"file.h5", "empty"});
    check_unwritable(changed([](Checkpoint& c) { c.progress.texts["note"] = std::string(1, '\0'); }),
                     {"'note'", "zero byte"});
}

TEST_CASE("an old checkpoint stays when a new one cannot be written", "[io]")
{
    const TemporaryFolder folder;
    write_checkpoint(folder / "file.h5", made_up());
    Checkpoint wrong = made_up();
    wrong.config = std::string("a\0b", 3);
    check_refused([&] { write_checkpoint(folder / "file.h5", wrong); }, {"file.h5:/config", "zero byte"});
    CHECK(read_checkpoint(folder / "file.h5") == made_up());
}

TEST_CASE("files that are no checkpoints, and cut off ones, are refused by name", "[io]")
{
    const TemporaryFolder folder;
    write_checkpoint(folder / "file.h5", made_up());
    const std::string whole = contents(folder / "file.h5");
    for (const std::size_t size :
         {whole.size() - 1, whole.size() - 24, whole.size() - 25, whole.size() / 2, std::size_t{600}})
    {
        write_file(folder / "cut.h5", whole.substr(0, size));
        check_refused([&] { read_checkpoint(folder / "cut.h5"); }, {"cut.h5", "cut off or damaged"});
    }
    h5::File foreign = h5::File::create(folder / "foreign.h5");
    foreign.set_attribute<std::string>("format", "paws-dataset");
    foreign.save();
    check_refused([&] { read_checkpoint(folder / "foreign.h5"); }, {"foreign.h5", "paws-dataset", "paws-checkpoint"});
}

TEST_CASE("checkpoints that lack something are refused by name", "[io]")
{
    const TemporaryFolder folder;
    const auto refused = [&](auto fill, std::initializer_list<std::string> parts)
    {
        h5::File file = h5::File::create(folder / "file.h5");
        file.set_attribute<std::string>("format", "paws-checkpoint");
        file.set_attribute<std::int64_t>("version", 1);
        h5::Group encoder = file.create_group("encoder");
        encoder.set_attribute<std::int64_t>("count", 1);
        fill(encoder);
        file.save();
        check_refused([&] { read_checkpoint(folder / "file.h5"); }, parts);
    };
    const std::vector<float> one = {1};
    refused([](h5::Group&) {}, {"file.h5:/encoder", "lacks one of its 1 arrays"});
    refused([&](h5::Group& g) { g.write<float>("a", one, {1}); }, {"/encoder/a", "no attribute 'position'"});
    refused([&](h5::Group& g) { g.write<float>("a", one, {1}).set_attribute<std::int64_t>("position", 1); },
            {"/encoder/a", "impossible position"});
    refused([&](h5::Group& g) { g.write<float>("a", one, {1}).set_attribute<std::int64_t>("position", 0); },
            {"/encoder/a", "no attribute 'crc32'"});
    const std::vector<std::int32_t> small = {1};
    refused([&](h5::Group& g) { g.write<std::int32_t>("a", small, {1}).set_attribute<std::int64_t>("position", 0); },
            {"/encoder/a", "not of type float32"});
    refused([&](h5::Group& g) { g.set_attribute<std::int64_t>("count", 0); },
            {"file.h5:/", "no group 'optimizer/momentum'"});
}

TEST_CASE("no flipped bit of a checkpoint goes unnoticed", "[io]")
{
    const TemporaryFolder folder;
    Checkpoint checkpoint = made_up();
    checkpoint.progress.texts["generator"] = "short";
    write_checkpoint(folder / "file.h5", checkpoint);
    const std::string whole = contents(folder / "file.h5");
    std::size_t refused = 0;
    std::size_t harmless = 0;
    // Every place of a structure comes up, with steps that do not fall in with its alignment.
    for (std::size_t place = 8; place < whole.size(); place += 13)
    {
        std::string bytes = whole;
        bytes[place] = static_cast<char>(bytes[place] ^ (1 << place % 8));
        write_file(folder / "flipped.h5", bytes);
        try
        {
            // Bytes between the structures hold nothing, so they may change: then all that is read must be as it was.
            const bool same = read_checkpoint(folder / "flipped.h5") == checkpoint;
            INFO("byte " << place);
            CHECK(same);
            ++harmless;
        }
        catch (const Error& error)
        {
            ++refused;
            if (std::string(error.what()).find("flipped.h5") == std::string::npos)
            {
                FAIL_CHECK("byte " << place << ": " << error.what());
            }
        }
    }
    INFO("refused " << refused << ", harmless " << harmless);
    CHECK(refused > 0);
}

#include "io/torch/torch_file.hpp"

#include <cmath>
#include <limits>

#include "io/results/inspect.hpp"
#include "io/torch/pickle.hpp"
#include "tests/io/torch_samples.hpp"

using namespace paws::test;
using namespace paws::io;
using Kind = TorchValue::Kind;

namespace
{
const TorchTensor& tensor_at(const TorchValue& root, std::string_view key)
{
    const auto* found = root.find(key);
    REQUIRE(found != nullptr);
    REQUIRE(found->kind == Kind::tensor);
    return found->tensor;
}

void check_values(const TorchValue& root)
{
    const auto check = [&](const char* key, const TorchTensor& expected)
    {
        INFO(key);
        CHECK(tensor_at(root, key) == expected);
    };
    const auto floats = [](std::vector<std::size_t> shape, const std::vector<float>& numbers)
    { return tensor_of(TorchType::float32, std::move(shape), numbers); };
    check("float32", floats({3}, {0.1F, -0.0F, INFINITY}));
    check("float64", tensor_of<double>(TorchType::float64, {2, 1}, {0.1, 1e300}));
    check("int64", tensor_of<std::int64_t>(TorchType::int64, {2}, {1LL << 60, -1}));
    check("int32", tensor_of<std::int32_t>(TorchType::int32, {2}, {1 << 30, -1}));
    check("int16", tensor_of<std::int16_t>(TorchType::int16, {2}, {1 << 14, -1}));
    check("int8", tensor_of<std::int8_t>(TorchType::int8, {2}, {127, -128}));
    check("uint8", tensor_of<std::uint8_t>(TorchType::uint8, {2}, {255, 0}));
    check("bool", tensor_of<std::uint8_t>(TorchType::boolean, {2}, {1, 0}));
    check("scalar", tensor_of<std::int64_t>(TorchType::int64, {}, {7}));
    check("empty", floats({0, 3}, {}));
    std::vector<float> transposed, channels_last;
    for (int column = 0; column < 6; ++column)
    {
        for (int row = 0; row < 4; ++row)
        {
            transposed.push_back(static_cast<float>(6 * row + column));
        }
    }
    for (int i = 0; i < 24; ++i)
    {
        channels_last.push_back(static_cast<float>(i));
    }
    check("transposed", floats({6, 4}, transposed));
    check("channels_last", floats({1, 2, 3, 4}, channels_last));
    check("part", floats({2, 3}, {6, 8, 10, 12, 14, 16}));
    check("end", floats({4}, {20, 21, 22, 23}));
    check("expanded", floats({2, 3}, {5, 5, 5, 5, 5, 5}));
    check("parameter", floats({2}, {0, 1}));

    const auto* plain = root.find("plain");
    REQUIRE(plain != nullptr);
    REQUIRE(plain->items.size() == 12);
    CHECK(plain->items[0].kind == Kind::none);
    CHECK(plain->items[1] == TorchValue::of(true));
    CHECK(plain->items[2] == TorchValue::of(false));
    CHECK(plain->items[3] == TorchValue::of(std::int64_t{200}));
    CHECK(plain->items[6] == TorchValue::of(std::int64_t{1} << 40));
    CHECK(plain->items[7] == TorchValue::of(0.1));
    CHECK(plain->items[8] == TorchValue::of("grün"));
    CHECK(plain->items[9].kind == Kind::tuple);
    CHECK(plain->items[10].kind == Kind::bytes);
    CHECK(plain->items[10].text == std::string("\0\xff", 2));
    CHECK(plain->items[11].items[1] == TorchValue::of(std::int64_t{4}));
    REQUIRE(root.find(3) != nullptr);
    CHECK(*root.find(3) == TorchValue::of("a number as a key"));
}

std::vector<float> floats_of(const Array& array)
{
    REQUIRE(array.type == ElementType::float32);
    std::vector<float> numbers(array.bytes.size() / sizeof(float));
    std::memcpy(numbers.data(), array.bytes.data(), array.bytes.size());
    return numbers;
}
}  // namespace

TEST_CASE("tensors of all types and strides, and plain values, are read as PyTorch wrote them", "[io]")
{
    check_values(read_torch_file(data_path("torch/values.pth")));
}

TEST_CASE("the format before PyTorch 1.6 is read as well", "[io]")
{
    CHECK(is_torch_file(data_path("torch/values_legacy.pth")));
    check_values(read_torch_file(data_path("torch/values_legacy.pth")));
    CHECK(read_torch_file(data_path("torch/values_legacy.pth")) == read_torch_file(data_path("torch/values.pth")));
}

TEST_CASE("what is written is read again, and equal values give equal files", "[io]")
{
    const TemporaryFolder folder;
    const auto root = read_torch_file(data_path("torch/values.pth"));
    write_torch_file(folder / "one.pth", root);
    write_torch_file(folder / "two.pth", root);
    CHECK(read_torch_file(folder / "one.pth") == root);
    CHECK(contents(folder / "one.pth") == contents(folder / "two.pth"));
    CHECK(folder.entries() == 2);
    CHECK_THROWS_AS(write_torch_file(folder / "three.pth", TorchValue::reference("a", TorchType::float32)),
                    std::invalid_argument);
    CHECK(folder.entries() == 2);
}

TEST_CASE("storages begin at multiples of 64 bytes", "[io]")
{
    const TemporaryFolder folder;
    auto root = TorchValue::empty(Kind::list);
    for (std::uint8_t i = 1; i <= 130; ++i)
    {
        root.items.push_back(
            TorchValue::of(tensor_of<std::uint8_t>(TorchType::uint8, {i}, std::vector<std::uint8_t>(i, i))));
    }
    write_torch_file(folder / "file.pth", root);
    const std::string bytes = contents(folder / "file.pth");
    for (std::uint8_t i = 1; i <= 130; ++i)
    {
        // The name ends where the padding begins: F, B, its length, its bytes, and then the storage.
        const std::string name = "archive/data/" + std::to_string(i - 1) + "FB";
        const auto found = bytes.find(name);
        REQUIRE(found != std::string::npos);
        const auto length = found + name.size();
        const auto begin = length + 2 + static_cast<unsigned char>(bytes[length]);
        CHECK(begin % 64 == 0);
        CHECK(bytes.substr(begin, i) == std::string(i, static_cast<char>(i)));
    }
}

TEST_CASE("the state dict of a module keeps its attributes", "[io]")
{
    const auto root = read_torch_file(data_path("torch/module.pth"));
    REQUIRE(root.kind == Kind::ordered);
    REQUIRE(root.keys.size() == 7);
    CHECK(root.keys[0].text == "0.weight");
    REQUIRE(root.state.size() == 1);
    REQUIRE(root.state[0].find("_metadata") != nullptr);
    CHECK(root.state[0].find("_metadata")->find("1")->find("version")->integer == 2);
    const TemporaryFolder folder;
    write_torch_file(folder / "file.pth", root);
    CHECK(read_torch_file(folder / "file.pth") == root);
}

TEST_CASE("narrow numbers widen exactly, and go back to the same bits", "[io]")
{
    const auto root = read_torch_file(data_path("torch/values.pth"));
    CHECK(floats_of(widened(tensor_at(root, "float16"))) ==
          std::vector<float>{1.5F, -65504.F, 6.103515625e-05F, 5.960464477539063e-08F, -0.F, INFINITY});
    const auto wide = floats_of(widened(tensor_at(root, "bfloat16")));
    CHECK(wide[0] == 1.5F);
    CHECK(wide[1] == Approx(-3.3895e38F).epsilon(0.01));
    CHECK(wide[2] == Approx(1e-40F).epsilon(0.1));
    CHECK(std::signbit(wide[3]));
    for (const auto type : {TorchType::float16, TorchType::bfloat16, TorchType::int16})
    {
        std::vector<std::uint16_t> all(0x10000);
        for (std::size_t i = 0; i < all.size(); ++i)
        {
            all[i] = static_cast<std::uint16_t>(i);
        }
        const auto tensor = tensor_of(type, {all.size()}, all);
        CHECK(narrowed(widened(tensor), type) == tensor);
    }
    for (const char* key : {"float32", "float64", "int64", "int32", "int8", "uint8", "bool"})
    {
        const auto& tensor = tensor_at(root, key);
        CHECK(narrowed(widened(tensor), tensor.type) == tensor);
    }
    CHECK_THROWS_AS(narrowed(widened(tensor_at(root, "float32")), TorchType::int32), std::invalid_argument);
}

TEST_CASE("a checkpoint of the published code is described", "[io]")
{
    const auto text = describe(small_reference());
    for (const char* part : {"file of PyTorch", "encoder: 25 entries, 25 tensors", "epoch: 17", "loss: 1.234", "whole"})
    {
        CHECK(text.find(part) != std::string::npos);
    }
    CHECK(describe(data_path("torch/module.pth")).find("7 entries, 7 tensors") != std::string::npos);
    CHECK(describe(data_path("torch/values_legacy.pth")).find("no checksums") != std::string::npos);
}

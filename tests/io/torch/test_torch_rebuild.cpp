// Every argument of every call that makes a tensor is understood, or the tensor is refused by its name.

#include "io/torch/torch_file.hpp"
#include "tests/io/torch_samples.hpp"

using namespace paws::test;
using namespace paws::io;

namespace
{
const std::string true_ = "\x88", false_ = "\x89", none = "N";
/// The storage of the samples: float numbers with these bits, or others of them.
constexpr std::uint32_t bits = 0x01010101;

std::string global(const std::string& module, const std::string& name)
{
    return "c" + module + "\n" + name + "\n";
}

/// {KEY: VALUE}
std::string dict(const std::string& key, const std::string& value)
{
    return "}" + pickled(key) + value + "s";
}

std::string call(const std::string& function, const std::string& arguments)
{
    return function + "(" + arguments + "tR";
}

std::string plain()
{
    return tensor_call(6, 0, {2}, {1});
}

std::string marked(const std::string& marks, const std::string& storage = "FloatStorage")
{
    return tensor_call(1, 0, {1}, {1}, storage, "0", marks);
}

/// {"weights": {"a.b": VALUE}}
std::string within(const std::string& value)
{
    return dict("weights", dict("a.b", value));
}

TorchTensor read_tensor(const std::string& value)
{
    const TemporaryFolder folder;
    const auto root = read_torch_file(write_around(folder / "some.pth", within(value)));
    return root.find("weights")->find("a.b")->tensor;
}

void refuse_value(const std::string& value, std::initializer_list<std::string> parts)
{
    const TemporaryFolder folder;
    const auto path = write_around(folder / "some.pth", within(value));
    check_refused([&] { read_torch_file(path); }, {"some.pth", "'weights.a.b'"});
    check_refused([&] { read_torch_file(path); }, parts);
}
}  // namespace

TEST_CASE("tensors with the neg bit have the other sign", "[io]")
{
    const auto negative = dict("neg", true_);
    CHECK(read_tensor(marked(negative)) == tensor_of<std::uint32_t>(TorchType::float32, {1}, {bits | 0x80000000U}));
    CHECK(read_tensor(marked(none)) == tensor_of<std::uint32_t>(TorchType::float32, {1}, {bits}));
    CHECK(read_tensor(marked(negative, "DoubleStorage")) ==
          tensor_of<std::uint64_t>(TorchType::float64, {1}, {0x8101010101010101U}));
    CHECK(read_tensor(marked(negative, "HalfStorage")) ==
          tensor_of<std::uint16_t>(TorchType::float16, {1}, {std::uint16_t{0x8101}}));
    CHECK(read_tensor(marked(negative, "BFloat16Storage")) ==
          tensor_of<std::uint16_t>(TorchType::bfloat16, {1}, {std::uint16_t{0x8101}}));
    CHECK(read_tensor(marked(negative, "LongStorage")) ==
          tensor_of<std::int64_t>(TorchType::int64, {1}, {-0x0101010101010101}));
    CHECK(read_tensor(marked(negative, "IntStorage")) == tensor_of<std::int32_t>(TorchType::int32, {1}, {-0x01010101}));
    CHECK(read_tensor(marked(negative, "ShortStorage")) ==
          tensor_of<std::int16_t>(TorchType::int16, {1}, {std::int16_t{-0x0101}}));
    CHECK(read_tensor(marked(negative, "CharStorage")) ==
          tensor_of<std::int8_t>(TorchType::int8, {1}, {std::int8_t{-1}}));
    CHECK(read_tensor(marked(negative, "ByteStorage")) ==
          tensor_of<std::uint8_t>(TorchType::uint8, {1}, {std::uint8_t{255}}));
    refuse_value(marked(negative, "BoolStorage"), {"truth values"});
}

TEST_CASE("marks that are not known are refused by the name of the tensor", "[io]")
{
    refuse_value(marked(dict("conj", true_)), {"complex conjugate", "real and imaginary"});
    refuse_value(marked(dict("flipped", true_)), {"mark 'flipped'", "clone()"});
    refuse_value(marked(dict("neg", pickled(1))), {"mark 'neg'"});
    refuse_value(marked(dict("neg", false_)), {"mark 'neg'"});
    refuse_value(marked(pickled("neg")), {"mark"});
    refuse_value(marked(dict("neg", true_) + pickled(1)), {"8 arguments where 7"});
}

TEST_CASE("tensors of PyTorch 2 are read as it wrote them", "[io]")
{
    std::vector<float> numbers(6), all(100);
    for (std::size_t i = 0; i < all.size(); ++i)
    {
        all[i] = static_cast<float>(i);
    }
    std::copy_n(all.begin(), numbers.size(), numbers.begin());
    const auto expected = tensor_of(TorchType::float32, {6}, numbers);
    for (const char* file : {"torch2_values.pth", "torch2_protocol4.pth", "torch2_legacy_protocol4.pth"})
    {
        INFO(file);
        REQUIRE(is_torch_file(data_path(std::string("torch/") + file)));
        const auto root = read_torch_file(data_path(std::string("torch/") + file));
        for (const char* name :
             {"plain", "negative", "parameter", "parameter with an attribute", "tensor with an attribute", "buffer"})
        {
            INFO(name);
            REQUIRE(root.find(name) != nullptr);
            const auto& tensor = root.find(name)->tensor;
            CHECK(widened(tensor).type == ElementType::float32);
            CHECK(tensor.shape == expected.shape);
            // -0 is the negative of the negative's 0.
            for (std::size_t i = 0; i < numbers.size(); ++i)
            {
                float number = -1;
                std::memcpy(&number, tensor.bytes.data() + i * sizeof number, sizeof number);
                CHECK(number == numbers[i]);
            }
        }
        CHECK(root.find("negative double")->tensor.type == TorchType::float64);
        const auto* views = root.find("views");
        REQUIRE(views->items.size() == 10);
        for (std::size_t i = 0; i < 5; ++i)
        {
            CHECK(views->items[2 * i].tensor ==
                  tensor_of(TorchType::float32, {20},
                            std::vector<float>(all.begin() + static_cast<std::ptrdiff_t>(20 * i),
                                               all.begin() + static_cast<std::ptrdiff_t>(20 * i + 20))));
            CHECK(views->items[2 * i + 1].tensor ==
                  tensor_of<std::int64_t>(TorchType::int64, {}, {static_cast<std::int64_t>(i)}));
        }
    }
}

TEST_CASE("parameters and buffers are their tensors, with all arguments looked at", "[io]")
{
    const auto expected = read_tensor(plain());
    const auto parameter = global("torch._utils", "_rebuild_parameter");
    CHECK(read_tensor(call(parameter, plain() + no_gradient)) == expected);
    CHECK(read_tensor(call(parameter, plain() + true_ + none)) == expected);
    refuse_value(call(parameter, plain()), {"incompletely"});
    refuse_value(call(parameter, plain() + no_gradient + none), {"4 arguments where 3"});
    refuse_value(call(parameter, plain() + pickled(1) + none), {"gradient"});
    refuse_value(call(parameter, plain() + true_ + pickled(1)), {"gradient"});
    refuse_value(call(parameter, pickled(1) + no_gradient), {"something else than a tensor"});

    const auto with_state = global("torch._utils", "_rebuild_parameter_with_state");
    CHECK(read_tensor(call(with_state, plain() + no_gradient + dict("a", pickled(1)))) == expected);
    refuse_value(call(with_state, plain() + no_gradient), {"incompletely"});
    refuse_value(call(with_state, plain() + no_gradient + pickled(1)), {"attributes"});

    const auto typed = global("torch._tensor", "_rebuild_from_type_v2");
    const auto arguments = "(" + storage_id(6) + pickled(0) + pickled(std::vector<std::int64_t>{2}) +
                           pickled(std::vector<std::int64_t>{1}) + no_gradient + "t";
    const auto v2 = global("torch._utils", "_rebuild_tensor_v2");
    for (const auto& type : {global("torch", "Tensor"), global("torch.nn.parameter", "Buffer")})
    {
        CHECK(read_tensor(call(typed, v2 + type + arguments + none)) == expected);
    }
    refuse_value(call(typed, v2 + global("torch", "Size") + arguments + none), {"class of its own", "torch.Tensor"});
    refuse_value(call(typed, global("torch", "Size") + global("torch", "Tensor") + arguments + none), {"torch.Size"});
    refuse_value(call(typed, v2 + global("torch", "Tensor") + arguments + pickled(1)), {"attributes"});
}

TEST_CASE("other arguments of a tensor are refused", "[io]")
{
    const auto v2 = global("torch._utils", "_rebuild_tensor_v2");
    const auto place =
        storage_id(6) + pickled(0) + pickled(std::vector<std::int64_t>{2}) + pickled(std::vector<std::int64_t>{1});
    CHECK(read_tensor(call(v2, place + no_gradient)) == read_tensor(plain()));
    refuse_value(call(v2, place), {"incompletely"});
    refuse_value(call(v2, place + pickled(1) + none), {"gradient"});
    refuse_value(call(v2, place + false_ + dict("a", none)), {"gradient"});
    refuse_value(call(v2, place + no_gradient + none + none), {"8 arguments where 7"});
    CHECK(read_tensor(call(global("torch._utils", "_rebuild_tensor"), place)) == read_tensor(plain()));
    refuse_value(call(global("torch._utils", "_rebuild_tensor"), place + none), {"5 arguments where 4"});
    refuse_value(call(v2, storage_id(6) + none + pickled(std::vector<std::int64_t>{2}) +
                              pickled(std::vector<std::int64_t>{1}) + no_gradient),
                 {"impossible size"});
}

TEST_CASE("tensors of another kind are refused by their name, with what to do", "[io]")
{
    const auto utils = [](const std::string& name, const std::string& arguments)
    { return call(global("torch._utils", name), arguments); };
    const auto layout = call(global("torch.serialization", "_get_layout"), pickled("torch.sparse_coo"));
    refuse_value(utils("_rebuild_sparse_tensor", layout + "(" + plain() + plain() + "t"), {"is sparse", "to_dense()"});
    refuse_value(utils("_rebuild_qtensor", storage_id(6, "QInt8Storage") + pickled(0)),
                 {"is quantised", "dequantize()"});
    refuse_value(utils("_rebuild_nested_tensor", plain()), {"is nested", "unbind"});
    refuse_value(utils("_rebuild_meta_tensor_no_storage", global("torch", "float32")),
                 {"'meta'", "weights themselves"});
    refuse_value(utils("_rebuild_wrapper_subclass", none), {"class of its own", "torch.Tensor"});
    refuse_value(utils("_rebuild_device_tensor_from_numpy", none), {"device", "cpu()"});
    refuse_value(utils("_rebuild_device_tensor_from_cpu_tensor", none), {"device", "cpu()"});
    refuse_value(call(global("torch.nn.parameter", "UninitializedParameter"), true_), {"no numbers yet"});
    const auto rest = pickled(0) + pickled(std::vector<std::int64_t>{2}) + pickled(std::vector<std::int64_t>{1}) +
                      no_gradient + global("torch", "uint16");
    refuse_value(utils("_rebuild_tensor_v3", storage_id(4, "UntypedStorage", "0", "torch.storage") + rest),
                 {"torch.uint16", "int64"});
    refuse_value(tensor_call(3, 0, {2}, {1}, "ComplexFloatStorage"), {"torch.ComplexFloatStorage"});
    refuse_value(global("torch", "float32"), {"torch.float32", "numbers and text alone"});
}

TEST_CASE("whole modules are refused as what they are", "[io]")
{
    check_refused([] { read_torch_file(data_path("torch/torch2_module.pth")); },
                  {"torch2_module.pth", "whole module", "Sequential", "state_dict()"});
    const TemporaryFolder folder;
    const auto own =
        global("models.own", "Net") + ")\x81}(" + pickled("_parameters") + "}" + pickled("_modules") + "}ub";
    check_refused([&] { read_torch_file(write_around(folder / "own.pth", own)); }, {"whole module", "models.own.Net"});
}

// Files of PyTorch that are cut off, damaged, of something else, or made to do harm: one line each, and nothing else.

#include "io/torch/torch_file.hpp"
#include "tests/io/torch_samples.hpp"

using namespace paws::test;
using namespace paws::io;

namespace
{
/// Reads, or refuses in one line. Anything else is a crash.
void read_or_refuse(const std::filesystem::path& path)
{
    try
    {
        read_torch_file(path);
    }
    catch (const Error& error)
    {
        const std::string message = error.what();
        INFO(message);
        CHECK(message.find(path.string()) == 0);
        CHECK(message.find('\n') == std::string::npos);
    }
}

void refuse_file(const std::string& instructions, std::initializer_list<std::string> parts)
{
    const TemporaryFolder folder;
    const auto path = write_around(folder / "some.pth", instructions);
    check_refused([&] { read_torch_file(path); }, parts);
}
}  // namespace

TEST_CASE("a file of PyTorch that is cut off anywhere is refused by name", "[io]")
{
    const TemporaryFolder folder;
    for (const auto& original : {small_reference(), data_path("torch/values_legacy.pth")})
    {
        const std::string whole = contents(original);
        // Every place of a small one would do, of a large one some.
        const std::size_t step = whole.size() / 997 + 1;
        for (std::size_t size = 0; size < whole.size(); size += step)
        {
            const auto path = write_file(folder / "cut.pth", whole.substr(0, size));
            check_refused([&] { read_torch_file(path); }, {"cut.pth"});
        }
    }
}

TEST_CASE("damaged bytes of a zip file of PyTorch do not go unnoticed", "[io]")
{
    const TemporaryFolder folder;
    const std::string whole = contents(data_path("torch/module.pth"));
    const auto expected = read_torch_file(data_path("torch/module.pth"));
    for (std::size_t place = 0; place < whole.size(); ++place)
    {
        for (const char change : {'\x01', '\x80'})
        {
            std::string bytes = whole;
            bytes[place] = static_cast<char>(bytes[place] ^ change);
            const auto path = write_file(folder / "flipped.pth", bytes);
            try
            {
                // Dates and paddings may change, contents may not.
                if (read_torch_file(path) != expected)
                {
                    FAIL("byte " << place << " changes what is read");
                }
            }
            catch (const Error& error)
            {
                CHECK(std::string(error.what()).find(path.string()) == 0);
            }
        }
    }
}

TEST_CASE("damaged bytes of the old format of PyTorch lead to a refusal or to other numbers", "[io]")
{
    const TemporaryFolder folder;
    const std::string whole = contents(data_path("torch/values_legacy.pth"));
    for (std::size_t place = 0; place < whole.size(); ++place)
    {
        for (const char change : {'\x01', '\x10', '\x80', '\xff'})
        {
            std::string bytes = whole;
            bytes[place] = static_cast<char>(bytes[place] ^ change);
            read_or_refuse(write_file(folder / "flipped.pth", bytes));
        }
    }
}

TEST_CASE("damaged pickles in whole zip files lead to a refusal or to other values", "[io]")
{
    const TemporaryFolder folder;
    const std::string pickle = "}(" + pickled("a") + tensor_call(6, 0, {2, 3}, {3, 1}) + pickled("b") +
                               "ccollections\nOrderedDict\n)R(" + pickled("c") +
                               pickled(std::vector<std::int64_t>{1, 2}) + "u}" + "bu";
    read_torch_file(write_around(folder / "whole.pth", pickle));
    for (std::size_t place = 0; place < pickle.size(); ++place)
    {
        for (int value = 0; value < 256; value += 5)
        {
            std::string bytes = pickle;
            bytes[place] = static_cast<char>(value);
            read_or_refuse(write_around(folder / "changed.pth", bytes));
        }
    }
}

TEST_CASE("nothing that a pickle names is ever called", "[io]")
{
    refuse_file("cos\nsystem\n(" + pickled("touch /tmp/harm") + "tR", {"some.pth", "os.system", "never run"});
    refuse_file("cbuiltins\neval\n(" + pickled("1") + "tR", {"builtins.eval"});
    refuse_file(pickled("o\ns") + pickled("system") + "\x93)R", {"o?s.system"});
    refuse_file(pickled("posix") + pickled("system") + "\x93(" + pickled("true") + "tR", {"posix.system"});
    refuse_file("ctorch.nn.modules.linear\nLinear\n)\x81}b", {"torch.nn.modules.linear.Linear"});
    refuse_file("cargparse\nNamespace\n)\x81}b", {"argparse.Namespace"});
    // A name that is allowed is still called for nothing but what it is for.
    refuse_file("ctorch\nFloatStorage\n)R", {"FloatStorage"});
    refuse_file("ccollections\nOrderedDict\n", {"OrderedDict"});
}

TEST_CASE("tensors that their storage cannot have are refused", "[io]")
{
    constexpr std::int64_t huge = std::int64_t{1} << 62;
    const TemporaryFolder folder;
    read_torch_file(write_around(folder / "whole.pth", tensor_call(6, 0, {2, 3}, {3, 1})));
    refuse_file(tensor_call(7, 0, {7}, {1}), {"some.pth", "storage '0'", "too few"});
    refuse_file(tensor_call(6, 1, {6}, {1}), {"beyond its storage '0'"});
    refuse_file(tensor_call(6, 0, {2, 3}, {4, 1}), {"beyond its storage"});
    refuse_file(tensor_call(6, 6, {}, {}), {"beyond its storage"});
    refuse_file(tensor_call(6, huge, {1}, {1}), {"beyond its storage"});
    refuse_file(tensor_call(6, 0, {2}, {huge}), {"beyond its storage"});
    refuse_file(tensor_call(6, 0, {2, 2, 2}, {huge, huge, huge}), {"beyond its storage"});
    refuse_file(tensor_call(huge, 0, {6}, {1}), {"too few"});
    refuse_file(tensor_call(6, 0, {-1}, {1}), {"impossible"});
    refuse_file(tensor_call(6, 0, {6}, {-1}), {"impossible"});
    refuse_file(tensor_call(6, 0, {6}, {}), {"impossible"});
    refuse_file(tensor_call(6, 0, std::vector<std::int64_t>(33, 1), std::vector<std::int64_t>(33, 1)), {"impossible"});
    refuse_file("](" + tensor_call(6, 0, {6}, {1}) + tensor_call(3, 0, {3}, {1}, "LongStorage") + "e",
                {"some.pth", "tensor '1'", "another type"});
    // Strides of zero make much of little.
    refuse_file(tensor_call(6, 0, {huge}, {0}), {"larger than the file"});
    refuse_file(tensor_call(6, 0, {1 << 20, 1 << 20}, {0, 0}), {"larger than the file"});
    std::string many = "](";
    for (int i = 0; i < 100; ++i)
    {
        many += tensor_call(6, 0, {100'000}, {0});
    }
    refuse_file(many + "e", {"larger than the file"});
    refuse_file(tensor_call(6, 0, {6}, {1}, "FloatStorage", "1"), {"some.pth", "data/1"});
    refuse_file(tensor_call(6, 0, {6}, {1}, "FloatStorage", "../data.pkl"), {"impossible name"});
    refuse_file(tensor_call(6, 0, {6}, {1}, "ComplexFloatStorage"), {"torch.ComplexFloatStorage"});
    refuse_file("(" + pickled("storage") + "ctorch\nFloatStorage\n" + pickled("0") + pickled("cpu") + "K\x06tQ",
                {"storage without a tensor"});
    refuse_file("ctorch._utils\n_rebuild_tensor_v2\n)R", {"incompletely"});
}

TEST_CASE("pickles that stand for more than they are long are refused", "[io]")
{
    // Deep: lists in lists.
    refuse_file(std::string(200'000, ']') + std::string(199'999, 'a'), {"some.pth", "nested too deeply"});
    // Wide: a list of ten times the same list of ten times the same list, and so on.
    std::string laughs = "]";
    for (int level = 0; level < 12; ++level)
    {
        const std::string place(1, static_cast<char>(level));
        std::string ten;
        for (int i = 0; i < 10; ++i)
        {
            ten += "h" + place;
        }
        laughs += "q" + place + "0](" + ten + "e";
    }
    refuse_file(laughs, {"some.pth", "too many values"});
    // A list that holds itself.
    refuse_file(
        "]q\x01h\x01"
        "a",
        {"some.pth", "nested too deeply"});
    // The same text again and again.
    refuse_file(std::string(5'000'000, 'N') + "(", {"some.pth", "values"});
    std::string encoded = "X" + std::string("\x00\x00\x01\x00", 4) + std::string(0x10000, 'x') +
                          "q\x01"
                          "0](";
    for (int i = 0; i < 50; ++i)
    {
        encoded += "c_codecs\nencode\n(h\x01" + pickled("latin1") + "tR";
    }
    refuse_file(encoded + "e", {"some.pth", "more bytes than it is long"});
}

TEST_CASE("other files are refused as what they are", "[io]")
{
    const TemporaryFolder folder;
    const auto refuse_zip =
        [&](const std::vector<std::pair<std::string, std::string>>& entries, std::initializer_list<std::string> parts)
    {
        const auto path = folder / "other.zip";
        ZipWriter zip(path);
        for (const auto& [name, bytes] : entries)
        {
            zip.add(name, bytes, 1);
        }
        zip.save();
        check_refused([&] { read_torch_file(path); }, parts);
    };
    refuse_zip({{"hello.txt", "hello"}}, {"other.zip", "no data.pkl"});
    refuse_zip({{"data.pkl", "\x80\x02N."}}, {"no data.pkl"});
    refuse_zip({{"a/data.pkl", "\x80\x02N."}, {"b/data.pkl", "\x80\x02N."}}, {"two pickles"});
    refuse_zip({{"a/data.pkl", "\x80\x02N."}, {"a/constants.pkl", "\x80\x02N."}}, {"TorchScript", "state_dict"});
    refuse_zip({{"a/data.pkl", "\x80\x02N."}, {"a/code/__torch__.py", "class"}}, {"TorchScript", "state_dict"});
    refuse_zip({{"a/model.json", "{}"}, {"a/code/__torch__.py", "class"}}, {"TorchScript", "state_dict"});
    refuse_zip({{"a/.data/extern_modules", ""}, {"a/model/model.pkl", "\x80\x02N."}}, {"torch.package"});
    refuse_zip({{"arr_0.npy", "\x93NUMPY"}}, {"numpy.savez"});
    refuse_zip({{"a/data.pkl", "\x80\x02N."}, {"a/byteorder", "big"}}, {"big-endian"});
    refuse_zip({{"a/data.pkl", std::string("\x80\x02N.N", 5)}}, {"bytes after its end"});
    refuse_zip({{"a/data.pkl", ""}}, {"cut off"});
    check_refused([&] { read_torch_file(write_file(folder / "text.pth", "hello")); }, {"text.pth", "torch.save"});
    check_refused([&] { read_torch_file(folder / "none.pth"); }, {"none.pth", "no such file"});
    CHECK_FALSE(is_torch_file(write_file(folder / "empty.pth", "")));
    check_refused([&] { is_torch_file(folder / "none.pth"); }, {"no such file"});
}

TEST_CASE("a file of PyTorch that cannot be written leaves nothing", "[io]")
{
    const TemporaryFolder folder;
    CHECK_THROWS_AS(write_torch_file(folder / "missing/file.pth", TorchValue()), Error);
    CHECK(folder.entries() == 0);
}

// What torch.load reads though torch.save does not write it like that: views of one storage, compressed entries, bytes
// after the end; and files that claim more than they hold.

#include <sys/resource.h>

#include "io/base/inflated_size.hpp"
#include "io/torch/torch_file.hpp"
#include "tests/io/torch_samples.hpp"

using namespace paws::test;
using namespace paws::io;

namespace
{
/// The same entries, compressed by `method`.
std::filesystem::path write_compressed(const std::filesystem::path& path, const ZipReader& original,
                                       zip_int32_t method = ZIP_CM_DEFLATE)
{
    int code = 0;
    zip_t* const zip = zip_open(path.c_str(), ZIP_CREATE | ZIP_TRUNCATE, &code);
    REQUIRE(zip != nullptr);
    std::vector<std::vector<std::byte>> contents;
    contents.reserve(original.entries().size());
    for (const auto& [name, size] : original.entries())
    {
        const auto& bytes = contents.emplace_back(original.read(name));
        const auto index =
            zip_file_add(zip, name.c_str(), zip_source_buffer(zip, bytes.data(), bytes.size(), 0), ZIP_FL_ENC_UTF_8);
        REQUIRE(index >= 0);
        REQUIRE(zip_set_file_compression(zip, static_cast<zip_uint64_t>(index), method, 9) == 0);
    }
    REQUIRE(zip_close(zip) == 0);
    return path;
}

/// Puts `number` at all places where `bytes` have `old`.
std::string with_numbers(std::string bytes, std::uint32_t old, std::uint32_t number)
{
    const std::string from(reinterpret_cast<const char*>(&old), sizeof old);
    for (auto at = bytes.find(from); at != std::string::npos; at = bytes.find(from, at + sizeof old))
    {
        std::memcpy(bytes.data() + at, &number, sizeof number);
    }
    return bytes;
}

long peak_kilobytes()
{
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}
}  // namespace

TEST_CASE("views of one storage are read with other tensors between them", "[io]")
{
    // As many bytes as flattened parameters have, so that reading the storage for each view would be refused.
    constexpr std::int64_t views = 20, length = 20'000;
    std::vector<float> numbers(views * length);
    for (std::size_t i = 0; i < numbers.size(); ++i)
    {
        numbers[i] = static_cast<float>(i);
    }
    const TemporaryFolder folder;
    std::string pickle = "\x80\x02}(";
    ZipWriter zip(folder / "flat.pth");
    const std::string storage(reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(float));
    std::vector<std::string> counts(views, std::string(8, '\0'));
    for (std::int64_t i = 0; i < views; ++i)
    {
        counts[static_cast<std::size_t>(i)][0] = static_cast<char>(i);
        pickle += pickled("w" + std::to_string(i)) + tensor_call(views * length, i * length, {length}, {1}) +
                  pickled("n" + std::to_string(i)) + tensor_call(1, 0, {}, {}, "LongStorage", std::to_string(i + 1));
        zip.add("a/data/" + std::to_string(i + 1), counts[static_cast<std::size_t>(i)], 64);
    }
    pickle += "u.";
    zip.add("a/data.pkl", pickle, 1);
    zip.add("a/data/0", storage, 64);
    zip.save();
    const auto root = read_torch_file(folder / "flat.pth");
    REQUIRE(root.items.size() == 2 * views);
    for (std::size_t i = 0; i < views; ++i)
    {
        const auto begin = numbers.begin() + static_cast<std::ptrdiff_t>(i * length);
        CHECK((root.items[2 * i].tensor ==
               tensor_of(TorchType::float32, {length}, std::vector<float>(begin, begin + length))));
        CHECK(root.items[2 * i + 1].tensor.bytes[0] == static_cast<std::byte>(i));
    }
}

TEST_CASE("a number that stands for many is read, and one that stands for too many takes no memory", "[io]")
{
    const TemporaryFolder folder;
    const auto four_megabytes =
        read_torch_file(write_around(folder / "some.pth", tensor_call(6, 0, {1000, 1000}, {0, 0})));
    CHECK(four_megabytes.tensor.bytes == std::vector<std::byte>(4'000'000, std::byte{1}));
    // A gigabyte in parts of which none is too large.
    std::string parts = "](";
    for (int i = 0; i < 500; ++i)
    {
        parts += tensor_call(6, 0, {500'000}, {0});
    }
    const auto path = write_around(folder / "many.pth", parts + "e");
    const long before = peak_kilobytes();
    check_refused([&] { read_torch_file(path); }, {"many.pth", "larger than the file"});
    CHECK(peak_kilobytes() - before < 20'000);
}

TEST_CASE("deflated entries are read", "[io]")
{
    const TemporaryFolder folder;
    for (const auto& path : {data_path("torch/values.pth"), data_path("torch/torch2_values.pth"), small_reference()})
    {
        const auto deflated = write_compressed(folder / "deflated.pth", ZipReader(path));
        CHECK(contents(deflated) != contents(path));
        CHECK((read_torch_file(deflated) == read_torch_file(path)));
    }
}

TEST_CASE("compressed zip files whose claims cannot be are refused before memory is taken", "[io]")
{
    const TemporaryFolder folder;
    {
        ZipWriter zip(folder / "zeros.zip");
        const std::string pickle = "\x80\x02" + tensor_call(100'000, 0, {100'000}, {1}) + ".";
        const std::string zeros(400'000, '\0');
        zip.add("a/data.pkl", pickle, 1);
        zip.add("a/data/0", zeros, 1);
        zip.save();
    }
    const auto path = write_compressed(folder / "packed.pth", ZipReader(folder / "zeros.zip"));
    CHECK((read_torch_file(path).tensor.bytes == std::vector<std::byte>(400'000)));
    const std::string whole = contents(path);
    const long before = peak_kilobytes();
    // The size that entry and directory claim: more than its bytes can make, more than they do make, less.
    write_file(path, with_numbers(whole, 400'000, 2'000'000'000));
    check_refused([&] { read_torch_file(path); }, {"packed.pth", "'a/data/0'", "claims 2000000000 bytes"});
    for (const std::uint32_t claim : {400'001U, 399'999U, 40U})
    {
        write_file(path, with_numbers(whole, 400'000, claim));
        check_refused([&] { read_torch_file(path); }, {"packed.pth", "'a/data/0'"});
    }
    CHECK(peak_kilobytes() - before < 20'000);
    // Each byte may be another.
    for (std::size_t place = 0; place < whole.size(); ++place)
    {
        std::string bytes = whole;
        bytes[place] = static_cast<char>(bytes[place] ^ 0x10);
        try
        {
            if (read_torch_file(write_file(path, bytes)).tensor.bytes != std::vector<std::byte>(400'000))
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

TEST_CASE("what deflate can make of bytes is known", "[io]")
{
    constexpr std::uint64_t huge = ~std::uint64_t{0}, mebi = std::uint64_t{1} << 20;
    CHECK(can_inflate(0, 0));
    CHECK(can_inflate(1000, 1'000'000));
    CHECK_FALSE(can_inflate(1000, 1'100'000));
    CHECK(can_inflate(mebi, 256 * mebi));
    CHECK(can_inflate(mebi, 319 * mebi));
    CHECK_FALSE(can_inflate(mebi, 322 * mebi));
    CHECK_FALSE(can_inflate(1000, huge));
    CHECK(can_inflate(huge, huge));
}

TEST_CASE("bytes after the end of a zip file are left alone, as torch.load leaves them", "[io]")
{
    const TemporaryFolder folder;
    const auto original = data_path("torch/values.pth");
    const auto expected = read_torch_file(original);
    const std::string bytes = contents(original);
    const auto path = folder / "some.pth";
    for (const std::string& more :
         {std::string("x"), std::string(65'000, '\0'), std::string("PK\5\6"),
          std::string("PK\5\6") + std::string(100, 'x'), std::string("PK\3\4") + std::string(30, '\0')})
    {
        CHECK((read_torch_file(write_file(path, bytes + more)) == expected));
    }
    // The end is still looked for where it can be, and damage before it is still damage.
    check_refused([&] { read_torch_file(write_file(path, bytes + std::string(100'000, 'x'))); },
                  {"not a whole zip file"});
    std::string damaged = bytes;
    damaged[damaged.size() / 2] = static_cast<char>(damaged[damaged.size() / 2] ^ 1);
    check_refused([&] { read_torch_file(write_file(path, damaged + "xxx")); }, {"some.pth"});
}

TEST_CASE("entries that are packed in other ways are refused by name", "[io]")
{
    if (zip_compression_method_supported(ZIP_CM_BZIP2, 1) != 1)
    {
        WARN("left out: this libzip has no bzip2");
        return;
    }
    const TemporaryFolder folder;
    const auto path = write_compressed(folder / "packed.pth", ZipReader(data_path("torch/module.pth")), ZIP_CM_BZIP2);
    check_refused([&] { read_torch_file(path); }, {"packed.pth", "'module/", "compressed in a way not read here"});
}

TEST_CASE("the old format is read with pickles of all protocols, and its claims are checked", "[io]")
{
    const TemporaryFolder folder;
    const auto original = data_path("torch/torch2_legacy_protocol4.pth");
    const std::string whole = contents(original);
    const auto expected = read_torch_file(original);
    std::string five = whole;
    for (auto at = five.find("\x80\x04\x95"); at != std::string::npos; at = five.find("\x80\x04\x95", at + 1))
    {
        five[at + 1] = '\5';
    }
    CHECK((read_torch_file(write_file(folder / "five.pth", five)) == expected));
    // Every byte may be another, and the end may be anywhere: other numbers or a refusal, never a crash.
    for (std::size_t place = 0; place < whole.size(); ++place)
    {
        std::string bytes = whole;
        bytes[place] = static_cast<char>(bytes[place] ^ (place % 2 == 0 ? 0x80 : 0x04));
        const auto path = write_file(folder / "changed.pth", bytes);
        try
        {
            read_torch_file(path);
        }
        catch (const Error& error)
        {
            const std::string message = error.what();
            CHECK(message.find(path.string()) == 0);
            CHECK(message.find('\n') == std::string::npos);
        }
    }
    for (std::size_t size = 0; size < whole.size(); size += 3)
    {
        const auto path = write_file(folder / "cut.pth", whole.substr(0, size));
        check_refused([&] { read_torch_file(path); }, {"cut.pth"});
    }
}

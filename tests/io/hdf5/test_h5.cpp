#include <thread>

#include "io/hdf5/h5.hpp"
#include "tests/io/files.hpp"
#include "tests/support/goldens.hpp"

using namespace paws::test;
namespace h5 = paws::io::h5;
using Strings = std::vector<std::string>;
using Integers = std::vector<std::int64_t>;
using Reals = std::vector<double>;

TEST_CASE("attributes of h5py are read as what they are", "[io]")
{
    const h5::File file = h5::File::open(data_path("h5py_types.h5"));
    CHECK(file.attribute<std::string>("text") == "grün");
    CHECK(file.attribute<std::string>("empty").empty());
    CHECK(file.attribute<std::string>("bytes") == "abc");
    CHECK(file.attribute_array<std::string>("texts") == Strings{"one", "zwei", ""});
    CHECK(file.attribute<bool>("true"));
    CHECK_FALSE(file.attribute<bool>("false"));
    CHECK(file.attribute<std::int64_t>("true") == 1);
    CHECK(file.attribute<std::int64_t>("whole") == 7);
    CHECK(file.attribute<double>("whole") == 7);
    CHECK(file.attribute<std::int64_t>("wide") == 200);
    CHECK(file.attribute<double>("real") == 0.5);
    CHECK(file.attribute_array<double>("reals") == Reals{0.5, 1.5});
    CHECK(file.attribute_array<std::int64_t>("wholes") == Integers{1, 2, 3, 4});
    CHECK(file.attribute_array<double>("nothing").empty());
    CHECK(file.attribute_kind("true") == h5::Kind::boolean);
    CHECK(file.attribute_kind("text") == h5::Kind::text);
    CHECK(file.has_attribute("real"));
    CHECK_FALSE(file.has_attribute("unreal"));
    CHECK(file.attribute_names().size() == 12);
}

TEST_CASE("attributes of another kind are refused", "[io]")
{
    const h5::File file = h5::File::open(data_path("h5py_types.h5"));
    check_refused([&] { file.attribute<std::string>("whole"); }, {"h5py_types.h5", "'whole'", "whole numbers", "text"});
    check_refused([&] { file.attribute<std::int64_t>("real"); }, {"'real'", "real numbers", "whole number"});
    check_refused([&] { file.attribute<double>("text"); }, {"'text'", "a number"});
    check_refused([&] { file.attribute<bool>("whole"); }, {"'whole'", "7", "true or false"});
    check_refused([&] { file.attribute<double>("reals"); }, {"'reals'", "2 elements"});
    check_refused([&] { file.attribute<double>("unreal"); }, {"no attribute 'unreal'"});
}

TEST_CASE("data sets of h5py are read with their shape and converted", "[io]")
{
    const h5::File file = h5::File::open(data_path("h5py_types.h5"));
    CHECK(file.dataset("strings").read<std::string>() == Strings{"one", "grün", ""});
    CHECK(file.dataset("fixed").read<std::string>() == Strings{"one", "three"});
    CHECK(file.dataset("string").read_scalar<std::string>() == "alone");
    CHECK(file.dataset("bools").read<std::uint8_t>() == std::vector<std::uint8_t>{1, 0, 1});
    CHECK(file.dataset("half").read<double>() == Reals{0.5, -2});
    CHECK(file.dataset("half").element_size() == 2);
    const h5::Dataset big_endian = file.dataset("big_endian");
    CHECK(big_endian.shape() == h5::Shape{2, 3});
    CHECK(big_endian.read<std::int64_t>() == Integers{0, 1, 2, 3, 4, 5});
    CHECK(big_endian.read<float>() == std::vector<float>{0, 1, 2, 3, 4, 5});
    CHECK(file.dataset("negative").read<std::uint8_t>() == std::vector<std::uint8_t>{0, 255});
    CHECK(file.dataset("scalar").shape().empty());
    CHECK(file.dataset("scalar").read_scalar<double>() == 2.5);

    const h5::Dataset compressed = file.dataset("compressed");
    Integers rows(200);
    compressed.read_rows(4, 2, std::span(rows));
    CHECK(rows.front() == 400);
    CHECK(rows.back() == 599);
}

TEST_CASE("data sets of another kind, and rows that are not there, are refused", "[io]")
{
    const h5::File file = h5::File::open(data_path("h5py_types.h5"));
    check_refused([&] { file.dataset("strings").read<double>(); }, {"h5py_types.h5:/strings", "text", "numbers"});
    check_refused([&] { file.dataset("half").read<std::string>(); }, {"/half", "real numbers", "text"});
    check_refused([&] { file.dataset("complex").read<double>(); }, {"/complex", "other than"});
    check_refused([&] { file.dataset("half").read_scalar<double>(); }, {"/half", "1 elements given for 2"});
    Reals out(100);
    check_refused([&] { file.dataset("compressed").read_rows(9, 2, std::span(out)); }, {"rows 9 to 11", "it has 10"});
    check_refused([&] { file.dataset("compressed").read_rows(0, 2, std::span(out)); }, {"100 elements given for 200"});
    check_refused([&] { file.dataset("scalar").read_rows(0, 1, std::span(out)); }, {"/scalar", "rows 0 to 1"});
    check_refused([&] { file.dataset("half").read_into(std::span(out)); }, {"/half", "100 elements given for 2"});
}

TEST_CASE("groups list what is in them", "[io]")
{
    const h5::File file = h5::File::open(data_path("h5py_types.h5"));
    CHECK(file.group_names() == Strings{"group"});
    CHECK(file.group("group").children() == Strings{"inner"});
    CHECK(file.group("group/inner").children().empty());
    CHECK(file.has_group("group/inner"));
    CHECK_FALSE(file.has_group("strings"));
    CHECK_FALSE(file.has_group("strings/inner"));
    CHECK(file.has_dataset("strings"));
    CHECK_FALSE(file.has("group/outer"));
    CHECK_FALSE(file.has("broken_link"));
    check_refused([&] { file.group("half"); }, {"no group 'half'", "big_endian", "strings"});
    check_refused([&] { file.dataset("group"); }, {"no data set 'group'"});
    check_refused([&] { file.dataset("a//b"); }, {"'a//b'"});
}

TEST_CASE("files that are no HDF5 files, or not whole, are refused by name", "[io]")
{
    const TemporaryFolder folder;
    check_refused([&] { h5::File::open(folder / "none.h5"); }, {"none.h5", "no such file"});
    check_refused([&] { h5::File::open(folder.path()); }, {folder.path().string(), "is a folder"});
    const auto text = write_file(folder / "text.h5", "a text that is long enough");
    check_refused([&] { h5::File::open(text); }, {"text.h5", "not an HDF5 file"});
    check_refused([&] { h5::File::open(write_file(folder / "empty.h5", "")); }, {"empty.h5", "not an HDF5 file"});
    const std::string whole = contents(data_path("h5py_types.h5"));
    const auto half = write_file(folder / "half.h5", whole.substr(0, whole.size() / 2));
    check_refused([&] { h5::File::open(half); }, {"half.h5", "cut off or damaged", "truncated"});
    check_refused([&] { h5::File::create(folder / "none/file.h5").save(); }, {"none/file.h5", "no folder"});
}

TEST_CASE("what is written is read again", "[io]")
{
    const TemporaryFolder folder;
    const Reals numbers = {1, 2, 3, 4, 5, 6};
    {
        h5::File file = h5::File::create(folder / "file.h5");
        file.set_attribute<std::string>("text", "grün");
        file.set_attribute<std::string>("text", "replaced");
        file.set_attribute("true", true);
        file.set_attribute("real", 0.1);
        file.set_attribute<std::int64_t>("whole", -3);
        file.set_attribute_array("texts", Strings{"a", ""});
        file.set_attribute_array("wholes", Integers{1, 2});
        file.set_attribute_array("reals", Reals{0.5});
        file.write<double>("a/b/numbers", numbers, {2, 3});
        file.write<double>("a/chunked", numbers, {3, 2}, 2);
        file.write<double>("a/one", std::span(numbers).first(1), {});
        file.write<double>("a/none", {}, {0, 5}, 2);
        file.write_strings("names", {"one", "grün", ""});
        file.write_strings("no_names", {});
        file.write_string("name", "alone");
        h5::Dataset rows = file.create_dataset<float>("rows", {3, 2});
        const std::vector<float> row = {7, 8};
        for (std::size_t i = 0; i < 3; ++i)
        {
            rows.write_rows(i, 1, std::span(row));
        }
        rows.write_rows(0, 0, std::span<const float>());
        file.save();
    }
    const h5::File file = h5::File::open(folder / "file.h5");
    CHECK(file.attribute<std::string>("text") == "replaced");
    CHECK(file.attribute<bool>("true"));
    CHECK(file.attribute<double>("real") == 0.1);
    CHECK(file.attribute<std::int64_t>("whole") == -3);
    CHECK(file.attribute_array<std::string>("texts") == Strings{"a", ""});
    CHECK(file.attribute_array<std::int64_t>("wholes") == Integers{1, 2});
    CHECK(file.attribute_array<double>("reals") == Reals{0.5});
    CHECK(file.dataset("a/b/numbers").shape() == h5::Shape{2, 3});
    CHECK(file.dataset("a/b/numbers").read<double>() == numbers);
    CHECK(file.dataset("a/chunked").read<double>() == numbers);
    CHECK(file.dataset("a/one").read_scalar<double>() == 1);
    CHECK(file.dataset("a/none").shape() == h5::Shape{0, 5});
    CHECK(file.dataset("a/none").read<double>().empty());
    CHECK(file.dataset("names").read<std::string>() == Strings{"one", "grün", ""});
    CHECK(file.dataset("no_names").read<std::string>().empty());
    CHECK(file.dataset("name").read_scalar<std::string>() == "alone");
    CHECK(file.dataset("rows").read<float>() == std::vector<float>{7, 8, 7, 8, 7, 8});
}

TEST_CASE("what cannot be written is refused", "[io]")
{
    const TemporaryFolder folder;
    h5::File file = h5::File::create(folder / "file.h5");
    const Reals numbers = {1, 2};
    file.write<double>("numbers", numbers, {2});
    const std::string zero("a\0b", 3);
    check_refused([&] { file.set_attribute("text", zero); }, {"'text'", "zero byte"});
    check_refused([&] { file.write_string("text", zero); }, {"/text", "zero byte"});
    check_refused([&] { file.write<double>("numbers", numbers, {2}); }, {"/numbers", "H5Dcreate2", "exists"});
    check_refused([&] { file.write<double>("numbers/inner", numbers, {2}); }, {"/numbers"});
    check_refused([&] { file.write<double>("more", numbers, {3}); }, {"/more", "2 elements given for 3"});
    h5::Dataset names = file.write_strings("names", {"a"});
    check_refused([&] { names.write<double>(std::span(numbers).first(1)); }, {"/names", "text"});
}

TEST_CASE("several threads may read one file", "[io]")
{
    const h5::File file = h5::File::open(data_path("h5py_types.h5"));
    std::vector<std::size_t> good(4, 0);
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < good.size(); ++i)
    {
        threads.emplace_back(
            [&, i]
            {
                for (int repeat = 0; repeat < 50; ++repeat)
                {
                    good[i] += file.dataset("compressed").read<double>().back() == 999 && !file.has("nothing") ? 1 : 0;
                }
            });
    }
    for (std::thread& thread : threads)
    {
        thread.join();
    }
    CHECK(good == std::vector<std::size_t>(4, 50));
}

TEST_CASE("several threads may write and read files of their own", "[io]")
{
    const TemporaryFolder folder;
    std::vector<std::size_t> good(4, 0);
    std::vector<std::thread> threads;
    for (std::size_t t = 0; t < good.size(); ++t)
    {
        threads.emplace_back(
            [&, t]
            {
                const auto path = folder / (std::to_string(t) + ".h5");
                for (int i = 0; i < 100; ++i)
                {
                    const Integers values{i, static_cast<std::int64_t>(t), 7};
                    h5::File file = h5::File::create(path);
                    file.set_attribute<std::string>("text", "t");
                    file.write<std::int64_t>("group/values", values, {3});
                    file.write_strings("names", {"a", "bc"});
                    file.save();
                    const auto read = h5::File::open(path).dataset("group/values").read<std::int64_t>();
                    good[t] += read == values ? 1 : 0;
                }
            });
    }
    for (std::thread& thread : threads)
    {
        thread.join();
    }
    CHECK(good == std::vector<std::size_t>(4, 100));
}

TEST_CASE("golden files are read", "[io][golden]")
{
    const h5::File losses = h5::File::open(golden_path("losses.h5"));
    REQUIRE_FALSE(losses.group("paws").group_names().empty());
    for (const std::string& name : losses.group("paws").group_names())
    {
        const h5::Group group = losses.group("paws/" + name);
        const auto batch_size = static_cast<std::size_t>(group.attribute<std::int64_t>("batch_size"));
        const auto multicrop = static_cast<std::size_t>(group.attribute<std::int64_t>("multicrop"));
        const auto dim = static_cast<std::size_t>(group.attribute<std::int64_t>("dim"));
        CHECK(group.attribute<double>("temperature") > 0);
        CHECK_NOTHROW(group.attribute<bool>("me_max"));
        const h5::Dataset views = group.dataset("rank0/anchor_views");
        CHECK(views.shape() == h5::Shape{batch_size * (2 + multicrop), dim});
        CHECK(views.read<double>().size() == views.size());
    }
    const h5::File optimizer = h5::File::open(golden_path("optimizer.h5"));
    const auto names = optimizer.group("case0").attribute_array<std::string>("names");
    REQUIRE_FALSE(names.empty());
    CHECK(optimizer.has_dataset("case0/init/" + names[0]));
}

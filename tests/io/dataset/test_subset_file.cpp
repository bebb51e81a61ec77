#include <limits>
#include <map>
#include <numeric>

#include "io/dataset/subset_file.hpp"
#include "tests/io/files.hpp"

using namespace paws::test;
using namespace paws::io;
using Indices = std::vector<std::size_t>;

namespace
{
const std::vector<std::string> names = {"a/one.png", "a/two.png", "b/one.png", "b/three.png", "12"};

Indices read(const std::string& text)
{
    const TemporaryFolder folder;
    return read_subset(write_file(folder / "subset.txt", text), names);
}

void refuse(const std::string& text, std::initializer_list<std::string> parts)
{
    check_refused([&] { read(text); }, parts);
}

/// 100 images of class 0, 50 of class 1, 3 of class 2, mixed.
std::vector<std::int64_t> mixed_labels()
{
    std::vector<std::int64_t> labels;
    for (int i = 0; i < 50; ++i)
    {
        labels.insert(labels.end(), {0, 1, 0});
        if (i % 20 == 0)
        {
            labels.push_back(2);
        }
    }
    return labels;
}

std::map<std::int64_t, int> count_classes(const Indices& drawn, const std::vector<std::int64_t>& labels)
{
    std::map<std::int64_t, int> counts;
    for (const std::size_t i : drawn)
    {
        ++counts[labels.at(i)];
    }
    return counts;
}
}  // namespace

TEST_CASE("a subset is read by positions or by names", "[io]")
{
    CHECK(read("3\n0\n 1 \r\n\n") == Indices{3, 0, 1});
    CHECK(read("2") == Indices{2});
    CHECK(read("b/three.png\na/two.png") == Indices{3, 1});
    CHECK(read("three.png\ntwo.png\n") == Indices{3, 1});
    CHECK(read("b/one.png\na/one.png\n12\n") == Indices{2, 0, 4});
    CHECK(read("\xef\xbb\xbf"
               "3\n0\n") == Indices{3, 0});
}

TEST_CASE("a subset that does not fit its data set is refused with the line", "[io]")
{
    refuse("1\n\n5\n", {"subset.txt, line 3", "no image 5", "5 of the split"});
    refuse("99999999999999999999999\n", {"line 1", "no image"});
    refuse("1\n2\n1\n", {"line 3", "'1' comes twice"});
    refuse("1\na/two.png\n", {"line 2", "'a/two.png' is not a position"});
    refuse("1\n-1\n", {"line 2", "'-1' is not a position"});
    refuse("four.png\n", {"line 1", "no image named 'four.png'", "whose first is called 'a/one.png'"});
    refuse("two.png\nfour.png\n", {"line 2", "no image named 'four.png'"});
    refuse("two.png\none.png\n", {"line 2", "several images", "'one.png'"});
    refuse("a/two.png\ntwo.png\n", {"line 2", "'two.png' comes twice"});
    refuse("\n \n", {"subset.txt", "names no image"});
    refuse("", {"subset.txt", "names no image"});
    refuse(std::string("\x89HDF\r\n\x1a\n\0\0", 10), {"subset.txt: is not a text", "one image a line"});
    check_refused([] { read_subset("/nowhere/subset.txt", names); }, {"/nowhere/subset.txt", "no such file"});
}

TEST_CASE("published lists fit names with and without the folder of the class", "[io]")
{
    const TemporaryFolder folder;
    const auto list = write_file(folder / "90percent.txt", "n01440764_10026.JPEG\nn15075141_7258.JPEG\n");
    const std::vector<std::string> packed = {"n01440764/n01440764_10026.JPEG", "n01440764/n01440764_9.JPEG",
                                             "n15075141/n15075141_7258.JPEG"};
    CHECK(read_subset(list, packed) == Indices{0, 2});
    const std::vector<std::string> bare = {"n15075141_7258.JPEG", "n01440764_10026.JPEG"};
    CHECK(read_subset(list, bare) == Indices{1, 0});
    const std::vector<std::string> without_one = {"n01440764/n01440764_10026.JPEG", "n01440764/n01440764_9.JPEG"};
    check_refused([&] { read_subset(list, without_one); },
                  {"90percent.txt, line 2", "no image named 'n15075141_7258.JPEG'"});
}

TEST_CASE("a subset is read as it was written", "[io]")
{
    const TemporaryFolder folder;
    const Indices indices = {4, 0, 2};
    write_subset(folder / "subset.txt", indices);
    CHECK(contents(folder / "subset.txt") == "4\n0\n2\n");
    CHECK(read_subset(folder / "subset.txt", names) == indices);
}

TEST_CASE("as many images of every class are drawn, once each", "[io]")
{
    const std::vector<std::int64_t> labels = mixed_labels();
    const Indices drawn = draw_subset_per_class(labels, 3, 3, 7);
    CHECK(count_classes(drawn, labels) == std::map<std::int64_t, int>{{0, 3}, {1, 3}, {2, 3}});
    CHECK(std::is_sorted(drawn.begin(), drawn.end()));
    CHECK(std::adjacent_find(drawn.begin(), drawn.end()) == drawn.end());
    CHECK(drawn == draw_subset_per_class(labels, 3, 3, 7));
    CHECK(drawn != draw_subset_per_class(labels, 3, 3, 8));
}

TEST_CASE("the images drawn are the same on every platform", "[io]")
{
    std::vector<std::int64_t> labels(1000);
    for (std::size_t i = 0; i < labels.size(); ++i)
    {
        labels[i] = static_cast<std::int64_t>(i % 2);
    }
    // From a few lines of Python that follow the same description.
    CHECK(draw_subset_per_class(labels, 2, 3, 0) == Indices{1, 14, 110, 431, 714, 991});
    CHECK(draw_subset_per_class(labels, 2, 2, 12345678901) == Indices{26, 405, 453, 786});
}

TEST_CASE("a fraction is rounded per class and is one image at least", "[io]")
{
    const std::vector<std::int64_t> labels = mixed_labels();
    CHECK(count_classes(draw_subset_fraction(labels, 3, 0.05, 1), labels) ==
          std::map<std::int64_t, int>{{0, 5}, {1, 3}, {2, 1}});  // of 100, 50 and 3: 5, 2.5 and 0.15
    CHECK(draw_subset_fraction(labels, 3, 1, 1).size() == labels.size());
}

TEST_CASE("every image is as likely to be drawn", "[io]")
{
    const std::vector<std::int64_t> labels(10, 0);
    std::vector<int> counts(10, 0);
    constexpr int draws = 4000;
    for (std::uint64_t seed = 0; seed < draws; ++seed)
    {
        for (const std::size_t i : draw_subset_per_class(labels, 1, 3, seed))
        {
            ++counts[i];
        }
    }
    // 1200 are expected of each; the standard deviation is 29.
    CHECK(*std::min_element(counts.begin(), counts.end()) > 1200 - 5 * 29);
    CHECK(*std::max_element(counts.begin(), counts.end()) < 1200 + 5 * 29);
}

TEST_CASE("subsets that cannot be drawn are refused", "[io]")
{
    const std::vector<std::int64_t> labels = mixed_labels();
    check_refused([&] { draw_subset_per_class(labels, 3, 4, 1); }, {"4 images of class 2", "has 3"});
    check_refused([&] { draw_subset_per_class(labels, 3, 0, 1); }, {"0 images"});
    check_refused([&] { draw_subset_per_class(labels, 2, 1, 1); }, {"label 2", "2 classes"});
    check_refused([&] { draw_subset_fraction(labels, 4, 0.5, 1); }, {"1 image of class 3", "has 0"});
    const std::vector<std::int64_t> negative = {0, -1};
    check_refused([&] { draw_subset_per_class(negative, 1, 1, 1); }, {"image 1 has label -1"});
    for (const double fraction : {0.0, -0.5, 1.5, std::numeric_limits<double>::quiet_NaN()})
    {
        check_refused([&] { draw_subset_fraction(labels, 3, fraction, 1); }, {"a fraction of"});
    }
}

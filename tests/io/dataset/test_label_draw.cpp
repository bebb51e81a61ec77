#include <limits>
#include <vector>

#include "io/dataset/label_draw.hpp"
#include "tests/io/files.hpp"

using namespace paws::test;
using namespace paws::io;
using Indices = std::vector<std::size_t>;

namespace
{
const std::vector<std::string> class_names = {"cat", "dog", "hen"};

Indices first_six(const Indices& kept)
{
    return {kept.begin(), kept.begin() + 6};
}
}  // namespace

TEST_CASE("labels are kept by the coins of the published implementation", "[io]")
{
    // From PyTorch 1.13: `g.manual_seed(seed)`, and a `torch.bernoulli(torch.tensor(fraction), generator=g)` an image.
    struct Tosses
    {
        double fraction;
        std::uint64_t seed;
        std::size_t kept;
        Indices first;
    };
    const std::vector<Tosses> published = {
        {0.9, 0, 29970, {21, 26, 31, 37, 51, 69}},          {0.92, 0, 23973, {26, 31, 37, 51, 69, 74}},
        {0.99, 0, 2980, {51, 221, 332, 337, 385, 452}},     {0.5, 0, 150173, {1, 5, 7, 9, 15, 16}},
        {0.9, 7, 30253, {18, 35, 43, 44, 52, 75}},          {0.99, 7, 3029, {52, 191, 213, 234, 378, 405}},
        {0.9, 4294967303, 30253, {18, 35, 43, 44, 52, 75}},
    };
    for (const auto& [fraction, seed, kept, first] : published)
    {
        INFO("fraction " << fraction << ", seed " << seed);
        const Indices mine = toss_for_labels(300'000, fraction, seed);
        CHECK(mine.size() == kept);
        CHECK(first_six(mine) == first);
    }
}

TEST_CASE("with a fraction of 0 every label is kept", "[io]")
{
    CHECK(toss_for_labels(4, 0, 1) == Indices{0, 1, 2, 3});
    CHECK(toss_for_labels(0, 0.5, 1).empty());
}

TEST_CASE("an image's coin does not depend on the images after it", "[io]")
{
    const Indices more = toss_for_labels(1000, 0.7, 3);
    const Indices fewer = toss_for_labels(500, 0.7, 3);
    CHECK(std::equal(fewer.begin(), fewer.end(), more.begin()));
}

TEST_CASE("labels that are drawn by coins cover every class or are refused", "[io]")
{
    std::vector<std::int64_t> labels(300);
    for (std::size_t i = 0; i < labels.size(); ++i)
    {
        labels[i] = static_cast<std::int64_t>(i / 100);
    }
    CHECK(draw_subset_coin_flip(labels, class_names, 0.9) == toss_for_labels(300, 0.9, 0));
    check_refused(
        [&] { draw_subset_coin_flip(labels, class_names, 0.995, 0); },
        {"data.unlabeled_frac: 0.995", "seed 0", "no labelled image of class 'dog' and 1 more", "paws_hpc subset"});
    labels.assign(300, 1);
    check_refused([&] { draw_subset_coin_flip(labels, class_names, 0.9, 0); }, {"class 'cat' and 1 more"});
    labels.assign(300, 3);
    check_refused([&] { draw_subset_coin_flip(labels, class_names, 0.9, 0); }, {"image 21 has label 3", "3 classes"});
    labels.assign(300, -1);
    check_refused([&] { draw_subset_coin_flip(labels, class_names, 0.9, 0); }, {"image 21 has label -1"});
}

TEST_CASE("fractions that leave no label are refused", "[io]")
{
    for (const double fraction : {-1.0, 1.0, 1.5, std::numeric_limits<double>::quiet_NaN()})
    {
        check_refused([&] { toss_for_labels(10, fraction, 0); }, {"cannot leave a fraction of", "data.unlabeled_frac"});
    }
}

TEST_CASE("a list without a class is refused by its name", "[io]")
{
    const std::vector<std::int64_t> labels = {0, 1, 2, 1};
    CHECK_NOTHROW(require_every_class(Indices{3, 0, 2}, labels, class_names, "list.txt"));
    check_refused(
        [&] {
            require_every_class(Indices{0, 2}, labels, class_names, "list.txt");
        },
        {"list.txt: no labelled image of class 'dog',"});
    check_refused([&] { require_every_class(Indices{}, labels, class_names, "list.txt"); }, {"'cat' and 2 more"});
}

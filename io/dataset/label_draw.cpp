#include "io/dataset/label_draw.hpp"

#include <algorithm>
#include <random>
#include <sstream>

#include "io/base/error.hpp"

namespace paws::io
{
namespace
{
/// As a configuration has it: 0.9, not 0.900000.
std::string text_of(double number)
{
    std::ostringstream text;
    text << number;
    return text.str();
}
}  // namespace

std::vector<std::size_t> toss_for_labels(std::size_t count, double unlabelled_fraction, std::uint64_t seed)
{
    if (!(unlabelled_fraction >= 0 && unlabelled_fraction < 1))
    {
        throw Error("cannot leave a fraction of " + text_of(unlabelled_fraction) +
                    " without label; data.unlabeled_frac must be at least 0 and less than 1");
    }
    // PyTorch draws from this generator, takes the low 24 bits as a number in [0, 1), and compares in single precision.
    std::mt19937 generator(static_cast<std::uint32_t>(seed));
    constexpr std::uint32_t bits_24 = (1U << 24) - 1;
    constexpr float step = 1.0F / static_cast<float>(1U << 24);
    const auto unlabelled = static_cast<float>(unlabelled_fraction);
    std::vector<std::size_t> kept;
    for (std::size_t i = 0; i < count; ++i)
    {
        const auto drawn = static_cast<std::uint32_t>(generator()) & bits_24;
        if (static_cast<float>(drawn) * step >= unlabelled)
        {
            kept.push_back(i);
        }
    }
    return kept;
}

std::vector<std::size_t> draw_subset_coin_flip(std::span<const std::int64_t> labels,
                                               std::span<const std::string> class_names, double unlabelled_fraction,
                                               std::uint64_t seed)
{
    auto kept = toss_for_labels(labels.size(), unlabelled_fraction, seed);
    require_every_class(
        kept, labels, class_names,
        "data.unlabeled_frac: " + text_of(unlabelled_fraction) + " without a list, seed " + std::to_string(seed));
    return kept;
}

void require_every_class(std::span<const std::size_t> labelled, std::span<const std::int64_t> labels,
                         std::span<const std::string> class_names, const std::string& source)
{
    std::vector<bool> has_one(class_names.size(), false);
    for (const std::size_t i : labelled)
    {
        const std::int64_t label = labels[i];
        if (label < 0 || static_cast<std::size_t>(label) >= class_names.size())
        {
            throw Error(source + ": image " + std::to_string(i) + " has label " + std::to_string(label) +
                        ", but there are " + std::to_string(class_names.size()) + " classes; correct the labels");
        }
        has_one[static_cast<std::size_t>(label)] = true;
    }
    const auto first = std::find(has_one.begin(), has_one.end(), false);
    if (first == has_one.end())
    {
        return;
    }
    const auto missing = std::count(has_one.begin(), has_one.end(), false);
    const auto& name = class_names[static_cast<std::size_t>(first - has_one.begin())];
    throw Error(source + ": no labelled image of class '" + name + "'" +
                (missing > 1 ? " and " + std::to_string(missing - 1) + " more" : "") +
                ", and each class needs one; label more images, or draw as many per class with `paws_hpc subset` and "
                "name the list with data.subset");
}
}  // namespace paws::io

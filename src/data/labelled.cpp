#include "src/data/labelled.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "io/base/quantity.hpp"
#include "io/dataset/label_draw.hpp"
#include "io/dataset/subset_file.hpp"
#include "io/files/input_path.hpp"
#include "src/config/task_traits.hpp"

namespace paws::data
{
namespace
{
std::vector<std::int64_t> signed_rows(const std::vector<std::size_t>& rows)
{
    return {rows.begin(), rows.end()};
}

std::set<std::size_t> labelled_classes(const std::vector<std::int64_t>& targets, std::size_t classes)
{
    std::set<std::size_t> found;
    for (auto target = targets.begin(); target != targets.end() && found.size() < classes; ++target)
    {
        found.insert(static_cast<std::size_t>(*target));
    }
    return found;
}
}  // namespace

Rows labelled_rows(const config::Data& data, const Images& train, const std::vector<std::string>& class_names)
{
    Rows result;
    if (data.is_synthetic())
    {
        result.rows = train.all_rows();
        return result;
    }
    const auto list = data.labelled_list();
    // That a list of one's own is missing is a mistake, and so it is as published for CIFAR-10. The lists of ImageNet
    // exist for some fractions only.
    const bool may_be_missing = !data.subset && data.is_imagenet() && data.unlabeled_frac >= 0;
    if (list && (!may_be_missing || io::is_there(*list)))
    {
        result.rows = signed_rows(io::read_subset(*list, train.names));
        return result;
    }
    if (data.unlabeled_frac == 0)
    {
        result.rows = train.all_rows();
        return result;
    }
    result.rows = signed_rows(io::draw_subset_coin_flip(train.labels, class_names, data.unlabeled_frac));
    result.notes.push_back(fmt::format(
        "{}each image keeps its label with probability 1 - data.unlabeled_frac, by the published coin: {} of {} do",
        list ? "there is no list " + *list + "; " : std::string(), result.rows.size(), train.count()));
    return result;
}

std::optional<std::string> existing_held_out_list(const config::Data& data)
{
    const auto list = data.held_out_list();
    return data.dataset == config::Dataset::imagenet_fine_tune && list && io::is_there(*list) ? list : std::nullopt;
}

Rows held_out_rows(const config::Data& data, const Images& train, const std::vector<std::int64_t>& labelled)
{
    Rows result;
    const auto list = existing_held_out_list(data);
    if (!list)
    {
        return result;
    }
    result.rows = signed_rows(io::read_subset(*list, train.names));
    std::vector<bool> is_labelled(static_cast<std::size_t>(train.count()), false);
    for (const auto row : labelled)
    {
        is_labelled[static_cast<std::size_t>(row)] = true;
    }
    const auto both = std::count_if(result.rows.begin(), result.rows.end(),
                                    [&](std::int64_t row) { return is_labelled[static_cast<std::size_t>(row)]; });
    if (both > 0)
    {
        result.notes.push_back(
            fmt::format("{} of the {} held-out images of {} {} among the labelled ones: the network has seen them",
                        both, result.rows.size(), *list, both == 1 ? "is" : "are"));
    }
    return result;
}

void require_several_classes(const config::Config& config, const std::vector<std::int64_t>& targets,
                             const std::vector<std::string>& class_names, const std::string& source)
{
    if (!config::learns_classes(config) || labelled_classes(targets, class_names.size()).size() > 1)
    {
        return;
    }
    if (class_names.size() == 1)
    {
        throw config::Error(fmt::format(
            "{} has one class, '{}': {} learns to tell classes apart, and would only seem to learn; give a "
            "data set with two classes or more{}",
            source, class_names.front(), to_string(config.task),
            config::epochs_with_supports(config) ? ", or learn without labels: criterion.supervised_epochs: 0" : ""));
    }
    throw config::Error(fmt::format(
        "the labelled images of {} are all of one of its {} classes{}: {} learns to tell classes apart; label "
        "images of every class (paws_hpc subset draws as many of each)",
        source, class_names.size(),
        targets.empty() ? std::string() : fmt::format(", '{}'", class_names[static_cast<std::size_t>(targets.front())]),
        to_string(config.task)));
}

std::vector<std::string> notes_on_classes(const config::Config& config, const std::vector<std::int64_t>& targets,
                                          const std::vector<std::string>& class_names, const std::string& source)
{
    if (!config::traits_of(config.task).classifies(config))
    {
        return {};
    }
    if (class_names.size() == 1)
    {
        return {fmt::format("{} has one class, '{}': every prediction is right, whatever the network", source,
                            class_names.front())};
    }
    const auto labelled = labelled_classes(targets, class_names.size());
    if (labelled.size() == class_names.size())
    {
        return {};
    }
    std::size_t missing = 0;
    while (labelled.contains(missing))
    {
        ++missing;
    }
    const auto count = class_names.size() - labelled.size();
    return {fmt::format("{} of the {} classes of {} {} never predicted, for want of labelled images (the first: '{}')",
                        count, class_names.size(), source, count == 1 ? "is" : "are", class_names[missing])};
}

void require_enough_labels(const config::Config& config, const std::vector<std::int64_t>& targets,
                           const std::vector<std::string>& class_names, std::int64_t world_size)
{
    const auto wanted = config::supports_per_class(config);
    if (wanted == 0)
    {
        return;
    }
    std::vector<std::int64_t> counts(class_names.size(), 0);
    for (const auto target : targets)
    {
        ++counts[static_cast<std::size_t>(target)];
    }
    for (std::size_t k = 0; k < counts.size(); ++k)
    {
        const auto all = counts[k];
        // As the sampler shares them out.
        const auto share = config.data.unique_classes_per_rank || all < world_size ? all : all / world_size;
        if (share < wanted)
        {
            const auto on_each =
                share == all ? std::string() : fmt::format(", {} on each of {} ranks", share, world_size);
            throw config::Error(
                fmt::format("class '{}' has {}{}, fewer than the {} that a batch takes; "
                            "lower {}, or label more of its images",
                            class_names[k], io::plural(all, "labelled image"), on_each, wanted,
                            config::traits_of(config.task).key_of_supports));
        }
    }
}
}  // namespace paws::data

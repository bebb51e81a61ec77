#include "src/commands/known_classes.hpp"

#include <fmt/format.h>

#include "io/base/error.hpp"
#include "io/base/printable.hpp"
#include "io/ranks/agreed.hpp"
#include "src/data/content.hpp"

namespace paws::commands
{
namespace
{
/// Whether the settings name the data of the run that made the checkpoint.
bool is_data_of_run(const config::Data& run, const config::Data& data)
{
    return run.dataset == data.dataset && run.file == data.file && run.root_path == data.root_path &&
           run.image_folder == data.image_folder;
}

/// What the user should know; nothing where the classes are the same.
std::string compare_classes(const Pretrained& pretrained, const config::Config& config, const data::Dataset& dataset)
{
    const auto difference = data::class_difference(pretrained.network.data, dataset.class_names);
    if (difference.empty())
    {
        return {};
    }
    const auto checkpoint = pretrained.checkpoint.string();
    if (is_data_of_run(pretrained.network.config.data, config.data))
    {
        throw io::Error(fmt::format(
            "{} has other classes than when {} was trained on it ({}); restore the data set, or name another "
            "with --data",
            dataset.source, checkpoint, difference));
    }
    return fmt::format("{} was trained on other classes than those of {} ({}), which the labels here are of",
                       checkpoint, dataset.source, difference);
}
}  // namespace

void require_known_classes(const Pretrained& pretrained, const config::Config& config, const data::Dataset& dataset,
                           const comm::World& world)
{
    auto notes = dataset.notes;
    notes.push_back(agreed(world.group(), [&] { return compare_classes(pretrained, config, dataset); }));
    for (const auto& note : notes)
    {
        if (world.is_first() && !note.empty())
        {
            fmt::print("note: {}\n", io::printable(note));
        }
    }
}
}  // namespace paws::commands

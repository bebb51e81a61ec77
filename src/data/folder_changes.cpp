#include "src/data/folder_changes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <vector>

#include "io/base/printable.hpp"
#include "io/base/quantity.hpp"
#include "io/dataset/dataset_file.hpp"

namespace paws::data
{
namespace
{
namespace fs = std::filesystem;
using Names = std::set<std::string>;

bool is_hidden(const fs::path& path)
{
    return path.filename().string().starts_with(".");
}

std::vector<fs::path> class_folders(const fs::path& split)
{
    std::vector<fs::path> folders;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(split, error))
    {
        if (!is_hidden(entry.path()) && entry.is_directory(error))
        {
            folders.push_back(entry.path());
        }
    }
    return folders;
}

bool changed_after(const fs::path& split, fs::file_time_type time)
{
    std::error_code error;
    const auto is_newer = [&](const fs::path& folder)
    {
        const auto changed = fs::last_write_time(folder, error);
        return !error && changed > time;
    };
    const auto folders = class_folders(split);
    return is_newer(split) || std::any_of(folders.begin(), folders.end(), is_newer);
}

/// Adds the files below `folder`, each with `prefix` before its name.
void add_files(const fs::path& folder, const std::string& prefix, int level, Names& names)
{
    // As deep as packing goes; a link may lead back.
    constexpr int most_levels = 16;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(folder, error))
    {
        const auto name = prefix + entry.path().filename().string();
        if (is_hidden(entry.path()) || level > most_levels)
        {
            continue;
        }
        if (entry.is_directory(error))
        {
            add_files(entry.path(), name + "/", level + 1, names);
        }
        else
        {
            names.insert(io::printable(name));
        }
    }
}

/// CLASS/FILE of every image.
Names listing(const fs::path& split)
{
    Names names;
    for (const auto& folder : class_folders(split))
    {
        add_files(folder, folder.filename().string() + "/", 1, names);
    }
    return names;
}

/// Those of a split of the file, and of what was left out when it was packed.
Names packed_names(const io::DatasetFile& file, const std::string& split)
{
    Names names;
    if (!file.has_split(split))
    {
        return names;
    }
    for (auto& name : file.names(split))
    {
        names.insert(std::move(name));
    }
    if (file.is_encoded(split))
    {
        for (const auto& skipped : file.skipped(split))
        {
            names.insert(skipped.substr(0, skipped.find(": ")));
        }
    }
    return names;
}

/// What `names` has and `others` does not.
void add_missing(std::vector<std::string>& missing, const std::string& split, const Names& names, const Names& others)
{
    for (const auto& name : names)
    {
        if (!others.contains(name))
        {
            missing.push_back(split + "/" + name);
        }
    }
}

std::string in_words(const std::vector<std::string>& names, const char* what)
{
    return names.empty()
               ? std::string()
               : fmt::format("{} {} {} ({}{})", io::plural(names.size(), "image"), names.size() == 1 ? "was" : "were",
                             what, names.front(), names.size() == 1 ? "" : ", ...");
}
}  // namespace

std::string folder_changes(const fs::path& folder, const fs::path& packed)
{
    std::error_code error;
    const auto time = fs::last_write_time(packed, error);
    if (error || (!changed_after(folder / "train", time) && !changed_after(folder / "val", time)))
    {
        return {};
    }
    const io::DatasetFile file(packed);
    auto train = packed_names(file, "train");
    const auto val = packed_names(file, "val");
    const auto train_listing = listing(folder / "train");
    const auto val_listing = listing(folder / "val");
    std::vector<std::string> added, removed;
    // A validation part may have been taken out of train by a list; the folder val is not in the file then.
    const bool is_by_list = !val.empty() && train_listing.contains(*val.begin()) && !train.contains(*val.begin());
    if (is_by_list)
    {
        train.insert(val.begin(), val.end());
    }
    else
    {
        add_missing(added, "val", val_listing, val);
        add_missing(removed, "val", val, val_listing);
    }
    add_missing(added, "train", train_listing, train);
    add_missing(removed, "train", train, train_listing);
    const auto added_words = in_words(added, "added");
    const auto removed_words = in_words(removed, "removed");
    return added_words + (added.empty() || removed.empty() ? "" : ", ") + removed_words;
}
}  // namespace paws::data

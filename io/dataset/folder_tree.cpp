#include "io/dataset/folder_tree.hpp"

#include "io/base/quantity.hpp"
#include "io/ranks/agreed.hpp"

#include <algorithm>
#include <sstream>

#include "io/base/error.hpp"
#include "io/base/printable.hpp"
#include "io/dataset/subset_file.hpp"
#include "io/files/input_path.hpp"

namespace paws::io
{
namespace
{
namespace fs = std::filesystem;

/// Nobody sorts images so deep; a link that leads back does.
constexpr int most_levels = 16;

bool is_hidden(const fs::path& path)
{
    return path.filename().string().starts_with('.');
}

struct Entries
{
    std::vector<std::string> folders;
    std::vector<std::string> files;
};

/// What a folder holds, sorted by name; links are followed.
Entries entries_of(const fs::path& folder)
{
    Entries entries;
    try
    {
        for (const fs::directory_entry& entry : fs::directory_iterator(folder))
        {
            std::error_code ignored;  // of a link that leads nowhere, which is a corrupt image
            if (!is_hidden(entry.path()))
            {
                (entry.is_directory(ignored) ? entries.folders : entries.files)
                    .push_back(entry.path().filename().string());
            }
        }
    }
    catch (const fs::filesystem_error& error)
    {
        throw Error(folder.string() + ": cannot be read (" + error.code().message() + "); check its permissions");
    }
    std::sort(entries.folders.begin(), entries.folders.end());
    std::sort(entries.files.begin(), entries.files.end());
    return entries;
}

void collect_folders(const fs::path& split, const std::string& folder, int level, std::vector<std::string>& folders)
{
    if (level > most_levels)
    {
        throw Error((split / folder).string() + ": folders are nested more than " + std::to_string(most_levels) +
                    " deep; does a link lead back to a folder above it?");
    }
    folders.push_back(folder);
    for (const std::string& below : entries_of(split / folder).folders)
    {
        collect_folders(split, folder + "/" + below, level + 1, folders);
    }
}

void list_class(const fs::path& split, const std::string& name, std::int64_t label, FileList& list)
{
    std::vector<std::string> folders;
    collect_folders(split, name, 1, folders);
    // As whole strings, as os.walk's are sorted: "a-b" comes before "a/b".
    std::sort(folders.begin(), folders.end());
    for (const std::string& folder : folders)
    {
        for (const std::string& file : entries_of(split / folder).files)
        {
            std::error_code error;  // told when the file is read
            const std::uintmax_t size = fs::file_size(split / folder / file, error);
            list.add(folder + "/" + file, error ? 0 : size, label);
        }
    }
}

/// The class folders of a split, sorted.
std::vector<std::string> classes_of(const fs::path& folder)
{
    require_folder(folder, "give one that holds train/CLASS/IMAGE");
    const Entries entries = entries_of(folder);
    if (entries.folders.empty())
    {
        throw Error(folder.string() + ": has no class folders" +
                    (entries.files.empty() ? "" : ", only files such as " + entries.files.front()) +
                    "; sort the images into one folder a class");
    }
    return entries.folders;
}

void require_known_classes(const fs::path& folder, const std::vector<std::string>& found,
                           const std::vector<std::string>& class_names)
{
    for (const std::string& name : found)
    {
        if (!std::binary_search(class_names.begin(), class_names.end(), name))
        {
            throw Error((folder / name).string() + ": train has no class of this name; rename the folder or remove it");
        }
    }
}

std::vector<std::string> share_names(const std::vector<std::string>& names, const ranks::Group& ranks)
{
    std::string joined;
    for (const std::string& name : names)
    {
        joined += name + "/";
    }
    std::istringstream stream(ranks.broadcast(joined));
    std::vector<std::string> shared;
    for (std::string name; std::getline(stream, name, '/');)
    {
        shared.push_back(name);
    }
    return shared;
}

/// Every rank lists some of the classes; rank 0 gets all.
FileList list_split(const fs::path& folder, const std::vector<std::string>& classes, const ranks::Group& ranks)
{
    const auto rank = static_cast<std::size_t>(ranks.rank());
    const auto size = static_cast<std::size_t>(ranks.size());
    FileList mine;
    agreed(ranks,
           [&]
           {
               for (std::size_t k = rank; k < classes.size(); k += size)
               {
                   if (is_folder(folder / classes[k]))
                   {
                       list_class(folder, classes[k], static_cast<std::int64_t>(k), mine);
                   }
               }
           });
    const std::vector<FileList> lists = mine.gather(ranks);
    FileList all;
    std::vector<std::size_t> next(lists.size(), 0);
    for (std::size_t k = 0; k < classes.size() && !lists.empty(); ++k)
    {
        const FileList& list = lists[k % size];
        std::size_t& i = next[k % size];
        for (; i < list.count() && list.label(i) == static_cast<std::int64_t>(k); ++i)
        {
            all.add(list, i);
        }
    }
    return all;
}

/// Moves those that the list names to a second one.
FileList take_listed(FileList& train, const fs::path& list)
{
    const std::vector<std::string> names = printable(train.names());
    std::vector<std::size_t> positions = read_subset(list, names);
    std::sort(positions.begin(), positions.end());
    FileList taken;
    for (const std::size_t i : positions)
    {
        taken.add(train, i);
    }
    train = without(train, positions);
    return taken;
}
}  // namespace

void FileList::add(std::string_view name, std::uint64_t size, std::int64_t label)
{
    characters_.insert(characters_.end(), name.begin(), name.end());
    ends_.push_back(characters_.size());
    sizes_.push_back(size);
    labels_.push_back(label);
}

std::string_view FileList::name(std::size_t i) const
{
    const std::uint64_t begin = i == 0 ? 0 : ends_[i - 1];
    return {characters_.data() + begin, ends_[i] - begin};
}

std::vector<std::string> FileList::names() const
{
    std::vector<std::string> names;
    names.reserve(count());
    for (std::size_t i = 0; i < count(); ++i)
    {
        names.emplace_back(name(i));
    }
    return names;
}

void FileList::share(const ranks::Group& ranks)
{
    ranks.share(characters_);
    ranks.share(ends_);
    ranks.share(sizes_);
    ranks.share(labels_);
}

std::vector<FileList> FileList::gather(const ranks::Group& ranks) const
{
    auto characters = ranks.gather(characters_);
    auto ends = ranks.gather(ends_);
    auto sizes = ranks.gather(sizes_);
    auto labels = ranks.gather(labels_);
    std::vector<FileList> lists(characters.size());
    for (std::size_t i = 0; i < lists.size(); ++i)
    {
        lists[i].characters_ = std::move(characters[i]);
        lists[i].ends_ = std::move(ends[i]);
        lists[i].sizes_ = std::move(sizes[i]);
        lists[i].labels_ = std::move(labels[i]);
    }
    return lists;
}

FileList without(const FileList& list, std::span<const std::size_t> positions)
{
    FileList rest;
    auto next = positions.begin();
    for (std::size_t i = 0; i < list.count(); ++i)
    {
        if (next != positions.end() && *next == i)
        {
            ++next;
            continue;
        }
        rest.add(list, i);
    }
    return rest;
}

void require_files_of_every_class(const FileList& files, const std::vector<std::string>& class_names,
                                  const std::filesystem::path& folder, const std::string& remedy)
{
    std::vector<bool> has(class_names.size(), false);
    for (const std::int64_t label : files.labels())
    {
        has[static_cast<std::size_t>(label)] = true;
    }
    const auto empty = std::find(has.begin(), has.end(), false);
    if (empty == has.end())
    {
        return;
    }
    const auto others = std::count(empty + 1, has.end(), false);
    throw Error((folder / class_names[static_cast<std::size_t>(empty - has.begin())]).string() +
                ": a class without images" + (others > 0 ? " (and " + plural(others, "other") + ")" : "") + "; " +
                remedy);
}

FolderTree read_folder_tree(const std::filesystem::path& input, const std::optional<std::filesystem::path>& val_list,
                            const ranks::Group& ranks)
{
    const fs::path train = input / "train";
    const fs::path val = input / "val";
    FolderTree tree;
    std::string reads_val;
    agreed(ranks,
           [&]
           {
               if (ranks.is_first())
               {
                   tree.class_names = classes_of(train);
                   if (!val_list && is_there(val))
                   {
                       require_known_classes(val, classes_of(val), tree.class_names);
                       reads_val = "yes";
                   }
               }
           });
    tree.class_names = share_names(tree.class_names, ranks);
    reads_val = ranks.broadcast(reads_val);

    FileList in_train = list_split(train, tree.class_names, ranks);
    FileList in_val = reads_val.empty() ? FileList() : list_split(val, tree.class_names, ranks);
    agreed(ranks,
           [&]
           {
               if (ranks.is_first())
               {
                   require_files_of_every_class(in_train, tree.class_names, train, "add some, or remove the folder");
                   if (val_list)
                   {
                       in_val = take_listed(in_train, *val_list);
                       require_files_of_every_class(
                           in_train, tree.class_names, train,
                           "all of its images are in " + val_list->string() + ", leave some to train");
                   }
               }
           });
    in_train.share(ranks);
    in_val.share(ranks);
    tree.splits.push_back({"train", train, std::move(in_train)});
    if (in_val.count() > 0)
    {
        tree.splits.push_back({"val", val_list ? train : val, std::move(in_val)});
    }
    return tree;
}
}  // namespace paws::io

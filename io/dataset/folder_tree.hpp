#pragma once

// Which images a folder of class folders holds.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io/ranks/group.hpp"

namespace paws::io
{
/// Files of one split in their order. Names lie in one piece of memory, since there may be millions on every rank.
class FileList
{
public:
    void add(std::string_view name, std::uint64_t size, std::int64_t label);
    void add(const FileList& other, std::size_t i) { add(other.name(i), other.size(i), other.label(i)); }

    std::size_t count() const { return ends_.size(); }
    /// "CLASS/FILE"
    std::string_view name(std::size_t i) const;
    std::uint64_t size(std::size_t i) const { return sizes_[i]; }
    std::int64_t label(std::size_t i) const { return labels_[i]; }

    std::vector<std::string> names() const;
    const std::vector<std::uint64_t>& sizes() const { return sizes_; }
    const std::vector<std::int64_t>& labels() const { return labels_; }

    /// Those of rank 0, on every rank. Collective.
    void share(const ranks::Group& ranks);
    /// On rank 0, the list of each rank. Collective.
    std::vector<FileList> gather(const ranks::Group& ranks) const;

private:
    std::vector<char> characters_;
    std::vector<std::uint64_t> ends_;  // of the names
    std::vector<std::uint64_t> sizes_;
    std::vector<std::int64_t> labels_;
};

/// A list without the files at `positions`, which ascend.
FileList without(const FileList& list, std::span<const std::size_t> positions);

struct FolderTree
{
    struct Split
    {
        std::string name;
        std::filesystem::path folder;  ///< that names are relative to
        FileList files;
    };
    std::vector<std::string> class_names;
    std::vector<Split> splits;  ///< train and, if there is one, val
};

/// Lists INPUT/train/CLASS/* and INPUT/val/CLASS/*, in the order of torchvision's ImageFolder: classes by name, in each
/// of them folders by name, in each of those files by name (bytes are compared). Hidden ones are passed over, as are
/// files beside the class folders. With `val_list`, the split val is those of train that the list names.
/// A val without any image is left out. Collective: the ranks share the class folders.
///
/// Throws BadInput, the same on every rank: no such folder, no class folders, a class of train without files, a class
/// of val that train does not have, a list that read_subset refuses.
FolderTree read_folder_tree(const std::filesystem::path& input, const std::optional<std::filesystem::path>& val_list,
                            const ranks::Group& ranks);

/// Throws if a class has none of the files, naming `folder` and it.
void require_files_of_every_class(const FileList& files, const std::vector<std::string>& class_names,
                                  const std::filesystem::path& folder, const std::string& remedy);
}  // namespace paws::io

#pragma once

// Packs a folder of class folders, as ImageNet is kept, into one file.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "io/ranks/group.hpp"

namespace paws::io
{
struct FolderPackRequest
{
    std::filesystem::path input;   ///< with train/CLASS/* and, if there is one, val/CLASS/*
    std::filesystem::path output;  ///< the file to write
    /// Images whose shorter side has more pixels are reduced to it and stored as JPEG of quality 95.
    std::optional<std::size_t> shorter_side = {};
    /// Names or positions of images of train (see read_subset) that become the split val; the folder val is not read.
    std::optional<std::filesystem::path> val_list = {};
    bool skip_broken = false;                   ///< leave corrupt images out instead of refusing the folder
    const char* skip_option = "--skip-broken";  ///< how the user asks for that
    /// What a rank takes of a round of images; it holds two such parts, and the images that its threads decode.
    std::uint64_t part_bytes = std::uint64_t{32} << 20;
};

struct FolderPackReport
{
    struct Split
    {
        std::string name;
        std::size_t images = 0;
        std::uint64_t bytes = 0;  ///< of the encoded images
    };
    std::vector<Split> splits;  ///< train and, if there is one, val
    std::size_t classes = 0;
    std::vector<std::string> skipped;  ///< "train/CLASS/FILE: REASON"
};

/// How far it is, for those who wait.
struct FolderPackStatus
{
    bool writes = false;  ///< or only checks: where sizes cannot be known before, all images are looked at twice
    std::uint64_t images = 0;
    std::uint64_t total_images = 0;
    std::uint64_t bytes = 0;  ///< of the files in the folder
    std::uint64_t total_bytes = 0;
    double seconds = 0;  ///< since checking, or writing, began
};
/// Called on rank 0 now and then.
using FolderPackProgress = std::function<void(const FolderPackStatus&)>;

/// Packs INPUT/train/CLASS/* and INPUT/val/CLASS/* as a `paws-dataset` of encoded images (see DatasetFile).
///
/// Classes are the folders of train, sorted by name; images are sorted by class and then as torchvision's ImageFolder
/// sorts them, so that label_draw.hpp gives the published labels; they are named CLASS/FILE. Hidden files and folders
/// are passed over. Bytes are kept as they are, unless shorter_side says otherwise. Every image is decoded, whatever
/// its name ends in; what cannot be read or is no whole JPEG or PNG is corrupt.
///
/// Collective over `ranks`: they read, check and write together, each with the cores of its node that fall to it,
/// holding two parts of images at a time (see part_bytes). The file is the same for any number of ranks. It appears
/// whole or not at all (see AtomicFile), with a seal (see make_seal).
///
/// Throws BadInput, the same on every rank: no such folder, no classes, a class without images, a class of val that
/// train does not have, corrupt images without skip_broken, a list that read_subset refuses, images that change
/// meanwhile, too little space, a failed write.
FolderPackReport pack_image_folder(const FolderPackRequest& request, const ranks::Group& ranks,
                                   const FolderPackProgress& progress = {});
}  // namespace paws::io

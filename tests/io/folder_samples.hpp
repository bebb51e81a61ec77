#pragma once

// Folders of class folders to pack.

#include <string>
#include <vector>

#include "io/base/error.hpp"
#include "io/dataset/pack_folder.hpp"
#include "tests/io/ranks.hpp"
#include "tests/support/goldens.hpp"

namespace paws::test
{
namespace fs = std::filesystem;

/// One of tests/inputs/pictures.
inline void put_image(const fs::path& to, const std::string& image)
{
    fs::create_directories(to.parent_path());
    fs::copy_file(golden_path("pictures/" + image), to, fs::copy_options::overwrite_existing);
}

/// Three classes of train, two of val; sub-folders, an image without an ending, hidden and foreign files beside.
inline void fill_folder(const fs::path& folder)
{
    const fs::path train = folder / "data/train";
    put_image(train / "bird/b.jpg", "baseline_420.jpg");
    put_image(train / "bird/a", "rgb.png");
    put_image(train / "bird/young/z.JPEG", "png_named.JPEG");
    put_image(train / "bird/young-ones/y.jpg", "grey.jpg");
    put_image(train / "bird/young/deep/x.jpg", "odd_1x1.jpg");
    put_image(train / "cat/1.jpg", "cmyk.jpg");
    put_image(train / "cat/2.jpg", "progressive.jpg");
    put_image(train / "cat/10.jpg", "thin_3x200.jpg");
    put_image(train / "dog/only.png", "palette.png");
    put_image(folder / "data/val/cat/v.jpg", "baseline_422.JPEG");
    put_image(folder / "data/val/dog/w.jpg", "exif_rotated.jpg");
    fs::create_directory(folder / "data/val/bird");
    write_file(train / ".DS_Store", "hidden");
    write_file(train / "bird/.DS_Store", "hidden");
    put_image(train / ".cache/a.jpg", "grey.jpg");
    write_file(train / "classes.txt", "bird cat dog");
}

class SampleFolder : public SharedFolder
{
public:
    SampleFolder() : SharedFolder(fill_folder) {}

    fs::path input() const { return path() / "data"; }
    fs::path output() const { return path() / "packed.h5"; }
    io::FolderPackRequest request() const
    {
        io::FolderPackRequest request;
        request.input = input();
        request.output = output();
        return request;
    }

    /// On rank 0, between two barriers.
    void change(const std::function<void()>& action) const
    {
        MPI_Barrier(MPI_COMM_WORLD);
        if (my_rank() == 0)
        {
            action();
        }
        MPI_Barrier(MPI_COMM_WORLD);
    }
};

/// Passes if packing is refused on every rank with the same message of one line that has all of `parts`, and if
/// nothing is left of it: beside `data`, the sample folder has as many entries as before.
inline void check_pack_refused(const SampleFolder& folder, const io::FolderPackRequest& request,
                               std::initializer_list<std::string> parts, const io::FolderPackProgress& progress = {})
{
    const auto entries = [&] { return std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator()); };
    MPI_Barrier(MPI_COMM_WORLD);
    const auto before = entries();
    MPI_Barrier(MPI_COMM_WORLD);
    std::string message;
    try
    {
        io::pack_image_folder(request, ranks::Group(MPI_COMM_WORLD), progress);
    }
    catch (const ranks::BadInput& error)
    {
        message = error.what();
    }
    INFO("message: " << message);
    CHECK(!message.empty());
    CHECK(message == of_rank_0(message));
    CHECK(message.find('\n') == std::string::npos);
    for (const std::string& part : parts)
    {
        INFO("expected part: " << part);
        CHECK(message.find(part) != std::string::npos);
    }
    MPI_Barrier(MPI_COMM_WORLD);
    CHECK(entries() == before);
}
}  // namespace paws::test

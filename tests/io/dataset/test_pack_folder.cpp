#include <sys/stat.h>

#include <map>

#include "io/dataset/dataset_file.hpp"
#include "io/files/checksum.hpp"
#include "io/files/seal.hpp"
#include "io/image/image.hpp"
#include "io/image/reduce_image.hpp"
#include "tests/io/folder_samples.hpp"
#include "tests/io/full_disk.hpp"

using namespace paws::test;
using namespace paws::io;

namespace
{
using Bytes = std::vector<std::uint8_t>;
using Names = std::vector<std::string>;

/// Image `i` of a split, as stored.
Bytes stored(const DatasetFile& file, const std::string& split, std::size_t i)
{
    const auto offsets = file.offsets(split);
    Bytes bytes(offsets.at(i + 1) - offsets.at(i));
    file.read_encoded(split, offsets[i], bytes.size(), bytes);
    return bytes;
}

Bytes bytes_of(const fs::path& path)
{
    const std::string text = contents(path);
    return {text.begin(), text.end()};
}

/// What one rank makes of a request, whose bytes all others must give.
std::string packed_by_one(FolderPackRequest request)
{
    request.output += "-by-one-" + std::to_string(my_rank());
    pack_image_folder(request, paws::ranks::Group(MPI_COMM_SELF));
    const std::string bytes = contents(request.output);
    fs::remove(request.output);
    return bytes;
}

void check_facts(const DatasetFile& file, const std::string& split)
{
    const auto checksums = file.checksums(split);
    const auto sizes = file.sizes(split);
    REQUIRE(checksums.size() == file.count(split));
    for (std::size_t i = 0; i < checksums.size(); ++i)
    {
        INFO(split << " " << i);
        const Bytes bytes = stored(file, split, i);
        CHECK(checksums[i] == crc32(std::as_bytes(std::span(bytes))));
        const Image image = decode_image(bytes, "stored");
        CHECK(sizes[2 * i] == image.height);
        CHECK(sizes[2 * i + 1] == image.width);
    }
}
}  // namespace

TEST_CASE("a folder of class folders is packed", "[io][pack_folder]")
{
    const SampleFolder folder;
    const auto report = pack_image_folder(folder.request(), paws::ranks::Group(MPI_COMM_WORLD));
    CHECK(report.classes == 3);
    REQUIRE(report.splits.size() == 2);
    CHECK(report.splits[0].name == "train");
    CHECK(report.splits[0].images == 9);
    CHECK(report.splits[1].images == 2);
    CHECK(report.skipped.empty());
    CHECK(verify_seal(folder.output()));

    const DatasetFile file(folder.output());
    CHECK(file.class_names() == Names{"bird", "cat", "dog"});
    CHECK(file.split_names() == Names{"train", "val"});
    // As Python's sorted(os.walk(...)) has them.
    const Names names = {
        "bird/a",    "bird/b.jpg", "bird/young/z.JPEG", "bird/young-ones/y.jpg", "bird/young/deep/x.jpg",
        "cat/1.jpg", "cat/10.jpg", "cat/2.jpg",         "dog/only.png"};
    CHECK(file.names("train") == names);
    CHECK(file.labels("train") == std::vector<std::int64_t>{0, 0, 0, 0, 0, 1, 1, 1, 2});
    CHECK(file.names("val") == Names{"cat/v.jpg", "dog/w.jpg"});
    CHECK(file.labels("val") == std::vector<std::int64_t>{1, 2});
    CHECK(file.skipped("train").empty());
    for (std::size_t i = 0; i < names.size(); ++i)
    {
        INFO(names[i]);
        CHECK((stored(file, "train", i) == bytes_of(folder.input() / "train" / names[i])));
    }
    CHECK(file.offsets("train").back() == report.splits[0].bytes);
    check_facts(file, "train");
    check_facts(file, "val");
}

TEST_CASE("any number of ranks and rounds gives the same file", "[io][pack_folder]")
{
    const SampleFolder folder;
    auto request = folder.request();
    const std::string by_one = packed_by_one(request);
    for (const std::uint64_t part_bytes : {std::uint64_t{1} << 25, std::uint64_t{20'000}})
    {
        request.part_bytes = part_bytes;
        for (const auto& side : {std::optional<std::size_t>(), std::optional<std::size_t>(64)})
        {
            request.shorter_side = side;
            pack_image_folder(request, paws::ranks::Group(MPI_COMM_WORLD));
            INFO(part_bytes);
            CHECK((contents(request.output) == (side ? packed_by_one(request) : by_one)));
            MPI_Barrier(MPI_COMM_WORLD);
        }
    }
}

TEST_CASE("corrupt images are refused, all of the first few by name", "[io][pack_folder]")
{
    const SampleFolder folder;
    const fs::path cat = folder.input() / "train/cat";
    folder.change(
        [&]
        {
            put_image(cat / "0.jpg", "truncated_half.jpg");
            put_image(cat / "3.jpg", "empty.jpg");
        });
    check_pack_refused(
        folder, folder.request(),
        {"data: 2 of 13 images are corrupt", "train/cat/0.jpg: ", "; train/cat/3.jpg: it is empty", "--skip-broken"});
    folder.change(
        [&]
        {
            write_file(cat / "notes.txt", "text");
            fs::create_symlink("/nowhere", cat / "link.jpg");
            mkfifo((cat / "pipe.jpg").c_str(), 0600);
            for (const char* name : {"/a.jpg", "/b.jpg"})
            {
                put_image(folder.input() / ("val/dog" + std::string(name)), "truncated_header.jpg");
            }
        });
    check_pack_refused(
        folder, folder.request(),
        {"7 of 18 images are corrupt", "cat/link.jpg: open failed: No such file",
         "cat/notes.txt: it is neither JPEG nor PNG", "cat/pipe.jpg: it is not a regular file", "; and 2 more)"});
}

TEST_CASE("corrupt images are left out on demand, and listed in the file", "[io][pack_folder]")
{
    const SampleFolder folder;
    folder.change(
        [&]
        {
            put_image(folder.input() / "train/cat/0.jpg", "truncated_half.jpg");
            write_file(folder.input() / "train/dog/notes.txt", "text");
            put_image(folder.input() / "val/dog/w.jpg", "empty.jpg");
        });
    auto request = folder.request();
    request.skip_broken = true;
    request.part_bytes = 20'000;
    const auto report = pack_image_folder(request, paws::ranks::Group(MPI_COMM_WORLD));
    REQUIRE(report.skipped.size() == 3);
    CHECK_THAT(report.skipped[0], Catch::StartsWith("train/cat/0.jpg: "));
    CHECK(report.skipped[1] == "train/dog/notes.txt: it is neither JPEG nor PNG");
    CHECK(report.skipped[2] == "val/dog/w.jpg: it is empty");
    CHECK(report.splits[0].images == 9);
    CHECK(report.splits[1].images == 1);
    const DatasetFile file(folder.output());
    CHECK(file.names("train").size() == 9);
    CHECK(file.skipped("train") == Names{report.skipped[0].substr(6), "dog/notes.txt: it is neither JPEG nor PNG"});
    CHECK(file.skipped("val") == Names{"dog/w.jpg: it is empty"});
    CHECK((stored(file, "train", 8) == bytes_of(folder.input() / "train/dog/only.png")));
    check_facts(file, "train");
    CHECK((contents(folder.output()) == packed_by_one(request)));
    MPI_Barrier(MPI_COMM_WORLD);

    folder.change(
        [&]
        {
            fs::remove(folder.output());
            put_image(folder.input() / "train/dog/only.png", "empty.jpg");
        });
    check_pack_refused(folder, request, {"train/dog: a class without images", "all of them are corrupt"});
}

TEST_CASE("a split without any whole image is left out", "[io][pack_folder]")
{
    const SampleFolder folder;
    folder.change(
        [&]
        {
            put_image(folder.input() / "val/cat/v.jpg", "empty.jpg");
            put_image(folder.input() / "val/dog/w.jpg", "empty.jpg");
        });
    auto request = folder.request();
    request.skip_broken = true;
    CHECK(pack_image_folder(request, paws::ranks::Group(MPI_COMM_WORLD)).skipped.size() == 2);
    CHECK(DatasetFile(folder.output()).split_names() == Names{"train"});
}

TEST_CASE("large images are reduced on demand", "[io][pack_folder]")
{
    const SampleFolder folder;
    auto request = folder.request();
    request.shorter_side = 100;
    pack_image_folder(request, paws::ranks::Group(MPI_COMM_WORLD));
    const DatasetFile file(folder.output());
    const auto names = file.names("train");
    const auto sizes = file.sizes("train");
    std::size_t reduced = 0;
    for (std::size_t i = 0; i < names.size(); ++i)
    {
        INFO(names[i]);
        const Bytes original = bytes_of(folder.input() / "train" / names[i]);
        const Image image = decode_image(original, names[i]);
        if (std::min(image.height, image.width) <= 100)
        {
            CHECK((stored(file, "train", i) == original));
            continue;
        }
        ++reduced;
        const auto [height, width] = size_with_shorter_side(image.height, image.width, 100);
        CHECK(sizes[2 * i] == height);
        CHECK(sizes[2 * i + 1] == width);
        CHECK((stored(file, "train", i) == encode_jpeg(reduce_image(image, height, width), 95, names[i])));
    }
    CHECK(reduced >= 3);
    CHECK(reduced < names.size());
    check_facts(file, "train");
    MPI_Barrier(MPI_COMM_WORLD);
    folder.change([&] { fs::remove(folder.output()); });
    request.shorter_side = 0;
    check_pack_refused(folder, request, {"--shorter-side", "1 or more"});
}

TEST_CASE("a list takes images of train for val", "[io][pack_folder]")
{
    const SampleFolder folder;
    const fs::path list = folder / "val.txt";
    folder.change([&] { write_file(list, "cat/2.jpg\ny.jpg\n"); });
    auto request = folder.request();
    request.val_list = list;
    pack_image_folder(request, paws::ranks::Group(MPI_COMM_WORLD));
    {
        const DatasetFile file(folder.output());
        CHECK(file.names("val") == Names{"bird/young-ones/y.jpg", "cat/2.jpg"});
        CHECK(file.labels("val") == std::vector<std::int64_t>{0, 1});
        CHECK(file.names("train") == Names{"bird/a", "bird/b.jpg", "bird/young/z.JPEG", "bird/young/deep/x.jpg",
                                           "cat/1.jpg", "cat/10.jpg", "dog/only.png"});
        CHECK((stored(file, "val", 1) == bytes_of(folder.input() / "train/cat/2.jpg")));
    }
    folder.change(
        [&]
        {
            fs::remove(folder.output());
            write_file(list, "v.jpg\n");
        });
    check_pack_refused(folder, request, {"val.txt", "no image named 'v.jpg'"});
    folder.change([&] { write_file(list, "only.png\n"); });
    check_pack_refused(folder, request, {"train/dog: a class without images", "val.txt", "leave some to train"});
    request.val_list = folder / "none.txt";
    check_pack_refused(folder, request, {"none.txt", "no such file"});
}

TEST_CASE("folders of another kind are refused by name", "[io][pack_folder]")
{
    const SampleFolder folder;
    auto request = folder.request();
    request.input = folder / "nothing";
    check_pack_refused(folder, request, {"nothing/train: there is no such folder", "train/CLASS/IMAGE"});
    request.input = folder.input();
    folder.change([&] { fs::create_directory(folder.input() / "val/fish"); });
    check_pack_refused(folder, request, {"val/fish: train has no class of this name"});
    folder.change(
        [&]
        {
            fs::remove_all(folder.input() / "val");
            put_image(folder.input() / "val/v.jpg", "grey.jpg");
        });
    check_pack_refused(folder, request, {"val: has no class folders, only files such as v.jpg"});
    folder.change(
        [&]
        {
            fs::create_directories(folder.input() / "train/ant/empty");
            write_file(folder.input() / "train/ant/.DS_Store", "");
            fs::create_directory(folder.input() / "train/zebra");
            fs::remove_all(folder.input() / "val");
        });
    check_pack_refused(folder, request, {"train/ant: a class without images (and 1 other)", "remove the folder"});
    folder.change(
        [&]
        {
            fs::remove_all(folder.input() / "train/zebra");
            fs::create_directory_symlink("..", folder.input() / "train/ant/up");
        });
    check_pack_refused(folder, request, {"nested more than 16 deep", "link"});
    folder.change(
        [&]
        {
            fs::remove_all(folder.input() / "train");
            fs::create_directory(folder.input() / "train");
        });
    check_pack_refused(folder, request, {"train: has no class folders; sort"});
}

TEST_CASE("a folder without val is packed without it", "[io][pack_folder]")
{
    const SampleFolder folder;
    folder.change([&] { fs::remove_all(folder.input() / "val"); });
    CHECK(pack_image_folder(folder.request(), paws::ranks::Group(MPI_COMM_WORLD)).splits.size() == 1);
    CHECK(DatasetFile(folder.output()).split_names() == Names{"train"});
}

TEST_CASE("packing tells how far it is, and shows no file before it is whole", "[io][pack_folder]")
{
    const SampleFolder folder;
    auto request = folder.request();
    request.skip_broken = true;
    request.part_bytes = 20'000;
    std::vector<FolderPackStatus> told;
    bool too_early = false;
    const auto progress = [&](const FolderPackStatus& status)
    {
        told.push_back(status);
        too_early = too_early || fs::exists(request.output);
    };
    pack_image_folder(request, paws::ranks::Group(MPI_COMM_WORLD), progress);
    CHECK_FALSE(too_early);
    CHECK(told.empty() == (my_rank() != 0));
    for (const bool writes : {false, true})
    {
        std::uint64_t images = 0;
        std::uint64_t bytes = 0;
        for (const FolderPackStatus& status : told)
        {
            if (status.writes == writes)
            {
                CHECK(status.images >= images);
                images = status.images;
                bytes = status.bytes;
                CHECK(status.total_images == 11);
            }
        }
        CHECK(images == (my_rank() == 0 ? 11 : 0));
        CHECK((my_rank() != 0 || bytes == told.back().total_bytes));
    }
}

TEST_CASE("one rank's failure ends the packing on all", "[io][pack_folder]")
{
    const SampleFolder folder;
    folder.change([&] { write_file(folder.output(), "before"); });
    const auto give_up = [](const FolderPackStatus&) { throw Error("the progress line broke"); };
    check_pack_refused(folder, folder.request(), {"the progress line broke"}, give_up);
    CHECK(contents(folder.output()) == "before");

    // The same size, but another image's bytes, after it was looked at.
    auto request = folder.request();
    request.skip_broken = true;
    const fs::path changed = folder.input() / "train/dog/only.png";
    const auto change = [&](const FolderPackStatus& status)
    {
        if (!status.writes && status.images == status.total_images)
        {
            std::string bytes = contents(changed);
            bytes[bytes.size() / 2] ^= 1;
            write_file(changed, bytes);
        }
    };
    check_pack_refused(folder, request, {"train/dog/only.png: changed while the folder was packed"}, change);
    CHECK(contents(folder.output()) == "before");
}

TEST_CASE("an output that cannot be written is refused before any work", "[io][pack_folder]")
{
    const SampleFolder folder;
    auto request = folder.request();
    const auto never = [](const FolderPackStatus&) { throw std::runtime_error("too late"); };
    request.output = folder / "none/packed.h5";
    check_pack_refused(folder, request, {"none/packed.h5: cannot be written", "make it first"}, never);
    request.output = folder.input();
    check_pack_refused(folder, request, {"data: is a folder"}, never);
    request.output = "/proc/packed.h5";
    check_pack_refused(folder, request, {"/proc/packed.h5: cannot be written", "name another folder"}, never);
}

TEST_CASE("a disk that is full when packing begins", "[io][pack_folder]")
{
    const SampleFolder folder;
    {
        const FullDisk full(20'000);
        check_pack_refused(folder, folder.request(), {"packed.h5: cannot be written (", "free some space"});
    }
    CHECK(pack_image_folder(folder.request(), paws::ranks::Group(MPI_COMM_WORLD)).splits.size() == 2);
}

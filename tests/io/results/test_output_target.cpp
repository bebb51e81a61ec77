#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "io/checkpoint/checkpoint_file.hpp"
#include "io/dataset/dataset_file.hpp"
#include "io/dataset/subset_file.hpp"
#include "io/files/folder_lock.hpp"
#include "io/hdf5/h5.hpp"
#include "io/image/png.hpp"
#include "io/results/output_target.hpp"
#include "io/torch/torch_file.hpp"
#include "tests/io/files.hpp"

using namespace paws::test;
using namespace paws::io;
namespace fs = std::filesystem;

namespace
{
void check_one(const fs::path& path, const OutputKind& kind)
{
    require_outputs({{}, {{"--output", path, kind}}, {}});
}

OutputKind any_text()
{
    return text_beginning_with("a text", {"text"});
}

OutputKind checkpoint_output()
{
    return hdf5_output(checkpoint_format);
}

void write_dataset_of_one(const fs::path& path)
{
    DatasetContent content{{"cat"}, {}};
    ImageSet set;
    set.height = set.width = 1;
    set.pixels = {1, 2, 3};
    set.labels = {0};
    set.names = {"one"};
    content.splits["train"] = set;
    write_dataset(path, content);
}
}  // namespace

TEST_CASE("an output may be new, empty, or of its own kind", "[io]")
{
    const TemporaryFolder folder;
    write_dataset_of_one(folder / "dataset");
    write_checkpoint(folder / "checkpoint", {});
    write_torch_file(folder / "torch", TorchValue());
    write_png(folder / "png", std::vector<std::uint8_t>(12), 2, 2);
    write_subset(folder / "positions", std::vector<std::size_t>{3, 5});
    FolderLock(folder / "lock");
    write_file(folder / "text", "\xef\xbb\xbf\"text\";1\n");
    const std::vector<std::pair<std::string, OutputKind>> kinds = {{"dataset", hdf5_output(dataset_format)},
                                                                   {"checkpoint", checkpoint_output()},
                                                                   {"torch", torch_output()},
                                                                   {"png", png_output()},
                                                                   {"positions", positions_output()},
                                                                   {"lock", lock_output()},
                                                                   {"text", any_text()}};
    for (const auto& [name, kind] : kinds)
    {
        const auto before = contents(folder / name);
        for (const auto& [other, other_kind] : kinds)
        {
            INFO(name << " where " << other_kind.name << " is to be written");
            if (name == other)
            {
                CHECK_NOTHROW(check_one(folder / name, other_kind));
                continue;
            }
            check_refused([&] { check_one(folder / name, other_kind); },
                          {"--output: ", (folder / name).string(), "is there already", other_kind.name});
        }
        CHECK(contents(folder / name) == before);
        CHECK_NOTHROW(check_one(folder / "new", kind));
        CHECK_NOTHROW(check_one(write_file(folder / "empty", ""), kind));
        fs::remove(folder / "empty");
    }
    CHECK(folder.entries() == kinds.size());
}

TEST_CASE("files of other programs are of no kind of ours", "[io]")
{
    const TemporaryFolder folder;
    h5::File foreign = h5::File::create(folder / "foreign.h5");
    foreign.set_attribute<std::string>("note", "made from a paws-checkpoint");
    foreign.save();
    check_refused([&] { check_one(folder / "foreign.h5", checkpoint_output()); }, {"is not a checkpoint"});
    const auto zip = write_file(folder / "a.zip", std::string("PK\x03\x04", 4) + std::string(26, '\0') + "readme.txt");
    check_refused([&] { check_one(zip, torch_output()); }, {"a.zip", "is not a checkpoint of PyTorch"});
    const auto foreign_png = data_path("pictures/rgb.png");
    fs::copy_file(foreign_png, folder / "photo.png");
    check_refused([&] { check_one(folder / "photo.png", png_output()); }, {"photo.png", "is not a PNG of paws_hpc"});
    check_refused([&] { check_one(write_file(folder / "names.txt", "cat/1.jpg\n"), positions_output()); },
                  {"names.txt", "is not a list of positions"});
    check_refused([&] { check_one(write_file(folder / "matrix.txt", "1 2\n3 4\n"), positions_output()); },
                  {"matrix.txt", "is not a list of positions"});
    CHECK_NOTHROW(check_one(write_file(folder / "dos.txt", "12\r\n7\r\n\r\n"), positions_output()));
    check_refused([&] { check_one(write_file(folder / "t.lock", "[[package]]\n"), lock_output()); },
                  {"t.lock", "is not a lock"});
}

TEST_CASE("what is left of a damaged file of ours may be replaced, that of another may not", "[io]")
{
    const TemporaryFolder folder;
    write_checkpoint(folder / "file.h5", {});
    fs::resize_file(folder / "file.h5", fs::file_size(folder / "file.h5") / 2);
    CHECK_NOTHROW(check_one(folder / "file.h5", checkpoint_output()));
    check_refused([&] { check_one(folder / "file.h5", hdf5_output(dataset_format)); }, {"is not a packed data set"});
    // Too little is left to tell.
    fs::resize_file(folder / "file.h5", 100);
    for (const auto& kind : {checkpoint_output(), hdf5_output(dataset_format)})
    {
        check_refused([&] { check_one(folder / "file.h5", kind); },
                      {"--output: ", "is there already and is damaged; it may have been " + kind.name, "move it away"});
    }
    CHECK(fs::file_size(folder / "file.h5") == 100);
}

TEST_CASE("devices, FIFOs and folders are refused, texts may be streamed", "[io]")
{
    const TemporaryFolder folder;
    REQUIRE(mkfifo((folder / "fifo").c_str(), 0600) == 0);
    fs::create_symlink("fifo", folder / "link");
    for (const auto* name : {"fifo", "link"})
    {
        check_refused([&] { check_one(folder / name, checkpoint_output()); },
                      {"--output: ", name, "is a FIFO", "a checkpoint", "name a file"});
        CHECK_NOTHROW(check_one(folder / name, any_text()));
    }
    check_refused([&] { check_one(folder.path(), any_text()); }, {"is a folder"});
    check_refused([&] { check_one("/dev/stdout", checkpoint_output()); }, {"/dev/stdout", "is a stream"});
    CHECK(fs::is_fifo(folder / "fifo"));
    if (geteuid() == 0 && mknod((folder / "null").c_str(), S_IFCHR | 0600, makedev(1, 3)) == 0)
    {
        check_refused([&] { check_one(folder / "null", checkpoint_output()); }, {"is a character device"});
        CHECK_NOTHROW(check_one(folder / "null", any_text()));
        CHECK(fs::is_character_file(folder / "null"));
    }
}

TEST_CASE("an output that is an input, or another output, is refused whatever it is called", "[io]")
{
    const TemporaryFolder folder;
    const auto file = write_file(folder / "file", "text");
    fs::create_hard_link(file, folder / "hard");
    fs::create_symlink("hard", folder / "soft");
    for (const auto* name : {"file", "hard", "soft"})
    {
        check_refused(
            [&] {
                require_outputs({{{"--data", file}}, {{"--output", folder / name, any_text()}}, {}});
            },
            {"--output: ", name, "--data " + file.string(), "would replace it"});
    }
    fs::create_symlink("new", folder / "to_new");
    check_refused(
        [&]
        {
            require_outputs(
                {{}, {{"--output", folder / "new", any_text()}, {"--summary", folder / "to_new", any_text()}}, {}});
        },
        {"--summary: ", "to_new", "--output writes", "new"});
    // Two names of one file are two places.
    CHECK_NOTHROW(require_outputs({{}, {{"a", file, any_text()}, {"b", folder / "hard", any_text()}}, {}}));
    check_refused([&] { check_one("", any_text()); }, {"--output: is empty"});
    CHECK(contents(file) == "text");
}

TEST_CASE("whether an output can be written is tried, and leaves nothing", "[io]")
{
    const TemporaryFolder folder;
    check_refused([&] { check_one(folder / "none/file", any_text()); }, {"--output: ", "none/file", "make it first"});
    check_refused([&] { check_one("/proc/paws-test", any_text()); },
                  {"--output: /proc/paws-test", "cannot be written"});
    check_refused([&] { check_one(folder / std::string(256, 'n'), any_text()); }, {"256 bytes", "takes 255"});
    CHECK_NOTHROW(check_one(folder / std::string(255, 'n'), any_text()));
    std::string deep = folder.path().string();
    while (deep.size() < 4200)
    {
        deep += "/" + std::string(100, 'd');
    }
    check_refused([&] { check_one(deep, any_text()); }, {"paths of 4095 bytes"});
    CHECK(folder.entries() == 0);
}

TEST_CASE("a folder that the command makes may be missing", "[io]")
{
    const TemporaryFolder folder;
    const auto check = [&](const fs::path& output, const fs::path& made) {
        require_outputs({{}, {{"--summary", output, any_text()}}, {made}});
    };
    CHECK_NOTHROW(check(folder / "runs/a/summary", folder / "runs/a"));
    CHECK_NOTHROW(check(folder / "runs/summary", folder / "runs/a/../a/"));
    check_refused([&] { check(folder / "runs/b/summary", folder / "runs/a"); }, {"no folder", "make it first"});
    check_refused([&] { check(folder / "runs/a/b/summary", folder / "runs/a"); }, {"no folder", "make it first"});
    check_refused([&] { check("/proc/paws/summary", "/proc/paws"); }, {"--summary: /proc/paws/summary", "cannot be"});
    write_file(folder / "plain", "");
    check_refused([&] { check(folder / "plain/a/summary", folder / "plain/a"); }, {"plain", "is not a folder"});
    CHECK(folder.entries() == 1);
}

// FIFOs, devices, folders and links in the places of files, as a user meets them: one line, exit code 2, no waiting.

#include <sys/stat.h>

#include "tests/support/run_program.hpp"
#include "tests/support/small_run.hpp"

namespace
{
using namespace paws;
namespace fs = std::filesystem;

std::string fifo(const fs::path& path)
{
    fs::create_directories(path.parent_path());
    REQUIRE(mkfifo(path.c_str(), 0600) == 0);
    return path.string();
}

/// A program that waits for somebody to write is ended, with another exit code.
void refuse(const std::string& arguments, const std::vector<std::string>& parts, const std::string& before = "")
{
    test::check_bad_input(arguments, parts, before + " timeout 20");
}
}  // namespace

TEST_CASE("nothing waits for whoever writes into a FIFO", "[cli]")
{
    const test::SmallRun small;
    const auto& folder = small.folder;
    const auto pipe = fifo(folder / "fifo");
    const auto output = (folder / "out.h5").string();
    const std::vector<std::string> parts = {pipe + ": is a FIFO, not a file"};
    const auto yaml = test::write(folder / "run.yaml", small.yaml("run"));
    refuse(pipe, parts);
    refuse("inspect " + pipe, parts);
    refuse("convert " + pipe + " " + output, parts);
    refuse("snn-eval --checkpoint " + pipe, parts);
    refuse("views " + pipe + " --output " + (folder / "sheet.png").string(), parts);
    refuse("subset --data " + pipe + " --per-class 1 --output " + (folder / "list.txt").string(), parts);
    for (const char* key : {"data.file", "data.subset", "meta.init_backbone"})
    {
        refuse(yaml + " --set " + key + "=" + pipe, parts);
    }
    refuse(yaml + " --resume " + pipe, parts);
    refuse(yaml + " --set data.copy_data=true --set data.file=" + pipe, parts);

    const auto images = fifo(folder / "idx/train-images-idx3-ubyte");
    refuse("pack --format idx --input " + (folder / "idx").string() + " --output " + output, {images + ": is a FIFO"});
    const auto batch = fifo(folder / "cifar/data_batch_1.bin");
    test::write(folder / "cifar/batches.meta.txt", "a\nb\n");
    refuse("pack --format cifar10 --input " + (folder / "cifar").string() + " --output " + output,
           {batch + ": is a FIFO"});
    fs::create_directories(folder / "images/train/a");
    fs::copy_file(fs::path(PAWS_TEST_DATA) / "pictures/grey.png", folder / "images/train/a/1.png");
    refuse("pack --format imagefolder --input " + (folder / "images").string() + " --val-list " + pipe + " --output " +
               output,
           parts);
    CHECK_FALSE(fs::exists(output));
    // The same on several ranks, of which none is left waiting.
    test::check_bad_input(yaml + " --set data.file=" + pipe, parts, test::mpirun(2));
}

TEST_CASE("folders, devices and links are said to be what they are", "[cli]")
{
    const test::SmallRun small;
    const auto& folder = small.folder;
    const auto yaml = test::write(folder / "run.yaml", small.yaml("run"));
    const auto place = (folder / ".").string();
    fs::create_symlink("gone.h5", folder / "link");
    for (const std::string& command : {yaml + " --set data.file=", yaml + " --resume ", std::string("inspect "),
                                       std::string("snn-eval --checkpoint ")})
    {
        refuse(command + place, {"is a folder; name the file itself"});
        refuse(command + "/dev/null", {"/dev/null: is a device, not a file"});
        refuse(command + (folder / "link").string(), {"link: is a symbolic link to 'gone.h5', which is not there"});
        refuse(command + std::string(300, 'x'), {"name is too long"});
    }
    refuse("pack --format idx --input " + yaml + " --output " + (folder / "o.h5").string(),
           {"run.yaml: is a file, not a folder"});
}

TEST_CASE("a configuration may come out of another program", "[cli]")
{
    const test::SmallRun small;
    const auto yaml = test::write(small.folder / "run.yaml", small.yaml("run"));
    const auto piped = test::run("/dev/stdin --dry-run", R"(sh -c 'cat )" + yaml + R"( | "$0" "$@"')");
    INFO(piped.output);
    CHECK(piped.code == 0);
    CHECK(piped.output.find("wide_resnet16w1") != std::string::npos);
}

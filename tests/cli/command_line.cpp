// The program as a user calls it: exit codes, one line per error, files.

#include <fstream>
#include <nlohmann/json.hpp>

#include "src/config/config.hpp"
#include "src/device/device.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/encoded_images.hpp"
#include "tests/support/run_program.hpp"
#include "tests/support/small_run.hpp"

namespace
{
using namespace paws;
using test::check_bad_input;
using test::lines_with;
using test::mpirun;
using test::run;
using test::write;
}  // namespace

TEST_CASE("version and help", "[cli]")
{
    const auto version = run("--version");
    CHECK(version.code == 0);
    for (const auto* part : {"paws_hpc ", "LibTorch ", "Kokkos ", "OpenMP", "HDF5 "})
    {
        CHECK_THAT(version.output, Catch::Contains(part));
    }
    const auto help = run("--help");
    CHECK(help.code == 0);
    for (const auto* part : {"pack", "subset", "embed", "snn-eval", "inspect", "demo", "--dry-run", "--resume"})
    {
        CHECK_THAT(help.output, Catch::Contains(part));
    }
}

TEST_CASE("a folder of images is packed on the command line", "[cli]")
{
    const test::Folder folder;
    const std::filesystem::path input = folder / "pictures";
    for (const auto* name : {"cat/grey.jpg", "dog/rgb.png"})
    {
        const auto file = input / "train" / name;
        std::filesystem::create_directories(file.parent_path());
        std::filesystem::copy_file(PAWS_SOURCE_DIR "/tests/inputs/pictures/" + file.filename().string(), file);
    }
    write(input / "train/dog/notes.txt", "text");
    const auto output = (folder / "packed.h5").string();
    const auto pack = "pack --format imagefolder --input " + input.string() + " --output " + output;
    check_bad_input(pack, {"1 of 3 images is corrupt (train/dog/notes.txt", "--skip-broken"});
    CHECK_FALSE(std::filesystem::exists(output));
    const auto summary_path = (folder / "summary.json").string();
    const auto packed = run(pack + " --skip-broken --shorter-side 64 --summary " + summary_path);
    INFO(packed.output);
    REQUIRE(packed.code == 0);
    CHECK(lines_with(packed.output, "images/s").size() >= 1);
    CHECK(lines_with(packed.output, "left out train/dog/notes.txt: ").size() == 1);
    const auto summary = nlohmann::json::parse(std::ifstream(summary_path));
    CHECK(summary["pictures"] == 2);
    CHECK(summary["skipped"].size() == 1);
    CHECK_THAT(run("inspect " + output).output, Catch::Contains("train: 2 images, encoded (JPEG, PNG)") &&
                                                    Catch::Contains("left out dog/notes.txt") &&
                                                    Catch::Contains("whole"));
    check_bad_input(pack + " --class-names digits", {"--class-names", "--format idx"});
    check_bad_input(pack + " --shorter-side 0", {"--shorter-side", "1 or more"});
    check_bad_input("pack --format idx --skip-broken --input x --output y", {"--skip-broken", "imagefolder"});
}

TEST_CASE("from a configuration to embeddings on the command line", "[cli]")
{
    const test::SmallRun small;
    const auto config = write(small.folder / "small.yaml", small.yaml("run"));
    const auto summary_path = (small.folder / "summary.json").string();
    const auto trained = run(config + " --summary " + summary_path);
    INFO(trained.output);
    REQUIRE(trained.code == 0);
    CHECK(lines_with(trained.output, "left").size() == 3);
    const auto summary = nlohmann::json::parse(std::ifstream(summary_path));
    CHECK(summary["task"] == "paws_train");
    CHECK(summary["epochs"] == 3);
    for (const auto* key : {"steps", "loss", "top1", "top5", "pictures_per_second", "seconds", "files"})
    {
        CHECK(summary.contains(key));
    }

    const auto checkpoint = (small.folder / "run/small-latest.h5").string();
    const auto evaluated = run("snn-eval --checkpoint " + checkpoint + " --temperature 0.2 --summary " + summary_path);
    CHECK(evaluated.code == 0);
    CHECK_THAT(evaluated.output, Catch::Contains("temperature 0.2"));
    CHECK(nlohmann::json::parse(std::ifstream(summary_path)).contains("top5"));

    const auto embeddings = (small.folder / "emb.h5").string();
    CHECK(run("embed --checkpoint " + checkpoint + " --split train --output " + embeddings).code == 0);
    const auto inspected = run("inspect " + embeddings);
    CHECK(inspected.code == 0);
    CHECK_THAT(inspected.output, Catch::Contains("paws-embeddings") && Catch::Contains("26"));
    CHECK_THAT(run("inspect " + checkpoint).output, Catch::Contains("paws-checkpoint"));

    const auto list = (small.folder / "two.txt").string();
    CHECK(run("subset --data " + small.data().string() + " --per-class 2 --seed 5 --output " + list).code == 0);
    CHECK(run("snn-eval --checkpoint " + checkpoint + " --subset " + list).code == 0);

    // A YAML file can ask for the evaluation as well, and for the embeddings.
    const auto by_yaml = run(config + " --sel snn_eval");
    INFO(by_yaml.output);
    CHECK(by_yaml.code == 0);
    CHECK(run(config + " --sel embed --set embed.outputs='[backbone]' --set embed.file=of_yaml.h5").code == 0);
    CHECK_THAT(run("inspect " + (small.folder / "run/of_yaml.h5").string()).output,
               Catch::Contains("backbone: 64 dimensions, float32\n"));
}

TEST_CASE("a checkpoint is evaluated and embedded by several ranks, and one speaks", "[cli]")
{
    const test::SmallRun small;
    const auto config = write(small.folder / "small.yaml", small.yaml("run"));
    REQUIRE(run(config + " --set optimization.epochs=1").code == 0);
    const auto checkpoint = " --checkpoint " + (small.folder / "run/small-latest.h5").string();
    const auto evaluated = run("snn-eval" + checkpoint, mpirun(2));
    INFO(evaluated.output);
    CHECK(evaluated.code == 0);
    CHECK(lines_with(evaluated.output, "top-1").size() == 1);
    const auto output = (small.folder / "emb.h5").string();
    const auto summary_path = (small.folder / "summary.json").string();
    const auto embedded = run("embed" + checkpoint + " --output " + output +
                                  " --outputs backbone,prediction --half --compression 4 --chunk-rows 5 "
                                  "--probabilities --summary " +
                                  summary_path,
                              mpirun(2));
    INFO(embedded.output);
    CHECK(embedded.code == 0);
    CHECK(lines_with(embedded.output, "12 images of 'val'").size() == 1);
    const auto summary = nlohmann::json::parse(std::ifstream(summary_path));
    CHECK(summary["outputs"] == nlohmann::json{"backbone", "prediction"});
    CHECK(summary["ranks"] == 2);
    CHECK(summary.contains("top1"));
    CHECK_THAT(run("inspect " + output).output,
               Catch::Contains("backbone: 64 dimensions, float16, in chunks of 5 rows, deflate 4\n") &&
                   Catch::Contains("probabilities: 3 classes") && Catch::Contains("whole"));

    // Bad input is refused by one voice too, and leaves the old file.
    const auto again = "embed" + checkpoint + " --output " + output;
    check_bad_input(again + " --split test", {"'test'"}, mpirun(2));
    check_bad_input(again + " --outputs backbon", {"embed.outputs", "did you mean backbone?"});
    check_bad_input(again + " --outputs backbone,backbone", {"embed.outputs", "twice"});
    check_bad_input(again + " --compression 10", {"embed.compression", "between 0 (none) and 9"});
    check_bad_input(again + " --compression much", {"--compression"});
    check_bad_input(again + " --chunk-rows -1", {"embed.chunk_rows"});
    check_bad_input(again + " --probabilities --subset /nowhere.txt", {"/nowhere.txt"});
    check_bad_input(again + " --probabilities --temperature 0", {"criterion.snn_temperature"});
    check_bad_input(again + " --data /nowhere.h5", {"/nowhere.h5"}, mpirun(2));
    check_bad_input("embed --checkpoint /nowhere.h5 --output " + output, {"/nowhere.h5"}, mpirun(2));
    check_bad_input("embed" + checkpoint + " --output /nowhere/emb.h5", {"/nowhere/emb.h5", "make it first"});
    CHECK(run("inspect " + output).code == 0);
}

TEST_CASE("CIFAR-10's files are packed", "[cli]")
{
    const test::Folder folder;
    const auto output = (folder / "cifar.h5").string();
    const auto packed = run("pack --format cifar10 --input " PAWS_TEST_DATA "/cifar-10-batches-py --output " + output);
    INFO(packed.output);
    REQUIRE(packed.code == 0);
    CHECK_THAT(packed.output, Catch::Contains("train: 300 images of 32×32"));
    CHECK_THAT(run("inspect " + output).output, Catch::Contains("paws-dataset"));
}

TEST_CASE("a dry run says what would be done and writes nothing", "[cli]")
{
    const test::SmallRun small;
    const auto config = write(small.folder / "small.yaml", small.yaml("run"));
    const auto result = run(config + " --dry-run --print-config --set optimization.epochs=7");
    INFO(result.output);
    CHECK(result.code == 0);
    for (const auto* part :
         {"epochs: 7", "parameters", "memory", "3 an epoch, 21 in 7 epochs", "supports        12",
          "images          read from ", "data.h5; per rank, 0.00 GiB in memory", "loader          per rank, "})
    {
        CHECK_THAT(result.output, Catch::Contains(part));
    }
    CHECK_FALSE(std::filesystem::exists(small.folder / "run"));
}

TEST_CASE("a dry run of a run for GPUs compares its memory with theirs", "[cli]")
{
    const test::SmallRun small;
    const auto on_cpu = run(write(small.folder / "small.yaml", small.yaml("run")) + " --dry-run");
    CHECK(lines_with(on_cpu.output, "GPU memory").empty());
    CHECK_THAT(on_cpu.output, Catch::Contains(" threads, cpu; fp32"));
    if (device::is_built_for_gpus())
    {
        return;
    }
    const std::string published = PAWS_SOURCE_DIR "/configs/paws/imgnt_train.yaml --dry-run";
    const auto fits = run(published);
    INFO(fits.output);
    CHECK(fits.code == 0);
    CHECK_THAT(fits.output, Catch::Contains("cannot run it, sizes are for fp16 on a GPU: meta.device: cuda:0, but "));
    const auto lines = lines_with(fits.output, "GPU memory      ");
    REQUIRE(lines.size() == 1);
    const auto large = run(published + " --set criterion.unsupervised_batch_size=4096 --set meta.precision=fp32");
    INFO(large.output);
    CHECK(large.code == 0);
    CHECK_THAT(large.output, Catch::Contains("GPU memory      does not fit a GPU of 80 GiB: lower "
                                             "criterion.unsupervised_batch_size (with more ranks, the batch of all "
                                             "stays), or meta.precision: fp16\n"));
}

TEST_CASE("suncet_train on the command line", "[cli]")
{
    const test::SmallRun small;
    const auto config = write(small.folder / "suncet.yaml", small.suncet_yaml("run"));
    const auto dry = run(config + " --dry-run");
    INFO(dry.output);
    CHECK(dry.code == 0);
    for (const auto* part : {"of each image 2 views of 16²\n", "in 2 of 3 epochs", "supports        6", "memory"})
    {
        CHECK_THAT(dry.output, Catch::Contains(part));
    }
    for (const auto* option : {"", " --dry-run"})
    {
        check_bad_input(config + " --set criterion.supervised_imgs_per_class=1" + option,
                        {"criterion.supervised_imgs_per_class", "data.label_smoothing"});
    }
    CHECK_FALSE(std::filesystem::exists(small.folder / "run"));
    const auto trained = run(config + " --stop-after 1ep");
    INFO(trained.output);
    CHECK(trained.code == 0);
    const auto lines = lines_with(trained.output, "left");
    REQUIRE(lines.size() == 1);
    CHECK_THAT(lines.front(), Catch::Contains("SuNCEt ") && Catch::Contains("SimCLR "));
    // On two ranks, the second image of a class may be the other rank's.
    const auto two =
        run(config + " --stop-after 1ep --set criterion.supervised_imgs_per_class=1 --set logging.folder=" +
                (small.folder / "two").string(),
            "OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 timeout 60 mpirun --oversubscribe -n 2");
    INFO(two.output);
    CHECK(two.code == 0);
    CHECK(lines_with(two.output, "left").size() == 1);
    CHECK(std::filesystem::exists(small.folder / "two/small_r1.csv"));
}

TEST_CASE("a dry run says that it would pack or copy, and does neither", "[cli]")
{
    const test::Folder folder;
    test::write_image_folder(folder / "pets", {"cat", "dog"}, 4);
    const auto data =
        fmt::format("dataset: folder, root_path: {}, image_folder: pets, unlabeled_frac: 0, copy_data: true",
                    (folder / "").string());
    const auto config = write(folder / "pets.yaml", test::photographs_yaml(data, folder / "run"));
    const auto before = run(config + " --dry-run");
    INFO(before.output);
    CHECK(before.code == 0);
    CHECK_THAT(before.output, Catch::Contains("the run begins by packing " + (folder / "pets").string() + " into " +
                                              (folder / "pets.h5").string()));
    CHECK_FALSE(std::filesystem::exists(folder / "pets.h5"));

    test::write_encoded(folder / "pets.h5", {"cat", "dog"}, {{"train", test::encoded_split({"cat", "dog"}, 4)}});
    const auto scratch = folder / "scratch";
    std::filesystem::create_directory(scratch);
    const auto after =
        run(config +
            " --dry-run --set data.workers=3 --set data.prefetch_batches=2 --set data.scratch=" + scratch.string());
    INFO(after.output);
    CHECK(after.code == 0);
    for (const auto& part : {"read from " + (folder / "pets.h5").string(), std::string("of JPEG and PNG files"),
                             std::string("per rank, 3 threads to decode and augment, 2 batches of "),
                             "copies the file to " + scratch.string() + " of each node first"})
    {
        CHECK_THAT(after.output, Catch::Contains(part));
    }
    CHECK(std::filesystem::is_empty(scratch));
}

TEST_CASE("every shipped configuration dry-runs", "[cli]")
{
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(PAWS_SOURCE_DIR "/configs"))
    {
        if (entry.path().extension() != ".yaml")
        {
            continue;
        }
        ++count;
        const auto result = run(entry.path().string() + " --dry-run");
        INFO(result.output);
        CHECK(result.code == 0);
        CHECK_THAT(result.output, !Catch::Contains("task: "));
        const auto name = entry.path().stem().string();
        const bool evaluates = name == "snn_eval" || name == "embed";
        CHECK_THAT(result.output, Catch::Contains(evaluates ? "checkpoint      " : "memory          "));
    }
    CHECK(count >= 12);
}

TEST_CASE("a dry run prints the configuration where it is asked for, behind the sizes", "[cli]")
{
    const test::SmallRun small;
    const auto config = write(small.folder / "small.yaml", small.yaml("run"));
    const auto result = run(config + " --dry-run --print-config");
    INFO(result.output);
    CHECK(result.code == 0);
    const auto sizes = result.output.find("memory          ");
    const auto yaml = result.output.find("\n\ntask: paws_train\n");
    REQUIRE(sizes != std::string::npos);
    REQUIRE(yaml != std::string::npos);
    CHECK(sizes < yaml);
    CHECK(config::parse(result.output.substr(yaml), "printed").to_yaml() == result.output.substr(yaml + 2));
    CHECK_FALSE(std::filesystem::exists(small.folder / "run"));
    check_bad_input(config + " --print-config", {"--print-config", "--dry-run"});
}

TEST_CASE("the end of an epoch names the corrupt images that were replaced", "[cli]")
{
    const test::Folder folder;
    auto split = test::encoded_split({"cat", "dog"}, 6);
    split.images[7] = test::truncated_image();
    test::write_encoded(folder / "pets.h5", {"cat", "dog"}, {{"train", split}});
    const auto data = fmt::format("dataset: folder, file: {}, unlabeled_frac: 0", (folder / "pets.h5").string());
    const auto config = write(folder / "pets.yaml", test::photographs_yaml(data, folder / "run"));
    check_bad_input(config, {"dog/dog_1.JPEG", "data.skip_broken: true"});
    const auto result = run(config + " --set data.skip_broken=true");
    INFO(result.output);
    CHECK(result.code == 0);
    const auto replaced = lines_with(result.output, "replaced (data.skip_broken): ");
    REQUIRE(replaced.size() == 1);
    CHECK_THAT(replaced[0], Catch::Contains("dog/dog_1.JPEG"));
}

TEST_CASE("bad input gets one line, exit code 2, and no file", "[cli]")
{
    const test::SmallRun small;
    const auto good = write(small.folder / "small.yaml", small.yaml("run"));
    const auto checkpoint = write(small.folder / "corrupt.h5", "no HDF5 at all");
    check_bad_input("", {"no configuration"});
    check_bad_input("--nonsense", {"--nonsense", "--help"});
    check_bad_input((small.folder / "missing.yaml").string(), {"missing.yaml"});
    check_bad_input(write(small.folder / "list.yaml", "- 1\n- 2\n"), {"list.yaml"});
    check_bad_input(good + " --set criterion.temprature=0.1", {"criterion.temprature", "criterion.temperature"});
    check_bad_input(good + " --set criterion.temperature=warm", {"criterion.temperature", "warm"});
    check_bad_input(good + " --set meta.model_name=resnet51", {"resnet51", "resnet50"});
    if (device::gpu_count() == 0)
    {
        check_bad_input(good + " --set meta.device=cuda:0", {"meta.device: cuda:0, but", "meta.device=cpu"});
    }
    check_bad_input(good + " --set meta.precision=fp16", {"meta.precision", "bf16"});
    check_bad_input(good + " --set data.file=/nowhere.h5", {"/nowhere.h5"});
    check_bad_input(good + " --set data.file=" + checkpoint, {"corrupt.h5"});
    check_bad_input(good + " --set criterion.supervised_imgs_per_class=99", {"class"});
    check_bad_input(good + " --set criterion.unsupervised_batch_size=999", {"26"});
    check_bad_input(good + " --set logging.folder=/proc/nowhere", {"/proc/nowhere"});
    check_bad_input(good + " --stop-after soon", {"--stop-after", "3ep"});
    check_bad_input(good + " --sel suncet_train", {"task"});
    check_bad_input(good + " --resume " + checkpoint, {"corrupt.h5"});
    check_bad_input("snn-eval --checkpoint " + checkpoint, {"corrupt.h5"});
    check_bad_input("inspect " + checkpoint, {"corrupt.h5"});
    check_bad_input("inspect " + small.subset().string(), {"labelled.txt"});
    check_bad_input("pack --format tar --input . --output x.h5", {"tar", "idx"});
    check_bad_input("pack --format idx --input /nowhere --output x.h5", {"/nowhere"});
    check_bad_input("pack --format cifar10 --input " + (small.folder / "").string() + " --output x.h5",
                    {"data_batch_1"});
    check_bad_input("subset --data " + small.data().string() + " --output x.txt", {"--per-class"});
    check_bad_input("subset --data " + small.data().string() + " --per-class 99 --output x.txt", {"99"});
    check_bad_input("views " + good, {"--output"});
    check_bad_input("views " + good + " --output " + (small.folder / "sheet.png").string() + " --images 0",
                    {"--images: 0", "1 to 100"});
    check_bad_input("views " + good + " --output /nowhere/sheet.png", {"/nowhere/sheet.png"});
    check_bad_input("demo " + good + " --images /nowhere --folder " + (small.folder / "demo").string(),
                    {"--images: /nowhere is not a folder"});
    CHECK_FALSE(std::filesystem::exists(small.folder / "demo"));
    CHECK_FALSE(std::filesystem::exists(small.folder / "run"));
}

TEST_CASE("a command that runs on one rank is refused on more by one voice", "[cli]")
{
    const test::SmallRun small;
    const auto good = write(small.folder / "small.yaml", small.yaml("run"));
    check_bad_input("views " + good + " --output " + (small.folder / "sheet.png").string(), {"views", "2 ranks"},
                    mpirun(2));
}

TEST_CASE("processes that a foreign launcher started are refused by one voice", "[cli]")
{
    const test::SmallRun small;
    const auto good = write(small.folder / "small.yaml", small.yaml("run"));
    check_bad_input(good, {"4 processes", "--mpi=pmix"}, "PMI_SIZE=4 PMI_RANK=0");
    const auto silent = run(good, "PMI_SIZE=4 PMI_RANK=1");
    CHECK(silent.code == 2);
    CHECK(silent.output.empty());
    CHECK_FALSE(std::filesystem::exists(small.folder / "run"));
}

TEST_CASE("help and version are printed once on many ranks", "[cli]")
{
    for (const auto* option : {"--version", "--help"})
    {
        const auto result = run(option, mpirun(2));
        INFO(result.output);
        CHECK(result.code == 0);
        CHECK(lines_with(result.output, option == std::string("--help") ? "Display program version" : "LibTorch ")
                  .size() == 1);
    }
}

TEST_CASE("a full disk is reported and the last checkpoint stays", "[cli]")
{
    const test::SmallRun small;
    const auto config =
        write(small.folder / "small.yaml", small.yaml("run")) + " --set meta.model_name=wide_resnet28w2";
    REQUIRE(run(config + " --stop-after 1ep").code == 0);
    const auto checkpoint = small.folder / "run/small-latest.h5";
    const auto before = std::filesystem::last_write_time(checkpoint);
    // A file-size limit is what a full disk looks like to the writer: 8 MB, which the checkpoint of 12 MB does not fit
    // into, while what MPI keeps in files does.
    const auto result = run(config, "sh -c 'ulimit -f 16384; trap \"\" XFSZ; exec \"$0\" \"$@\"'");
    INFO(result.output);
    CHECK(result.code != 0);
    CHECK(lines_with(result.output, "paws_hpc: ").size() == 1);
    CHECK(std::filesystem::last_write_time(checkpoint) == before);
    CHECK(run("inspect " + checkpoint.string()).code == 0);
}

// Data sets opened by all ranks together; run on one rank and on two.
#include "io/base/error.hpp"
#include "io/ranks/agreed.hpp"
#include "io/ranks/host_name.hpp"
#include "src/data/corrupt_report.hpp"
#include "src/data/dataset.hpp"
#include "src/data/packed_file.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/encoded_images.hpp"
#include "tests/support/world_folder.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <chrono>

using namespace paws;
using data::Splits;

namespace
{
namespace fs = std::filesystem;

using test::WorldFolder;

const std::vector<std::string> class_names{"cat", "dog"};

void write_packed(const fs::path& root)
{
    test::write_encoded(root / "pets.h5", class_names, {{"train", test::encoded_split(class_names, 8)}});
}

void write_folder(const fs::path& root)
{
    test::write_image_folder(root / "pets", class_names, 8);
}

config::Config from_file(const WorldFolder& folder, const std::vector<std::string>& overrides = {})
{
    return test::photographs_config(
        fmt::format("dataset: hdf5, file: {}, unlabeled_frac: 0", (folder / "pets.h5").string()), overrides);
}

config::Config from_folder(const WorldFolder& folder, const std::vector<std::string>& overrides = {})
{
    return test::photographs_config(
        fmt::format("dataset: folder, root_path: {}, image_folder: pets/, unlabeled_frac: 0", (folder / "").string()),
        overrides);
}

/// What load_dataset throws, which is the same on all ranks.
std::string common_error(const config::Config& config, const comm::World& world)
{
    std::string mine;
    try
    {
        data::load_dataset(config, Splits::train, world);
    }
    catch (const std::exception& error)
    {
        mine = error.what();
    }
    for (const auto& other : world.group().gather_texts(mine))
    {
        CHECK(other == mine);
    }
    return mine;
}
}  // namespace

TEST_CASE("with copy_data all ranks read one copy", "[load]")
{
    const WorldFolder folder(
        [](const fs::path& root)
        {
            write_packed(root);
            fs::create_directory(root / "scratch");
        });
    const auto config = from_file(folder, {"data.copy_data=true", "data.scratch=" + (folder / "scratch").string()});
    const auto dataset = data::load_dataset(config, Splits::train, folder.world());
    CHECK(dataset.source == (folder / "pets.h5").string());
    CHECK(fs::path(dataset.read_from).parent_path().parent_path() == folder / "scratch");
    REQUIRE(dataset.notes.size() == 1);
    CHECK_THAT(dataset.notes[0], Catch::Contains("read from " + dataset.read_from));
    // The image, whole, from the copy.
    const std::int64_t row = 9;
    const auto bytes = dataset.train.stored->read({&row, 1}).front();
    CHECK_NOTHROW(dataset.train.stored->require_whole(row, *bytes, dataset.train.names[9]));
}

TEST_CASE("where there can be no copy, the file is read where it is and a note says why", "[load]")
{
    const WorldFolder folder(write_packed);
    const auto config = from_file(folder, {"data.copy_data=true", "data.scratch=" + (folder / "nowhere").string()});
    const auto dataset = data::load_dataset(config, Splits::train, folder.world());
    CHECK(dataset.read_from == dataset.source);
    REQUIRE(dataset.notes.size() == 1);
    CHECK_THAT(dataset.notes[0], Catch::Contains("not copied") && Catch::Contains("nowhere"));
}

TEST_CASE("bad data are refused on all ranks with the same words", "[load]")
{
    const WorldFolder folder(
        [](const fs::path& root)
        {
            write_packed(root);
            std::ofstream(root / "list.txt") << "cat_99.JPEG\n";
            std::ofstream(root / "text.h5") << "no HDF5";
        });
    const auto& world = folder.world();
    CHECK_THAT(common_error(from_file(folder, {"data.file=" + (folder / "none.h5").string()}), world),
               Catch::Contains("none.h5"));
    CHECK_THAT(
        common_error(from_file(folder, {"data.copy_data=true", "data.file=" + (folder / "none.h5").string()}), world),
        Catch::Contains("none.h5"));
    CHECK_THAT(common_error(from_file(folder, {"data.file=" + (folder / "text.h5").string()}), world),
               Catch::Contains("text.h5"));
    CHECK_THAT(common_error(from_file(folder, {"data.subset=" + (folder / "list.txt").string()}), world),
               Catch::Contains("cat_99.JPEG"));
    CHECK_THAT(common_error(from_file(folder, {"data.train_split=test"}), world), Catch::Contains("no split 'test'"));
    CHECK_THAT(common_error(from_folder(folder, {"data.image_folder=none/"}), world), Catch::Contains("none.h5"));
    // Each rank sees another file, and one of them is none.
    const bool is_last = world.rank() == world.world_size() - 1;
    CHECK_THAT(
        common_error(from_file(folder, {"data.file=" + (folder / (is_last ? "text.h5" : "pets.h5")).string()}), world),
        Catch::Contains("text.h5") &&
            Catch::StartsWith(world.world_size() == 1
                                  ? (folder / "text.h5").string()
                                  : ranks::rank_on_host(world.world_size() - 1, ranks::host_name()) + ": "));
    CHECK_THAT(common_error(from_file(folder, {"data.file=" + (folder / "text.h5").string()}), world),
               Catch::StartsWith((folder / "text.h5").string()));
}

TEST_CASE("a class needs enough labels for all ranks", "[load]")
{
    const WorldFolder folder(write_packed);
    const auto& world = folder.world();
    const auto with = [&](int images)
    { return from_file(folder, {"criterion.supervised_imgs_per_class=" + std::to_string(images)}); };
    const auto enough = 8 / world.world_size();
    CHECK_NOTHROW(data::load_dataset(with(enough), Splits::train, world));
    const auto message = common_error(with(enough + 1), world);
    CHECK_THAT(message, Catch::Contains("'cat' has 8 labelled images"));
    if (world.world_size() > 1)
    {
        CHECK_THAT(message, Catch::Contains(fmt::format("{} on each of {} ranks", enough, world.world_size())));
    }
}

TEST_CASE("the ranks of a node share the memory for images", "[load]")
{
    const WorldFolder folder(write_packed);
    const auto dataset = data::load_dataset(from_file(folder), Splits::train, folder.world());
    const auto alone = ranks::resources_of_rank({});
    CHECK(static_cast<double>(dataset.train.node.memory_bytes) ==
          Approx(static_cast<double>(alone.memory_bytes) / folder.world().world_size()).epsilon(0.3));
}

TEST_CASE("a folder is packed on first use by all ranks, and its file used from then on", "[load]")
{
    const WorldFolder folder(write_folder);
    const auto config = from_folder(folder);
    const auto first = data::load_dataset(config, Splits::train_and_validation, folder.world());
    CHECK(first.source == (folder / "pets.h5").string());
    CHECK(first.train.count() == 16);
    CHECK(first.validation.count() == 2);
    CHECK(first.class_names == class_names);
    CHECK(first.train.names[8] == "dog/dog_0.JPEG");
    REQUIRE(first.notes.size() == 1);
    CHECK_THAT(first.notes[0], Catch::Contains("pets.h5 was packed: 18 images of 2 classes"));
    const auto time = fs::last_write_time(folder / "pets.h5");
    const auto second = data::load_dataset(config, Splits::train_and_validation, folder.world());
    CHECK(second.notes.empty());
    CHECK(fs::last_write_time(folder / "pets.h5") == time);
    CHECK(second.train.labels == first.train.labels);

    // Without its folder, the file does as well.
    folder.on_first([&] { fs::remove_all(folder / "pets"); });
    CHECK(data::load_dataset(config, Splits::train, folder.world()).notes.empty());
}

TEST_CASE("a packed file is used as it is, and a note says how its folder has changed", "[load]")
{
    const WorldFolder folder(write_folder);
    const auto config = from_folder(folder);
    data::load_dataset(config, Splits::train, folder.world());
    const auto notes = [&] { return data::load_dataset(config, Splits::train, folder.world()).notes; };
    folder.on_first(
        [&]
        {
            std::ofstream(folder / "pets/train/cat/new.jpg") << test::image_bytes(0);
            std::ofstream(folder / "pets/train/cat/.hidden") << "no image";
            fs::remove(folder / "pets/val/dog/dog_0.JPEG");
            // Times of change are of whole milliseconds on some file systems.
            fs::last_write_time(folder / "pets/train/cat", fs::file_time_type::clock::now() + std::chrono::seconds(1));
        });
    const auto changed = notes();
    REQUIRE(changed.size() == 1);
    CHECK_THAT(changed[0], Catch::Contains("pets.h5 is used as it is") &&
                               Catch::Contains("1 image was added (train/cat/new.jpg)") &&
                               Catch::Contains("1 image was removed (val/dog/dog_0.JPEG)") &&
                               Catch::Contains("remove the file"));
    folder.on_first(
        [&]
        {
            fs::remove(folder / "pets/train/cat/new.jpg");
            std::ofstream(folder / "pets/val/dog/dog_0.JPEG") << test::image_bytes(0);
        });
    CHECK(notes().empty());
}

TEST_CASE("a corrupt image refuses the folder, or is left out and named", "[load]")
{
    const WorldFolder folder(
        [](const fs::path& root)
        {
            write_folder(root);
            std::ofstream(root / "pets/train/dog/cut.jpg") << test::truncated_image();
        });
    CHECK_THAT(common_error(from_folder(folder), folder.world()),
               Catch::Contains("cut.jpg") && Catch::Contains("data.skip_broken"));
    CHECK_FALSE(fs::exists(folder / "pets.h5"));
    const auto config = from_folder(folder, {"data.skip_broken=true"});
    const auto dataset = data::load_dataset(config, Splits::train, folder.world());
    CHECK(dataset.train.count() == 16);
    REQUIRE(dataset.notes.size() == 2);
    CHECK_THAT(dataset.notes[1], Catch::Contains("train/dog/cut.jpg"));
    // What was left out is no change of the folder.
    folder.on_first(
        [&] {
            fs::last_write_time(folder / "pets/train/dog", fs::file_time_type::clock::now() + std::chrono::seconds(1));
        });
    CHECK(data::load_dataset(config, Splits::train, folder.world()).notes.empty());
}

TEST_CASE("an empty class folder is named", "[load]")
{
    const WorldFolder folder(
        [](const fs::path& root)
        {
            write_folder(root);
            fs::create_directory(root / "pets/train/unicorn");
        });
    CHECK_THAT(common_error(from_folder(folder), folder.world()), Catch::Contains("unicorn"));
}

TEST_CASE("where nothing can be written beside the folder, the file goes to data.scratch", "[load]")
{
    const WorldFolder folder(
        [](const fs::path& root)
        {
            write_folder(root);
            fs::create_directory(root / "scratch");
        });
    // The folder as it is seen through this process: nobody can write beside it, not even root.
    const int descriptor = ::open((folder / "pets").c_str(), O_RDONLY | O_DIRECTORY);
    REQUIRE(descriptor >= 0);
    const auto& world = folder.world();
    const auto seen = world.group().broadcast(fmt::format("/proc/{}/fd/{}", ::getpid(), descriptor));
    const auto config = [&](const std::vector<std::string>& more)
    {
        auto overrides = more;
        overrides.push_back("data.root_path=/");
        overrides.push_back("data.image_folder=" + seen);
        return from_folder(folder, overrides);
    };
    CHECK_THAT(common_error(config({}), world), Catch::Contains("cannot be written") &&
                                                    Catch::Contains("data.scratch") &&
                                                    Catch::Contains("paws_hpc pack --format imagefolder"));
    CHECK_THAT(common_error(config({"data.scratch=/proc"}), world), Catch::Contains("nor anything in data.scratch"));
    const auto with_scratch = config({"data.scratch=" + (folder / "scratch").string()});
    const auto first = data::load_dataset(with_scratch, Splits::train, world);
    CHECK(fs::path(first.source).parent_path() == folder / "scratch");
    CHECK(first.train.count() == 16);
    const auto second = data::load_dataset(with_scratch, Splits::train, world);
    CHECK(second.source == first.source);
    CHECK(second.notes.empty());
    world.communicator->barrier();
    ::close(descriptor);
}

TEST_CASE("the place of a packed file", "[load]")
{
    const test::Folder folder;
    test::write_image_folder(folder / "pets", {"a"}, 1);
    const auto place = [&](const std::vector<std::string>& overrides)
    {
        std::vector<std::string> all{"data.root_path=" + (folder / "").string()};
        all.insert(all.end(), overrides.begin(), overrides.end());
        return data::packed_place(
            test::photographs_config("dataset: folder, image_folder: pets/, unlabeled_frac: 0", all).data);
    };
    CHECK(place({}).file == folder / "pets.h5");
    CHECK(place({}).folder == folder / "pets");
    CHECK_FALSE(place({}).exists);
    CHECK(place({"data.image_folder=../" + (folder / "").parent_path().filename().string() + "/./pets"}).file ==
          folder / "pets.h5");
    CHECK(place({"data.file=/some/where.h5"}).file == "/some/where.h5");
    CHECK(place({"data.file=/some/where.h5"}).folder.empty());
    std::ofstream(folder / "pets.h5") << "x";
    CHECK(place({}).exists);
}

TEST_CASE("the end of an epoch names what was replaced on any rank, each image once", "[load]")
{
    const auto world = test::world_of_all();
    auto& communicator = *world.communicator;
    CHECK(data::corrupt_report({}, communicator).empty());
    const auto few =
        data::corrupt_report({"a.jpg: cut off", fmt::format("b{}.jpg: no image", world.rank())}, communicator);
    REQUIRE(few.size() == static_cast<std::size_t>(1 + world.world_size()));
    CHECK(few[0] == "replaced (data.skip_broken): a.jpg: cut off");
    CHECK(few[1] == "replaced (data.skip_broken): b0.jpg: no image");
    std::set<std::string> many;
    for (int n = 0; n < 25; ++n)
    {
        many.insert(fmt::format("{:02}.jpg", n));
    }
    const auto report = data::corrupt_report(many, communicator);
    REQUIRE(report.size() == 11);
    CHECK_THAT(report.back(), Catch::Contains("15 more"));
}

#include "src/checkpoint/checkpoint_writer.hpp"

#include "io/base/error.hpp"
#include "tests/io/files.hpp"
#include "tests/io/full_disk.hpp"

using namespace paws;
using checkpoint::CheckpointJob;
using checkpoint::CheckpointWriter;

namespace
{
io::Checkpoint numbered(std::int64_t number, std::size_t values = 16)
{
    io::Checkpoint checkpoint;
    io::Array array{io::ElementType::float32, {values}, {}};
    array.bytes.assign(values * 4, std::byte{static_cast<unsigned char>(number)});
    checkpoint.encoder.emplace_back("weight", array);
    checkpoint.progress.epoch = number;
    checkpoint.config = "task: paws_train\n";
    return checkpoint;
}

std::int64_t number_at(const std::filesystem::path& path)
{
    return io::read_checkpoint(path).progress.epoch;
}
}  // namespace

TEST_CASE("older checkpoints move on, and further names get the same", "[train][checkpoint_writer]")
{
    const test::TemporaryFolder folder;
    const auto latest = folder / "latest.h5";
    CheckpointWriter writer;
    for (std::int64_t number = 1; number <= 4; ++number)
    {
        writer.submit(
            {numbered(number),
             latest,
             {folder / "latest-1.h5", folder / "latest-2.h5"},
             number == 2 ? std::vector{folder / "best.h5", folder / "ep2.h5"} : std::vector<std::filesystem::path>{}});
    }
    writer.wait();
    CHECK_FALSE(writer.is_busy());
    CHECK_FALSE(writer.take_problem());
    CHECK(number_at(latest) == 4);
    CHECK(number_at(folder / "latest-1.h5") == 3);
    CHECK(number_at(folder / "latest-2.h5") == 2);
    CHECK(number_at(folder / "best.h5") == 2);
    CHECK(number_at(folder / "ep2.h5") == 2);
    CHECK(folder.entries() == 5);
    CHECK(writer.slowest_seconds() > 0);
    CHECK(writer.recycled().encoder.size() == 1);
}

TEST_CASE("a checkpoint that cannot be written is reported and leaves the ones before", "[train][checkpoint_writer]")
{
    const test::TemporaryFolder folder;
    const auto latest = folder / "latest.h5";
    CheckpointWriter writer;
    writer.submit({numbered(1), latest, {folder / "latest-1.h5"}, {}});
    writer.wait();
    {
        const test::FullDisk full(20'000);
        writer.submit({numbered(2, 100'000), latest, {folder / "latest-1.h5"}, {}});
        writer.wait();
    }
    CHECK(writer.last_failed());
    const auto problem = writer.take_problem();
    REQUIRE(problem);
    CHECK_THAT(*problem, Catch::Contains("latest-next.h5") && Catch::Contains("free some space"));
    CHECK_FALSE(writer.take_problem());
    CHECK(number_at(latest) == 1);
    CHECK(folder.entries() == 1);

    writer.submit({numbered(3), latest, {folder / "latest-1.h5"}, {}});
    writer.wait();
    CHECK_FALSE(writer.last_failed());
    CHECK(number_at(latest) == 3);
    CHECK(number_at(folder / "latest-1.h5") == 1);

    writer.submit({numbered(4), folder / "missing/latest.h5", {}, {}});
    writer.wait();
    CHECK(writer.take_problem());
}

TEST_CASE("what is still being written is finished before the writer goes", "[train][checkpoint_writer]")
{
    const test::TemporaryFolder folder;
    {
        CheckpointWriter writer;
        writer.submit({numbered(7, 1'000'000), folder / "latest.h5", {}, {}});
    }
    CHECK(number_at(folder / "latest.h5") == 7);
}

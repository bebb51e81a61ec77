#include "io/dataset/dataset_file.hpp"
#include "io/dataset/encoded_file_writer.hpp"
#include "io/files/seal.hpp"
#include "tests/io/full_disk.hpp"
#include "tests/io/ranks.hpp"

using namespace paws::test;
using namespace paws::io;
namespace fs = std::filesystem;

namespace
{
using Bytes = std::vector<std::uint8_t>;

/// Three images of 300 kB in train and one in val; what they hold does not matter here.
constexpr std::uint64_t image_bytes = 300'000;

std::vector<EncodedFileWriter::Split> splits()
{
    return {{"train",
             3 * image_bytes,
             {0, 0, 1},
             {"a/1", "a/2", "b/1"},
             {0, image_bytes, 2 * image_bytes, 3 * image_bytes},
             {"a/0: it is empty"}},
            {"val", image_bytes, {1}, {"b/2"}, {0, image_bytes}, {}}};
}

std::vector<EncodedFileWriter::Result> results()
{
    return {{{1, 2, 3}, {4, 5, 6, 7, 8, 9}}, {{10}, {11, 12}}};
}

/// Every rank has a part of each split, from the front on.
void write_all(EncodedFileWriter& writer)
{
    const auto rank = static_cast<std::uint64_t>(my_rank());
    const auto ranks = static_cast<std::uint64_t>(all_ranks());
    for (std::size_t split = 0; split < 2; ++split)
    {
        const std::uint64_t bytes = splits()[split].bytes;
        const std::uint64_t first = bytes * rank / ranks;
        const Bytes mine(bytes * (rank + 1) / ranks - first, static_cast<std::uint8_t>('a' + split));
        writer.write(split, first, mine);
        writer.write(split, 0, {});
    }
}

class OutputFolder : public SharedFolder
{
public:
    OutputFolder() : SharedFolder([](const fs::path&) {}) {}
    fs::path file() const { return path() / "data.h5"; }
    bool is_empty() const { return fs::is_empty(path()); }
};
}  // namespace

TEST_CASE("encoded images are written by all ranks", "[io][pack_folder]")
{
    const OutputFolder folder;
    const paws::ranks::Group ranks(MPI_COMM_WORLD);
    {
        EncodedFileWriter writer(folder.file(), {"a", "b"}, splits(), ranks);
        write_all(writer);
        CHECK_FALSE(fs::exists(folder.file()));
        writer.finish(my_rank() == 0 ? results() : std::vector<EncodedFileWriter::Result>());
    }
    CHECK(verify_seal(folder.file()));
    const DatasetFile file(folder.file());
    CHECK(file.names("train") == std::vector<std::string>{"a/1", "a/2", "b/1"});
    CHECK(file.checksums("train") == std::vector<std::uint32_t>{1, 2, 3});
    CHECK(file.sizes("val") == std::vector<std::uint32_t>{11, 12});
    CHECK(file.skipped("train") == std::vector<std::string>{"a/0: it is empty"});
    Bytes bytes(3 * image_bytes);
    file.read_encoded("train", 0, bytes.size(), bytes);
    CHECK((bytes == Bytes(bytes.size(), 'a')));
}

TEST_CASE("all ranks write a file of the longest name, where a link leads", "[io][pack_folder]")
{
    const OutputFolder folder;
    const fs::path file = folder.path() / (std::string(252, 'n') + ".h5");
    const fs::path link = folder.path() / (std::string(252, 'l') + ".h5");
    if (my_rank() == 0)
    {
        fs::create_symlink(file.filename(), link);
    }
    {
        EncodedFileWriter writer(link, {"a", "b"}, splits(), paws::ranks::Group(MPI_COMM_WORLD));
        write_all(writer);
        writer.finish(my_rank() == 0 ? results() : std::vector<EncodedFileWriter::Result>());
    }
    CHECK(fs::is_symlink(link));
    CHECK(verify_seal(file));
    CHECK(std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator()) == 2);
}

TEST_CASE("a writer that is given up leaves nothing", "[io][pack_folder]")
{
    const OutputFolder folder;
    {
        EncodedFileWriter writer(folder.file(), {"a", "b"}, splits(), paws::ranks::Group(MPI_COMM_WORLD));
        write_all(writer);
        CHECK_FALSE(folder.is_empty());
        MPI_Barrier(MPI_COMM_WORLD);
    }
    MPI_Barrier(MPI_COMM_WORLD);
    CHECK(folder.is_empty());
}

TEST_CASE("a disk that fills up while all ranks write", "[io][pack_folder]")
{
    // Where the file system took the space before, that cannot be; here files may not grow beyond a limit, of which
    // the system tells those that write. Some MPI libraries do not hand it on.
    const OutputFolder folder;
    for (const bool last_rank_only : {false, true})
    {
        const paws::ranks::Group ranks(MPI_COMM_WORLD);
        const auto pack = [&]
        {
            EncodedFileWriter writer(folder.file(), {"a", "b"}, splits(), ranks);
            std::optional<FullDisk> full;
            if (!last_rank_only || my_rank() == all_ranks() - 1)
            {
                full.emplace(100'000);
            }
            write_all(writer);
            full.reset();
            writer.finish(my_rank() == 0 ? results() : std::vector<EncodedFileWriter::Result>());
        };
        // The last rank writes beyond the limit, unless MPI has another rank do it.
        std::string message;
        try
        {
            pack();
        }
        catch (const paws::ranks::BadInput& error)
        {
            message = error.what();
        }
        INFO(message);
        CHECK(message == of_rank_0(message));
        if (message.empty())
        {
            CHECK(last_rank_only);
            CHECK(verify_seal(folder.file()));
        }
        else
        {
            CHECK_THAT(message, Catch::StartsWith(folder.file().string() + ": cannot be written (") &&
                                    Catch::Contains("free some space"));
            MPI_Barrier(MPI_COMM_WORLD);
            CHECK(folder.is_empty());
        }
        MPI_Barrier(MPI_COMM_WORLD);
    }
}

TEST_CASE("a disk without space for the whole file is refused with both sizes", "[io]")
{
    // No disk has so much.
    const OutputFolder folder;
    auto huge = splits();
    huge[0].bytes = std::uint64_t{1} << 55;
    check_refused(
        [&] {
            EncodedFileWriter(folder.file(), {"a", "b"}, huge, paws::ranks::Group(MPI_COMM_SELF));
        },
        {"data.h5: will have 36028.8 TB", "free"});
    CHECK(folder.is_empty());
}

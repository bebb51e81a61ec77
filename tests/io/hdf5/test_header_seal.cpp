#include <sys/stat.h>

#include "io/checkpoint/checkpoint_file.hpp"
#include "io/dataset/dataset_file.hpp"
#include "io/dataset/encoded_file_writer.hpp"
#include "io/files/checksum.hpp"
#include "io/files/seal.hpp"
#include "io/hdf5/header_seal.hpp"
#include "io/hdf5/heap_check.hpp"
#include "io/results/embeddings_file.hpp"
#include "io/results/inspect.hpp"
#include "tests/io/embeddings_samples.hpp"
#include "tests/io/files.hpp"

using namespace paws::test;
using namespace paws::io;
namespace fs = std::filesystem;

namespace
{
fs::path write_encoded(const fs::path& path)
{
    const std::vector<std::uint8_t> bytes = {1, 2, 3, 4, 5, 6, 7};
    EncodedFileWriter writer(path, {"cat", "grün"}, {{"train", 7, {0, 1}, {"a", "b"}, {0, 3, 7}, {"c: is empty"}}},
                             paws::ranks::Group(MPI_COMM_SELF));
    writer.write(0, 0, bytes);
    const auto all = std::as_bytes(std::span(bytes));
    writer.finish({{{crc32(all.first(3)), crc32(all.subspan(3))}, {1, 1, 1, 1}}});
    return path;
}

/// Everything that a reader takes from a data set, as text.
std::string all_of_dataset(const fs::path& path)
{
    const DatasetFile file(path);
    // The name of the program that made a file is in it without a checksum, unless its seal has one.
    const auto described = describe(path);
    std::string all = described.substr(described.find('\n'));
    for (const auto& name : file.class_names())
    {
        all += name + "\n";
    }
    for (const auto& split : file.split_names())
    {
        std::vector<std::uint8_t> bytes(file.offsets(split).back());
        file.read_encoded(split, 0, bytes.size(), bytes);
        all += std::string(bytes.begin(), bytes.end());
        for (const auto& name : file.names(split))
        {
            all += name + "\n";
        }
        for (const auto label : file.labels(split))
        {
            all += std::to_string(label);
        }
    }
    return all;
}

std::string all_of_embeddings(const fs::path& path)
{
    const EmbeddingsFile file(path);
    std::string all = describe(path);
    for (const auto& output : file.outputs())
    {
        for (const float value : file.rows(output, 0, file.count()))
        {
            all += std::to_string(value) + " ";
        }
    }
    for (const auto& name : file.source().names)
    {
        all += name;
    }
    return all + file.source().checkpoint + file.source().config;
}

std::string all_of_checkpoint(const fs::path& path)
{
    const Checkpoint checkpoint = read_checkpoint(path);
    std::string all = describe(path) + checkpoint.config;
    for (const auto& [name, array] : checkpoint.encoder)
    {
        all += name + std::string(reinterpret_cast<const char*>(array.bytes.data()), array.bytes.size());
    }
    return all;
}

/// Changes bytes of a file, one at a time, and reads each. It must be refused by name, or read as it was. How many
/// were refused. `bytes`: of the whole file; `places`: which are changed.
int change_bytes(const std::string& bytes, const std::vector<std::size_t>& places, const fs::path& scratch,
                 const std::function<std::string(const fs::path&)>& read)
{
    write_file(scratch, bytes);
    const std::string whole = read(scratch);
    int refused = 0;
    for (std::size_t i = 0; i < places.size(); ++i)
    {
        const std::size_t place = places[i];
        std::string changed = bytes;
        constexpr unsigned char changes[] = {0xff, 0x01, 0x80};
        changed[place] = static_cast<char>(static_cast<unsigned char>(changed[place]) ^ changes[i % 3]);
        write_file(scratch, changed);
        try
        {
            const bool same = read(scratch) == whole;
            INFO("byte " << place);
            CHECK(same);
        }
        catch (const Error& error)
        {
            ++refused;
            INFO("byte " << place << ": " << error.what());
            CHECK(std::string(error.what()).starts_with(scratch.string()));
            CHECK(std::string(error.what()).find('\n') == std::string::npos);
        }
    }
    return refused;
}

/// So many places, spread over the bytes [begin, end).
std::vector<std::size_t> spread(std::size_t count, std::size_t begin, std::size_t end)
{
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < count; ++i)
    {
        places.push_back(begin + (end - begin) * i / count);
    }
    return places;
}
}  // namespace

TEST_CASE("a header seal vouches for all but the elements", "[io][header_seal]")
{
    const TemporaryFolder folder;
    const std::string bytes(3'000'000, 'x');
    // Adjacent, empty and unsorted ones.
    const std::string header = make_header_seal(bytes, {{2'000'000, 500'000}, {10, 0}, {100, 50}, {150, 50}});
    const auto path = write_file(folder / "file", bytes);
    CHECK(header_seal_of_file(path, {{100, 100}, {2'000'000, 500'000}}) == header);
    CHECK(header.size() == 2 * 16 + 32);
    const std::string sealed = bytes + header + make_seal(bytes + header);
    CHECK(verify_header(write_file(path, sealed)));
    CHECK(verify_seal(path));
    const auto with = [&](std::size_t place)
    {
        std::string changed = sealed;
        changed[place] ^= 1;
        return write_file(path, changed);
    };
    for (const std::size_t place : {100UL, 199UL, 2'000'000UL, 2'499'999UL})
    {
        CHECK(verify_header(with(place)));
    }
    for (const std::size_t place : {0UL, 99UL, 200UL, 1'999'999UL, 2'500'000UL, 2'999'999UL})
    {
        check_refused([&] { verify_header(with(place)); }, {"file", "checksum at its end"});
    }
    // The seal itself, but for its mark, without which there is none.
    for (std::size_t place = 3'000'000; place < 3'000'000 + header.size() - 8; ++place)
    {
        check_refused([&] { verify_header(with(place)); }, {"file", "checksum at its end"});
    }
    CHECK_FALSE(verify_header(with(3'000'000 + header.size() - 1)));
    CHECK_FALSE(verify_header(write_file(path, bytes)));
    CHECK_FALSE(verify_header(write_file(path, "")));
    CHECK_FALSE(verify_header(folder / "none"));
    CHECK_FALSE(verify_header(folder.path()));
}

TEST_CASE("a packed file is refused or read as it was, whatever byte is changed", "[io][header_seal]")
{
    const TemporaryFolder folder;
    const std::string bytes = contents(write_encoded(folder / "data.h5"));
    CHECK(bytes.find("GCOL") == std::string::npos);
    CHECK(verify_header(folder / "data.h5"));
    CHECK(change_bytes(bytes, spread(300, 0, bytes.size()), folder / "changed.h5", all_of_dataset) > 290);
    // Without its seals, as another program leaves it.
    const std::string bare = bytes.substr(0, bytes.size() - 24);
    CHECK(change_bytes(bare, spread(100, 0, bare.size()), folder / "changed.h5", all_of_dataset) > 30);
}

TEST_CASE("the readers of data sets look at the header alone", "[io][header_seal]")
{
    const TemporaryFolder folder;
    std::string bytes = contents(write_encoded(folder / "data.h5"));
    bytes[bytes.find(std::string{1, 2, 3, 4, 5, 6, 7}) + 5] = 0;
    write_file(folder / "data.h5", bytes);
    std::vector<std::uint8_t> out(7);
    DatasetFile(folder / "data.h5").read_encoded("train", 0, 7, out);
    CHECK(out == std::vector<std::uint8_t>{1, 2, 3, 4, 5, 0, 7});
    check_refused([&] { describe(folder / "data.h5"); }, {"data.h5", "checksum at its end"});
}

TEST_CASE("embeddings are refused or read as they were, whatever byte is changed", "[io][header_seal]")
{
    const TemporaryFolder folder;
    for (const int compression : {0, 4})
    {
        const EmbeddingsLayout layout{{{"backbone", 3}}, 2, false, compression, 0};
        write_made_up(folder / "emb.h5", 5, layout, MPI_COMM_SELF);
        CHECK(verify_header(folder / "emb.h5"));
        const std::string bytes = contents(folder / "emb.h5");
        CHECK(change_bytes(bytes, spread(130, 0, bytes.size()), folder / "changed.h5", all_of_embeddings) > 120);
        const std::string bare = bytes.substr(0, bytes.size() - 24);
        CHECK(change_bytes(bare, spread(50, 0, bare.size()), folder / "changed.h5", all_of_embeddings) > 10);
    }
}

TEST_CASE("a checkpoint is refused or read as it was, whatever byte is changed", "[io][header_seal]")
{
    const TemporaryFolder folder;
    Checkpoint checkpoint;
    checkpoint.encoder = {{"a.weight", {ElementType::float32, {2, 3}, std::vector<std::byte>(24, std::byte{65})}}};
    checkpoint.momentum = checkpoint.encoder;
    checkpoint.progress.texts = {{"note", "four"}};
    checkpoint.config = "a: 1\n";
    write_checkpoint(folder / "ckpt.h5", checkpoint);
    CHECK(verify_header(folder / "ckpt.h5"));
    const std::string bytes = contents(folder / "ckpt.h5");
    CHECK(change_bytes(bytes, spread(270, 0, bytes.size()), folder / "changed.h5", all_of_checkpoint) > 260);
}

TEST_CASE("a packed file from before header seals is still read", "[io][header_seal]")
{
    const auto path = data_path("packed_without_header_seal.h5");
    CHECK_FALSE(verify_header(path));
    const DatasetFile file(path);
    CHECK(file.class_names() == std::vector<std::string>{"a", "b"});
    CHECK(file.labels("train") == std::vector<std::int64_t>{0, 1, 1});
    CHECK(file.names("val") == std::vector<std::string>{"a/4.jpg"});
    CHECK_THAT(describe(path), Catch::Contains("made by paws_hpc 0.1.0") && Catch::Contains("whole: all checksums"));
    const TemporaryFolder folder;
    const std::string bytes = contents(path);
    CHECK(change_bytes(bytes, spread(260, 0, bytes.size()), folder / "changed.h5", all_of_dataset) > 250);
}

TEST_CASE("the heap of a file without any seal is checked before HDF5 follows it", "[io][header_seal]")
{
    const TemporaryFolder folder;
    const std::string sealed = contents(data_path("packed_without_header_seal.h5"));
    const std::string bare = sealed.substr(0, sealed.size() - 24);
    const std::size_t heap = bare.find("GCOL");
    REQUIRE(heap != std::string::npos);
    // Its header, two texts, and the free space behind them.
    CHECK(change_bytes(bare, spread(120, heap, heap + 120), folder / "changed.h5", all_of_dataset) > 20);
    const auto with = [&](std::size_t place, char value)
    {
        std::string changed = bare;
        changed[heap + place] = value;
        return write_file(folder / "changed.h5", changed);
    };
    CHECK_NOTHROW(require_sound_heap(write_file(folder / "changed.h5", bare)));
    for (const auto& [place, value] : {std::pair<std::size_t, char>{56, '\xff'}, {26, '\1'}, {24, '\xf0'}, {10, '\1'}})
    {
        INFO("byte " << place << " of the heap");
        check_refused([&] { require_sound_heap(with(place, value)); },
                      {"changed.h5", "cut off or damaged", "global heap"});
    }
    CHECK_NOTHROW(require_sound_heap(folder / "none"));
    CHECK_NOTHROW(require_sound_heap(write_file(folder / "text", "GCOL")));
}

TEST_CASE("a pipe is refused instead of being waited for", "[io][header_seal]")
{
    const TemporaryFolder folder;
    REQUIRE(mkfifo((folder / "pipe").c_str(), 0600) == 0);
    check_refused([&] { h5::File::open(folder / "pipe"); }, {"pipe", "is a FIFO"});
    check_refused([&] { DatasetFile{folder / "pipe"}; }, {"pipe", "is a FIFO"});
    check_refused([&] { verify_seal(folder / "pipe"); }, {"pipe", "is a FIFO"});
    CHECK_FALSE(verify_header(folder / "pipe"));
}

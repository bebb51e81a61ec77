#include "io/files/seal.hpp"
#include "io/results/embeddings_file.hpp"
#include "io/results/embeddings_writer.hpp"
#include "tests/io/embeddings_samples.hpp"
#include "tests/io/full_disk.hpp"
#include "tests/io/ranks.hpp"

using namespace paws::test;
using namespace paws::io;
namespace fs = std::filesystem;

namespace
{
constexpr std::size_t images = 997;

/// The layouts that there are: in one piece, in chunks, compressed, each in single and half precision.
std::vector<EmbeddingsLayout> layouts()
{
    std::vector<EmbeddingsLayout> all;
    for (const bool half : {false, true})
    {
        all.push_back({{{"backbone", 40}, {"prediction", 7}}, 0, half, 0, 0});
        all.push_back({{{"prediction", 7}}, 5, half, 0, 0});
        all.push_back({{{"projection", 40}}, 0, half, 0, 64});
        all.push_back({{{"backbone", 40}, {"prediction", 7}}, 5, half, 4, 0});
        all.push_back({{{"backbone", 40}}, 5, half, 9, 10});
    }
    return all;
}

void check_made_up(const fs::path& path, const EmbeddingsLayout& layout)
{
    const EmbeddingsFile file(path);
    const auto source = made_up_source(images);
    CHECK(file.source().labels == source.labels);
    CHECK(file.source().index == source.index);
    CHECK(file.source().names == source.names);
    CHECK(file.source().checkpoint == "run-latest.h5");
    CHECK(file.source().epoch == 12);
    CHECK(file.source().checkpoint_config == "b: 2\n");
    CHECK(file.source().split == "val");
    CHECK(file.source().config == "a: 1\n");
    CHECK(file.source().temperature == 0.1);
    CHECK(file.has_probabilities() == (layout.classes > 0));
    const MadeUpRows all(layout, 0, images);
    REQUIRE(file.outputs().size() == layout.outputs.size());
    for (std::size_t i = 0; i < layout.outputs.size(); ++i)
    {
        CHECK(file.outputs()[i] == layout.outputs[i].name);
        CHECK(file.reals(file.outputs()[i]).element_size() == (layout.half ? 2 : 4));
        CHECK(file.reals(file.outputs()[i]).compression() == layout.compression);
        CHECK((file.rows(file.outputs()[i], 0, images) == all.floats[i]));
    }
    CHECK((file.rows("embeddings", 0, images) == all.floats[0]));
    if (layout.classes > 0)
    {
        CHECK((file.rows("probabilities", 0, images) == all.floats.back()));
        CHECK(file.predicted() == all.predicted);
    }
}

class OutputFolder : public SharedFolder
{
public:
    OutputFolder() : SharedFolder([](const fs::path&) {}) {}
    bool is_empty() const { return fs::is_empty(path()); }
};
}  // namespace

TEST_CASE("embeddings of all ranks are read as they were written", "[io][embeddings]")
{
    const OutputFolder folder;
    for (const EmbeddingsLayout& layout : layouts())
    {
        INFO("half " << layout.half << ", deflate " << layout.compression << ", chunks of " << layout.chunk_rows);
        write_made_up(folder / "all.h5", images, layout, MPI_COMM_WORLD);
        check_made_up(folder / "all.h5", layout);
        CHECK(verify_seal(folder / "all.h5"));
        MPI_Barrier(MPI_COMM_WORLD);
    }
}

TEST_CASE("without chunks, the file of many ranks is that of one, byte for byte", "[io][embeddings]")
{
    const OutputFolder folder;
    const auto layout = layouts().front();
    write_made_up(folder / "all.h5", images, layout, MPI_COMM_WORLD);
    if (my_rank() == 0)
    {
        write_made_up(folder / "one.h5", images, layout, MPI_COMM_SELF);
        CHECK((contents(folder / "one.h5") == contents(folder / "all.h5")));
    }
}

TEST_CASE("compression makes a file of embeddings smaller", "[io][embeddings]")
{
    const OutputFolder folder;
    const auto size = [&](int compression)
    {
        write_made_up(folder / "file.h5", images, {{{"backbone", 256}}, 0, false, compression, 0}, MPI_COMM_WORLD);
        const auto bytes = fs::file_size(folder / "file.h5");
        MPI_Barrier(MPI_COMM_WORLD);
        return bytes;
    };
    CHECK(size(4) < size(0) / 4);
}

TEST_CASE("a rank for which there are no chunks gives none", "[io][embeddings]")
{
    const OutputFolder folder;
    const EmbeddingsLayout layout{{{"backbone", 3}}, 2, false, 1, 1'000'000};
    write_made_up(folder / "all.h5", images, layout, MPI_COMM_WORLD);
    check_made_up(folder / "all.h5", layout);
}

TEST_CASE("embeddings that do not fit together are refused before anything is written", "[io][embeddings]")
{
    const OutputFolder folder;
    const paws::ranks::Group ranks(MPI_COMM_WORLD);
    const EmbeddingsLayout layout{{{"backbone", 2}}, 0, false, 0, 0};
    auto source = made_up_source(3);
    source.names.pop_back();
    check_refused([&] { EmbeddingsWriter(folder / "file.h5", source, layout, ranks); },
                  {"file.h5", "3 labels, 3 positions and 2 names"});
    check_refused([&] { EmbeddingsWriter(folder / "file.h5", {}, layout, ranks); }, {"no images"});
    check_refused(
        [&] {
            EmbeddingsWriter(folder / "file.h5", made_up_source(50'000), {{{"backbone", 30'000}}, 0, false, 0, 40'000},
                             ranks);
        },
        {"chunks of 40000 rows", "4 GiB", "--chunk-rows"});
    CHECK(folder.is_empty());
}

TEST_CASE("blocks of embeddings that are not those of the rank are refused, and leave no file", "[io][embeddings]")
{
    const OutputFolder folder;
    const EmbeddingsLayout layout{{{"backbone", 2}}, 3, false, 0, 0};
    const auto refused = [&](const std::function<void(EmbeddingsWriter&)>& wrong, const std::string& part)
    {
        {
            EmbeddingsWriter writer(folder / "file.h5", made_up_source(12), layout, paws::ranks::Group(MPI_COMM_WORLD));
            check_refused([&] { wrong(writer); }, {part});
        }
        MPI_Barrier(MPI_COMM_WORLD);
        CHECK(folder.is_empty());
        MPI_Barrier(MPI_COMM_WORLD);
    };
    const bool last = my_rank() == all_ranks() - 1;
    const MadeUpRows one(layout, 0, 1);
    const MadeUpRows many(layout, 0, 13);
    const MadeUpRows none(layout, 0, 0);
    refused([&](EmbeddingsWriter& writer) { writer.write(last ? many.block : one.block); }, "13 rows does not fit");
    refused(
        [&](EmbeddingsWriter& writer)
        {
            auto block = one.block;
            if (last)
            {
                block.reals[0] = block.reals[0].first(4);
            }
            writer.write(block);
        },
        "backbone: 4 bytes given for 1 rows");
    refused(
        [&](EmbeddingsWriter& writer)
        {
            auto block = one.block;
            block.predicted = {};
            writer.write(block);
        },
        "does not fit");
    refused(
        [&](EmbeddingsWriter& writer)
        {
            writer.write(last ? none.block : one.block);
            writer.finish();
        },
        "rows were given");
}

TEST_CASE("a disk that fills up while all ranks write embeddings", "[io][embeddings]")
{
    const OutputFolder folder;
    for (const int compression : {0, 1})
    {
        const EmbeddingsLayout layout{{{"backbone", 500}}, 0, false, compression, 10};
        std::string message;
        try
        {
            EmbeddingsWriter writer(folder / "file.h5", made_up_source(images), layout,
                                    paws::ranks::Group(MPI_COMM_WORLD));
            std::optional<FullDisk> full;
            if (my_rank() == all_ranks() - 1)
            {
                full.emplace(compression == 0 ? 100'000 : 40'000);
            }
            write_made_up(writer, layout, MPI_COMM_WORLD);
            full.reset();
            writer.finish();
        }
        catch (const paws::ranks::BadInput& error)
        {
            message = error.what();
        }
        INFO("deflate " << compression << ": " << message);
        CHECK(message == of_rank_0(message));
        CHECK_THAT(message, Catch::StartsWith((folder / "file.h5").string() + ": cannot be written (") &&
                                Catch::Contains("free some space"));
        MPI_Barrier(MPI_COMM_WORLD);
        CHECK(folder.is_empty());
        MPI_Barrier(MPI_COMM_WORLD);
    }
    // From the start.
    std::optional<FullDisk> full(std::in_place, 10'000);
    check_refused(
        [&]
        {
            EmbeddingsWriter(folder / "file.h5", made_up_source(images), {{{"backbone", 500}}, 0, false, 0, 0},
                             paws::ranks::Group(MPI_COMM_WORLD));
        },
        {"file.h5", "cannot be written", "free some space"});
    full.reset();
    MPI_Barrier(MPI_COMM_WORLD);
    CHECK(folder.is_empty());
}

TEST_CASE("embeddings that are damaged or do not hold together are refused by name", "[io]")
{
    const TemporaryFolder folder;
    for (const int compression : {0, 4})
    {
        write_made_up(folder / "file.h5", 30, {{{"backbone", 20}}, 2, true, compression, 0}, MPI_COMM_SELF);
        std::string bytes = contents(folder / "file.h5");
        bytes[bytes.find("grün")] = 'h';
        write_file(folder / "damaged.h5", bytes);
        check_refused([&] { EmbeddingsFile(folder / "damaged.h5"); }, {"damaged.h5", "checksum at its end"});
        // Without the last byte, the file has no seal, and the data sets' own checksums count.
        write_file(folder / "damaged.h5", bytes.substr(0, bytes.size() - 1));
        check_refused([&] { EmbeddingsFile(folder / "damaged.h5"); }, {"damaged.h5:/names", "checksum"});
    }
    const std::string whole = contents(folder / "file.h5");
    write_file(folder / "unsealed.h5", whole.substr(0, whole.size() - 1));
    CHECK(EmbeddingsFile(folder / "unsealed.h5").count() == 30);

    const auto with = [&](const h5::Shape& shape, std::size_t names)
    {
        h5::File file = h5::File::create(folder / "other.h5");
        file.set_attribute<std::string>("format", "paws-embeddings");
        file.set_attribute<std::int64_t>("version", 1);
        for (const char* name : {"checkpoint", "split", "config"})
        {
            file.set_attribute<std::string>(name, "a");
        }
        file.set_attribute<double>("temperature", 1);
        file.write<float>("embeddings", std::vector<float>(h5::element_count(shape)), shape);
        file.write<std::int64_t>("labels", std::vector<std::int64_t>(2), {2});
        file.write<std::int64_t>("index", std::vector<std::int64_t>(2), {2});
        file.write_strings("names", std::vector<std::string>(names, "x"));
        file.save();
        return EmbeddingsFile(folder / "other.h5");
    };
    CHECK(with({2, 3}, 2).outputs() == std::vector<std::string>{"embeddings"});
    check_refused([&] { with({2}, 2); }, {"other.h5:/embeddings", "[N, D]"});
    check_refused([&] { with({3, 2}, 2); }, {"embeddings has 3 rows, labels has 2"});
    check_refused([&] { with({2, 2}, 1); }, {"names has 1 rows, labels has 2"});
}

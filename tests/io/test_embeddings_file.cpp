#include "io/embeddings_file.hpp"
#include "io/h5.hpp"
#include "tests/io/files.hpp"

using namespace paws::test;
using namespace paws::io;

namespace
{
Embeddings made_up()
{
    return {{1, 2, 3, 4, 5, 6}, 2, {0, 1, 0}, {5, 3, 4}, {"a", "b", "grün"}, "run-latest.h5", "val", "a: 1\n", 0.1};
}
}  // namespace

TEST_CASE("embeddings are read as they were written", "[io]")
{
    const TemporaryFolder folder;
    write_embeddings(folder / "file.h5", made_up());
    const Embeddings read = read_embeddings(folder / "file.h5");
    CHECK(read.values == made_up().values);
    CHECK(read.dimensions == 2);
    CHECK(read.count() == 3);
    CHECK(read.labels == made_up().labels);
    CHECK(read.index == made_up().index);
    CHECK(read.names == made_up().names);
    CHECK(read.checkpoint == "run-latest.h5");
    CHECK(read.split == "val");
    CHECK(read.config == "a: 1\n");
    CHECK(read.temperature == 0.1);
    CHECK(h5::File::open(folder / "file.h5").dataset("embeddings").shape() == h5::Shape{3, 2});
}

TEST_CASE("embeddings whose lengths do not match are not written", "[io]")
{
    const TemporaryFolder folder;
    for (const int part : {0, 1, 2})
    {
        Embeddings wrong = made_up();
        part == 0 ? wrong.values.pop_back() : part == 1 ? wrong.index.pop_back() : wrong.names.pop_back();
        check_refused([&] { write_embeddings(folder / "file.h5", wrong); }, {"file.h5", "3 labels", "do not match"});
    }
    CHECK(folder.entries() == 0);
}

TEST_CASE("embeddings that are damaged or do not hold together are refused by name", "[io]")
{
    const TemporaryFolder folder;
    write_embeddings(folder / "file.h5", made_up());
    std::string bytes = contents(folder / "file.h5");
    bytes[bytes.find("grün")] = 'h';
    write_file(folder / "damaged.h5", bytes);
    check_refused([&] { read_embeddings(folder / "damaged.h5"); }, {"damaged.h5", "checksum at its end"});
    // Without the last byte, the file has no seal, and the data sets' own checksums count.
    write_file(folder / "damaged.h5", bytes.substr(0, bytes.size() - 1));
    check_refused([&] { read_embeddings(folder / "damaged.h5"); }, {"damaged.h5:/names", "checksum"});

    h5::File flat = h5::File::create(folder / "flat.h5");
    flat.set_attribute<std::string>("format", "paws-embeddings");
    flat.set_attribute<std::int64_t>("version", 1);
    flat.write<float>("embeddings", std::vector<float>{1, 2}, {2});
    flat.save();
    check_refused([&] { read_embeddings(folder / "flat.h5"); }, {"flat.h5:/embeddings", "[N, D]"});
}

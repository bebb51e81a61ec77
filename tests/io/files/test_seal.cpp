#include "io/files/seal.hpp"
#include "io/hdf5/format.hpp"
#include "tests/io/files.hpp"

using namespace paws::test;
using namespace paws::io;

TEST_CASE("a seal vouches for every byte before it", "[io]")
{
    const TemporaryFolder folder;
    // More than is read at a time.
    const std::string bytes(40'000'000, 'x');
    const auto path = write_file(folder / "file", bytes + make_seal(bytes));
    CHECK(verify_seal(path));
    std::string sealed = contents(path);
    sealed[30'000'000] = 'y';
    write_file(path, sealed);
    check_refused([&] { verify_seal(path); }, {path.string(), "checksum"});
    write_file(path, bytes.substr(1) + make_seal(bytes));
    check_refused([&] { verify_seal(path); }, {path.string(), "checksum"});
}

TEST_CASE("files without a seal are told from those with one", "[io]")
{
    const TemporaryFolder folder;
    CHECK_FALSE(verify_seal(write_file(folder / "empty", "")));
    CHECK_FALSE(verify_seal(write_file(folder / "plain", std::string(100, 'x'))));
    CHECK_FALSE(verify_seal(folder / "none"));
    CHECK(verify_seal(write_file(folder / "only", make_seal(""))));
    h5::File file = h5::File::create(folder / "file.h5");
    write_format(file, checkpoint_format);
    file.save();
    CHECK_NOTHROW(open_verified(folder / "file.h5", checkpoint_format));
    const std::string bytes = contents(folder / "file.h5");
    write_file(folder / "unsealed.h5", bytes.substr(0, bytes.size() - 24));
    CHECK_NOTHROW(open_format(folder / "unsealed.h5", checkpoint_format));
    check_refused([&] { open_verified(folder / "unsealed.h5", checkpoint_format); },
                  {"unsealed.h5", "cut off or damaged"});
}

#include "io/files/hard_link.hpp"

#include "io/files/atomic_file.hpp"
#include "tests/io/files.hpp"

using namespace paws::test;
using namespace paws::io;

TEST_CASE("a second name stays with its bytes when the first is written anew", "[io][hard_link]")
{
    const TemporaryFolder folder;
    write_file(folder / "latest", "one");
    write_file(folder / "best", "before");
    CHECK(hard_link(folder / "latest", folder / "best"));
    CHECK(contents(folder / "best") == "one");
    CHECK(std::filesystem::equivalent(folder / "latest", folder / "best"));
    // Once more, when both are one file already.
    CHECK(hard_link(folder / "latest", folder / "best"));
    write_atomically(folder / "latest", {"two"});
    CHECK(contents(folder / "best") == "one");
    CHECK(contents(folder / "latest") == "two");
    CHECK(folder.entries() == 2);
    CHECK_THROWS_WITH(hard_link(folder / "missing", folder / "best"), Catch::Contains("missing"));
    CHECK(contents(folder / "best") == "one");
}

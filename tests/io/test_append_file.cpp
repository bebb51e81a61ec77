#include "io/append_file.hpp"

#include "tests/io/files.hpp"
#include "tests/io/full_disk.hpp"

using namespace paws::test;
using namespace paws::io;

TEST_CASE("what cannot be appended whole leaves no part of itself", "[io][append_file]")
{
    const TemporaryFolder folder;
    write_file(folder / "log.csv", "old lines\n");
    AppendFile file(folder / "log.csv", "epoch,itr\n");
    file.append("1,0\n");
    {
        const FullDisk full(20);
        CHECK_THROWS_WITH(file.append("1,1,and more than there is room for\n"),
                          Catch::Contains("log.csv") && Catch::Contains("free some space"));
    }
    CHECK(contents(folder / "log.csv") == "epoch,itr\n1,0\n");
    file.append("1,2\n");
    CHECK(contents(folder / "log.csv") == "epoch,itr\n1,0\n1,2\n");
}

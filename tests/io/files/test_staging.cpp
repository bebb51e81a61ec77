#include <cstdlib>
#include <optional>

#include "io/files/staging.hpp"
#include "tests/io/ranks.hpp"

using namespace paws::test;
using namespace paws::io;
namespace fs = std::filesystem;

namespace
{
/// With a network disk and a node's disk in it.
class SharedDisks : public SharedFolder
{
public:
    SharedDisks()
        : SharedFolder(
              [](const fs::path& folder)
              {
                  fs::create_directory(folder / "network");
                  fs::create_directory(folder / "node");
                  write_file(folder / "network/data.h5", bytes());
              })
    {
    }

    static std::string bytes() { return std::string(20'000'000, 'x') + "end"; }
    fs::path file() const { return path() / "network/data.h5"; }
    fs::path node() const { return path() / "node"; }
};

/// Sets or, with null, removes a variable of the environment while it lives.
class Variable
{
public:
    Variable(const char* name, const char* value) : name_(name)
    {
        if (const char* before = std::getenv(name))
        {
            before_ = before;
        }
        set(value);
    }
    ~Variable() { set(before_ ? before_->c_str() : nullptr); }
    Variable(const Variable&) = delete;
    Variable& operator=(const Variable&) = delete;

private:
    void set(const char* value) const
    {
        if (value != nullptr)
        {
            setenv(name_, value, 1);
        }
        else
        {
            unsetenv(name_);
        }
    }

    const char* name_;
    std::optional<std::string> before_;
};
}  // namespace

TEST_CASE("one rank of a node copies and all read the copy", "[io][staging]")
{
    const SharedDisks disks;
    int pieces = 0;
    const auto count = [&](std::uint64_t, std::uint64_t) { ++pieces; };
    const auto first = stage_file(disks.file(), disks.node(), MPI_COMM_WORLD, count);
    CHECK(first.staged);
    CHECK(contents(first.path) == SharedDisks::bytes());
    CHECK(first.path.parent_path().parent_path() == disks.node());
    CHECK(first.note == disks.file().string() + ": read from " + first.path.string() + ", copied");
    CHECK(sum_over_ranks(pieces > 0 ? 1 : 0) == 1);
    const auto second = stage_file(disks.file(), disks.node(), MPI_COMM_WORLD);
    CHECK(second.staged);
    CHECK(second.path == first.path);
    CHECK_THAT(second.note, Catch::Contains("was there before"));
}

TEST_CASE("each node makes its own copy", "[io][staging]")
{
    const SharedDisks disks;
    const int node = my_rank() % 2;
    const int nodes = std::min(all_ranks(), 2);
    const fs::path folder = disks.node() / std::to_string(node);
    fs::create_directories(folder);
    int pieces = 0;
    const auto count = [&](std::uint64_t, std::uint64_t) { ++pieces; };
    const auto report = stage_file(disks.file(), folder, MPI_COMM_WORLD, count, {free_space, node});
    CHECK(report.staged);
    CHECK(report.path.parent_path().parent_path() == folder);
    CHECK(contents(report.path) == SharedDisks::bytes());
    CHECK(sum_over_ranks(pieces > 0 ? 1 : 0) == nodes);
    CHECK(report.note == of_rank_0(report.note));
}

TEST_CASE("a node without space reads the file where it is, and every rank knows", "[io][staging]")
{
    const SharedDisks disks;
    // The last rank is a node of its own.
    const bool is_full = my_rank() == all_ranks() - 1;
    const fs::path folder = disks.node() / (is_full ? "full" : "free");
    fs::create_directories(folder);
    const auto space = [&](const fs::path&) { return is_full ? std::uint64_t{5'000'000} : std::uint64_t{1} << 40; };
    const auto report = stage_file(disks.file(), folder, MPI_COMM_WORLD, {}, {space, is_full ? 1 : 0});
    CHECK(report.staged != is_full);
    CHECK((report.path == disks.file()) == is_full);
    CHECK(contents(report.path) == SharedDisks::bytes());
    const std::string nodes = all_ranks() == 1 ? "" : " on 1 of 2 nodes";
    CHECK_THAT(report.note, Catch::Contains(": not copied" + nodes + ", read where it is: the file has 20.0 MB") &&
                                Catch::Contains("5.0 MB free"));
}

TEST_CASE("without a folder that can be written to, the file is read where it is", "[io][staging]")
{
    const SharedDisks disks;
    for (const fs::path& folder : {disks.node() / "none", fs::path("/proc")})
    {
        const auto report = stage_file(disks.file(), folder, MPI_COMM_WORLD);
        CHECK_FALSE(report.staged);
        CHECK(report.path == disks.file());
        CHECK_THAT(report.note, Catch::Contains("data.h5: not copied, read where it is: ") &&
                                    Catch::Contains("'" + folder.string() + "'"));
    }
}

TEST_CASE("the folder of the node comes from the environment", "[io][staging]")
{
    const SharedDisks disks;
    const auto parent = [&] { return stage_file(disks.file(), "", MPI_COMM_WORLD).path.parent_path().parent_path(); };
    fs::create_directories(disks.node() / "slurm");
    fs::create_directories(disks.node() / "tmp");
    {
        const Variable slurm("SLURM_TMPDIR", (disks.node() / "slurm").c_str());
        const Variable tmp("TMPDIR", (disks.node() / "tmp").c_str());
        CHECK(parent() == disks.node() / "slurm");
    }
    const Variable slurm("SLURM_TMPDIR", nullptr);
    {
        const Variable tmp("TMPDIR", (disks.node() / "tmp").c_str());
        CHECK(parent() == disks.node() / "tmp");
    }
    const Variable tmp("TMPDIR", "");
    const auto report = stage_file(disks.file(), "", MPI_COMM_WORLD);
    CHECK(report.path == disks.file());
    CHECK_THAT(report.note, Catch::Contains("SLURM_TMPDIR") && Catch::Contains("data.scratch"));
    check_refused([&] { stage_file("/nowhere/data.h5", "", MPI_COMM_WORLD); }, {"/nowhere/data.h5", "no such file"});
}

TEST_CASE("an error on one node reaches every rank", "[io][staging]")
{
    const SharedDisks disks;
    const bool is_lost = my_rank() == all_ranks() - 1;
    const fs::path file = is_lost ? fs::path("/nowhere/data.h5") : disks.file();
    check_refused(
        [&] {
            stage_file(file, disks.node(), MPI_COMM_WORLD, {}, {free_space, is_lost ? 1 : 0});
        },
        {"/nowhere/data.h5", "no such file"});
    const auto give_up = [](std::uint64_t, std::uint64_t) { throw std::runtime_error("the progress bar broke"); };
    CHECK_THROWS_WITH(stage_file(disks.file(), disks.node(), MPI_COMM_WORLD, give_up), "the progress bar broke");
}

TEST_CASE("jobs that share a node share the copy", "[io][staging]")
{
    const SharedDisks disks;
    MPI_Barrier(MPI_COMM_WORLD);
    const auto report = stage_file(disks.file(), disks.node(), MPI_COMM_SELF);
    CHECK(report.staged);
    CHECK(contents(report.path) == SharedDisks::bytes());
    const bool copied = report.note.find("was there before") == std::string::npos;
    CHECK(sum_over_ranks(copied ? 1 : 0) == 1);
}

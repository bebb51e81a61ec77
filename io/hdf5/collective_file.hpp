#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "io/files/atomic_file.hpp"
#include "io/files/seal.hpp"
#include "io/hdf5/h5.hpp"
#include "io/ranks/agreed.hpp"
#include "io/ranks/overdue.hpp"

namespace paws::io
{
/// An HDF5 file that all ranks write together, atomically: what is known at first is made in memory by rank 0, and from
/// then on each rank writes its rows of the data sets.
///
///     CollectiveFile file(path, ranks);
///     file.begin([&](h5::File& skeleton) { ...; return bytes_of_rows; });
///     file.together([&] { file.hdf5().dataset("a").write_rows_together(...); });
///     file.close();
///     file.finish([&](const std::filesystem::path& temporary) { ... });
///
/// The file has its full length, and where the file system can also its space, before HDF5 opens it: HDF5 1.10 ends in
/// a crash if a disk fills up while it holds changes to its own structure.
///
/// Every function is collective and throws the same on every rank (see ranks::agreed); the file is then not there, or
/// what it was.
class CollectiveFile
{
public:
    /// Bytes of the file, and their CRC-32.
    struct Block
    {
        std::uint64_t place = 0;
        std::uint64_t length = 0;
        std::uint32_t checksum = 0;
    };

    CollectiveFile(std::filesystem::path path, const ranks::Group& ranks) : path_(std::move(path)), ranks_(ranks) {}
    /// To close the file is a collective call of HDF5, too. On the way out with an error, which need not be the
    /// others', it is left open.
    ~CollectiveFile();
    CollectiveFile(const CollectiveFile&) = delete;
    CollectiveFile& operator=(const CollectiveFile&) = delete;

    const ranks::Group& ranks() const { return ranks_; }

    /// Makes the file. `make` is called on rank 0 alone: it fills a file in memory, in which data sets that all ranks
    /// are to write are created but not written, and gives the bytes that these can take at most.
    void begin(const std::function<std::uint64_t(h5::File&)>& make);

    /// From begin() to close(); shared by all ranks.
    h5::File& hdf5() { return *file_; }

    /// ranks::agreed for what writes: says what to do if that fails.
    template <typename Action>
    void agreed(Action action) const
    {
        ranks::agreed(ranks_,
                      [&]
                      {
                          try
                          {
                              action();
                          }
                          catch (const SystemError& error)
                          {
                              refuse_write(path_, error);
                          }
                      });
    }

    /// The same for one collective call of HDF5. Where a rank's disk fails there, others may wait in it for ever, and
    /// that rank too: after the deadline of the ranks they end (see ranks::Overdue).
    template <typename Action>
    void together(Action action) const
    {
        agreed(
            [&]
            {
                std::optional<ranks::Overdue> overdue;
                if (!ranks_.is_alone() && ranks_.deadline() < ranks::no_deadline)
                {
                    overdue.emplace(ranks_.deadline(), overdue_message());
                }
                action();
            });
    }

    /// Whether HDF5 was left with a file that ranks had open together, so that the end of MPI, which closes it, may not
    /// end.
    static bool is_one_left_open();

    /// Not collective: bytes that this rank wrote, which are read again before the file is in its place.
    void wrote(const Block& block) { blocks_.push_back(block); }

    /// No rank may hold a data set any more. Everything is on the disk then, and what MPI lost without an error is
    /// found. From then until finish(), every rank may open temporary() for reading.
    void close();
    const std::filesystem::path& temporary() const { return temporary_; }

    /// Seals the file and puts it in its place, after `check` (on rank 0) has not thrown for the sealed file.
    void finish(const std::function<void(const std::filesystem::path& temporary)>& check);

private:
    std::string overdue_message() const;
    void make_skeleton(const std::function<std::uint64_t(h5::File&)>& make);
    void verify_own_blocks() const;
    Seal seal() const;

    std::filesystem::path path_;
    ranks::Group ranks_;
    std::optional<AtomicFile> target_;  // on rank 0
    std::filesystem::path temporary_;
    std::optional<h5::File> file_;
    std::vector<Block> blocks_;  // that this rank wrote
    int exceptions_ = std::uncaught_exceptions();
};

/// Throws SystemError: a file does not hold what was written to it.
[[noreturn]] void refuse_disk(const std::filesystem::path& path);
}  // namespace paws::io

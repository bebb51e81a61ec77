#include "io/files/local_copy.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <iterator>
#include <optional>
#include <span>
#include <system_error>
#include <vector>

#include "io/base/quantity.hpp"
#include "io/files/atomic_file.hpp"
#include "io/files/checksum.hpp"
#include "io/files/descriptor.hpp"
#include "io/files/file_name.hpp"
#include "io/files/file_stamp.hpp"
#include "io/files/read_file.hpp"
#include "io/files/seal.hpp"

namespace paws::io
{
namespace
{
namespace fs = std::filesystem;

/// Network file systems like large reads.
constexpr std::size_t piece_bytes = std::size_t{16} << 20;
/// Left to the other programs of the node.
constexpr std::uint64_t spare_bytes = std::uint64_t{64} << 20;

/// FOLDER/paws-staged-USER. Nobody else may write there: in a folder that all users share, a copy that another put in
/// its place would be read as data.
fs::path private_folder(const fs::path& folder)
{
    if (!is_there(folder))
    {
        throw NoLocalCopy("there is no folder '" + folder.string() + "'");
    }
    require_folder(folder);
    fs::path own = folder / ("paws-staged-" + std::to_string(::geteuid()));
    if (::mkdir(own.c_str(), 0700) != 0 && errno != EEXIST)
    {
        throw NoLocalCopy("no folder can be made in '" + folder.string() +
                          "' (mkdir failed: " + std::generic_category().message(errno) + ")");
    }
    struct stat status
    {
    };
    if (::lstat(own.c_str(), &status) != 0 || !S_ISDIR(status.st_mode) || status.st_uid != ::geteuid() ||
        (status.st_mode & (S_IWGRP | S_IWOTH)) != 0)
    {
        throw NoLocalCopy("'" + own.string() + "' is not a folder that belongs to this user alone");
    }
    return own;
}

/// A folder that cannot be used is no reason not to read the file where it is.
fs::path folder_or_hurdle(const fs::path& folder)
{
    try
    {
        return private_folder(folder);
    }
    catch (const Error& error)
    {
        throw NoLocalCopy(error.what());
    }
}

/// Reads and sums a file piece by piece.
class SummingReader
{
public:
    SummingReader(const fs::path& file, std::uint64_t size, const CopyProgress& progress)
        : descriptor_(file, O_RDONLY),
          size_(size),
          progress_(progress),
          buffer_(std::min<std::uint64_t>(size, piece_bytes))
    {
        // Reading ahead only; that it may be refused does not matter.
        static_cast<void>(::posix_fadvise(descriptor_.number(), 0, 0, POSIX_FADV_SEQUENTIAL));
    }

    /// The next bytes, up to `end` at most; none at `end` or where the file ends before it.
    std::span<const std::byte> next(std::uint64_t end)
    {
        const auto wanted = std::min<std::uint64_t>(buffer_.size(), end - done_);
        const std::span piece(buffer_.data(), descriptor_.read(std::span(buffer_.data(), wanted)));
        sum_ = crc32(piece, sum_);
        done_ += piece.size();
        if (progress_ && !piece.empty())
        {
            progress_(done_, size_);
        }
        return piece;
    }

    std::uint64_t done() const { return done_; }
    /// Of all bytes so far.
    std::uint32_t sum() const { return sum_; }

private:
    Descriptor descriptor_;
    std::uint64_t size_;
    const CopyProgress& progress_;
    std::vector<std::byte> buffer_;
    std::uint64_t done_ = 0;
    std::uint32_t sum_ = 0;
};

std::uint32_t sum_of(const fs::path& file, std::uint64_t size, const CopyProgress& progress)
{
    SummingReader reader(file, size, progress);
    while (!reader.next(size).empty())
    {
    }
    return reader.sum();
}

/// One copy in the private folder, and the record beside it of what it is a copy of.
class Copy
{
public:
    Copy(const fs::path& file, const FileStamp& stamp, const fs::path& own) : file_(file), stamp_(stamp)
    {
        // Data sets in different folders often have the same name.
        const std::string full = fs::canonical(file).string();
        char sum[9];
        std::snprintf(sum, sizeof(sum), "%08x", crc32(std::as_bytes(std::span(full))));
        constexpr std::size_t for_temporary = 100;
        path_ = own / (std::string(sum) + "-" + name_beside(file.filename().string(), "", for_temporary));
        record_ = "source " + full + "\nsize " + std::to_string(stamp.size) + "\nmodified " +
                  std::to_string(stamp.modified) + "\nchecksum ";
    }

    const fs::path& path() const { return path_; }
    fs::path lock_path() const { return path_.string() + ".lock"; }

    /// Whether there is a copy of this very file that has all its bytes.
    bool is_whole(const CopyProgress& progress) const
    {
        const auto checksum = recorded_checksum();
        std::error_code error;
        return checksum && fs::file_size(path_, error) == stamp_.size && !error &&
               sum_of(path_, stamp_.size, progress) == *checksum;
    }

    /// Of processes that were killed. To be called under the lock: nobody else writes then.
    void remove_remains() const
    {
        const std::string remains = path_.filename().string() + ".partial-";
        for (const auto& entry : fs::directory_iterator(path_.parent_path()))
        {
            if (entry.path().filename().string().starts_with(remains))
            {
                fs::remove(entry.path());
            }
        }
    }

    void make(const CopyProgress& progress) const
    {
        const auto seal = read_seal(file_);
        AtomicFile target(path_);
        const std::uint32_t checksum = fill(target.temporary(), seal, progress);
        if (!seal)
        {
            compare(target.temporary(), checksum);
        }
        // A record without its copy is no danger, a copy under another's record would be.
        fs::remove(record_path());
        target.commit();
        write_atomically(record_path(), {record_, std::to_string(checksum), "\n"});
    }

private:
    fs::path record_path() const { return path_.string() + ".source"; }

    std::optional<std::uint32_t> recorded_checksum() const
    {
        if (!is_there(record_path()))
        {
            return std::nullopt;
        }
        const std::string text = read_file(record_path());
        std::uint32_t checksum = 0;
        if (!text.starts_with(record_) ||
            std::from_chars(text.data() + record_.size(), text.data() + text.size(), checksum).ec != std::errc())
        {
            return std::nullopt;
        }
        return checksum;
    }

    /// Gives the CRC-32 of all bytes.
    std::uint32_t fill(const fs::path& target, const std::optional<Seal>& seal, const CopyProgress& progress) const
    {
        SummingReader reader(file_, stamp_.size, progress);
        Descriptor out(target, O_WRONLY | O_TRUNC);
        const auto copy_until = [&](std::uint64_t end)
        {
            for (auto piece = reader.next(end); !piece.empty(); piece = reader.next(end))
            {
                out.write({reinterpret_cast<const char*>(piece.data()), piece.size()});
            }
        };
        copy_until(seal ? seal->length : stamp_.size);
        const bool matches_seal = !seal || seal->checksum == reader.sum();
        copy_until(stamp_.size);
        out.close();
        if (reader.done() != stamp_.size || stamp_of(file_) != stamp_)
        {
            throw Error(file_.string() + ": changed while it was copied; start again when it is written to the end");
        }
        if (!matches_seal)
        {
            refuse_broken_seal(file_);
        }
        return reader.sum();
    }

    /// Whether the disk gives back what was written, rather than the memory that it went through.
    void compare(const fs::path& target, std::uint32_t checksum) const
    {
        {
            Descriptor written(target, O_RDONLY);
            written.sync();
            static_cast<void>(::posix_fadvise(written.number(), 0, 0, POSIX_FADV_DONTNEED));
        }
        if (sum_of(target, stamp_.size, {}) != checksum)
        {
            throw NoLocalCopy("'" + target.parent_path().string() + "' gives back other bytes than were written there");
        }
    }

    const fs::path& file_;
    FileStamp stamp_;
    fs::path path_;
    std::string record_;  // up to the checksum
};
}  // namespace

std::uint64_t free_space(const std::filesystem::path& folder)
{
    return fs::space(folder).available;
}

LocalCopy copy_to_folder(const std::filesystem::path& file, const std::filesystem::path& folder,
                         const CopyProgress& progress, const FreeSpace& free_space_of)
{
    const FileStamp stamp = stamp_of(file);
    try
    {
        const fs::path own = folder_or_hurdle(folder);
        const Copy copy(file, stamp, own);
        Descriptor turn(copy.lock_path(), O_RDWR | O_CREAT);
        turn.lock();
        if (copy.is_whole(progress))
        {
            return {copy.path(), true};
        }
        copy.remove_remains();
        const std::uint64_t free = free_space_of(own);
        if (free < stamp.size + spare_bytes)
        {
            throw NoLocalCopy("the file has " + size_in_words(stamp.size) + ", '" + folder.string() + "' has " +
                              size_in_words(free) + " free, of which " + size_in_words(spare_bytes) + " stay free");
        }
        copy.make(progress);
        return {copy.path(), false};
    }
    catch (const SystemError& error)
    {
        throw NoLocalCopy(error.what());
    }
    catch (const fs::filesystem_error& error)
    {
        throw NoLocalCopy(error.what());
    }
}
}  // namespace paws::io

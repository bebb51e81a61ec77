#pragma once

#include <zip.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io/files/atomic_file.hpp"

namespace paws::io
{
struct ZipDeleter
{
    void operator()(zip_t* archive) const { zip_discard(archive); }
};
using ZipHandle = std::unique_ptr<zip_t, ZipDeleter>;

/// Reads a zip file whose entries are stored as they are or deflated. Bytes after its end are left alone.
class ZipReader
{
public:
    /// Throws Error if the file is missing, is no zip file or is cut off, or if an entry is encrypted, compressed in
    /// another way or there twice, or if they overlap or claim more bytes than the file can make (see can_inflate()).
    explicit ZipReader(const std::filesystem::path& path);

    /// Sizes of the entries by their names.
    const std::map<std::string, std::uint64_t>& entries() const { return sizes_; }
    /// Of all entries together.
    std::uint64_t content_size() const { return content_size_; }

    /// Throws Error, naming the entry, if there is none of that name or its checksum does not match.
    std::vector<std::byte> read(const std::string& name) const;

private:
    void add_entry(const zip_stat_t& entry, std::uint64_t room);

    std::string path_;
    std::uint64_t content_size_ = 0;
    ZipHandle archive_;
    std::map<std::string, std::uint64_t> sizes_;
};

/// Writes such a file, atomically. Equal entries give equal files.
class ZipWriter
{
public:
    explicit ZipWriter(const std::filesystem::path& path);

    /// `bytes` begin in the file at a multiple of `alignment` (at most 64 KiB), and must stay until save() has
    /// returned.
    void add(const std::string& name, std::string_view bytes, std::uint64_t alignment);

    /// Throws SystemError, which says what to do, on a full disk for example.
    void save();

private:
    [[noreturn]] void refuse() const;

    std::filesystem::path path_;
    AtomicFile file_;
    ZipHandle archive_;
    std::uint64_t end_ = 0;  ///< of what was added
};
}  // namespace paws::io

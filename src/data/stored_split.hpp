#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "io/dataset/dataset_file.hpp"
#include "io/files/file_stamp.hpp"

namespace paws::data
{
/// A split whose images stay in their file until they are asked for: JPEG and PNG files of any size, or pixels of one
/// size that are too many for memory.
class StoredSplit
{
public:
    using Bytes = std::shared_ptr<const std::vector<std::uint8_t>>;

    /// What was read is kept for the next time until `cache_bytes` of memory are full. Throws io::Error.
    StoredSplit(std::shared_ptr<const io::DatasetFile> file, const std::string& split, std::int64_t cache_bytes);

    std::int64_t count() const { return static_cast<std::int64_t>(begins_.size()) - 1; }
    bool is_encoded() const { return encoded_; }
    /// Of the pixels; 0 when the images are encoded.
    std::int64_t height() const { return height_; }
    std::int64_t width() const { return width_; }
    /// Of all images, as they are in the file.
    std::int64_t bytes() const { return static_cast<std::int64_t>(begins_.back()); }
    std::int64_t bytes_cached() const;
    /// The most that bytes_cached() becomes.
    std::int64_t cache_limit() const { return std::min(cache_bytes_, bytes()); }

    /// How often the file was read so far, and how many bytes.
    std::int64_t reads() const { return reads_; }
    std::int64_t bytes_read() const { return bytes_read_; }

    /// The images at these rows, each its encoded file or its pixels [H, W, 3]: read in the order of the file, those
    /// that lie close together in one piece. Any thread may call it. Throws io::Error.
    std::vector<Bytes> read(std::span<const std::int64_t> rows) const;

    /// Images of these rows go into the cache before all others: room is kept for them.
    void prefer_in_cache(std::span<const std::int64_t> rows);

    /// Throws io::Error if these are not the bytes that were packed at `row`, as far as the file has checksums.
    void require_whole(std::int64_t row, const std::vector<std::uint8_t>& bytes, const std::string& name) const;

private:
    struct Run;
    void read_run(const Run& run, std::vector<Bytes>& found) const;
    void keep(std::size_t row, const Bytes& bytes) const;
    void require_same_file() const;

    std::shared_ptr<const io::DatasetFile> file_;
    std::string split_;
    bool encoded_ = false;
    std::int64_t height_ = 0;
    std::int64_t width_ = 0;
    std::vector<std::uint64_t> begins_;     ///< [N + 1], where in the file's data each image begins
    std::vector<std::uint32_t> checksums_;  ///< [N], or none
    io::FileStamp stamp_;
    std::vector<bool> preferred_;  ///< [N], or none

    mutable std::mutex cache_mutex_;
    mutable std::vector<Bytes> cache_;         ///< [N]
    mutable std::int64_t cache_left_ = 0;      ///< bytes for any image
    mutable std::int64_t cache_reserved_ = 0;  ///< bytes for preferred ones
    std::int64_t cache_bytes_ = 0;
    mutable std::atomic<std::int64_t> reads_ = 0;
    mutable std::atomic<std::int64_t> bytes_read_ = 0;
};
}  // namespace paws::data

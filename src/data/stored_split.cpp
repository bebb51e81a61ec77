#include "src/data/stored_split.hpp"

#include <algorithm>
#include <numeric>

#include "io/base/error.hpp"

namespace paws::data
{
namespace
{
/// Bytes that are read and thrown away rather than asking a parallel file system twice.
constexpr std::uint64_t largest_gap = std::uint64_t{128} << 10;
constexpr std::uint64_t largest_piece = std::uint64_t{32} << 20;

std::vector<std::uint64_t> begins_of_rows(std::size_t count, std::uint64_t bytes)
{
    std::vector<std::uint64_t> begins(count + 1);
    for (std::size_t n = 0; n <= count; ++n)
    {
        begins[n] = n * bytes;
    }
    return begins;
}
}  // namespace

/// Images that are read in one piece: bytes [begin, end) of the file's data.
struct StoredSplit::Run
{
    std::uint64_t begin;
    std::uint64_t end;
    std::span<const std::size_t> places;  ///< in the caller's rows
    std::span<const std::int64_t> rows;
};

StoredSplit::StoredSplit(std::shared_ptr<const io::DatasetFile> file, const std::string& split,
                         std::int64_t cache_bytes)
    : file_(std::move(file)),
      split_(split),
      encoded_(file_->is_encoded(split)),
      stamp_(io::stamp_of(file_->path())),
      cache_bytes_(cache_bytes)
{
    if (encoded_)
    {
        begins_ = file_->offsets(split);
        checksums_ = file_->checksums(split);
    }
    else
    {
        height_ = static_cast<std::int64_t>(file_->height(split));
        width_ = static_cast<std::int64_t>(file_->width(split));
        begins_ = begins_of_rows(file_->count(split), static_cast<std::uint64_t>(height_ * width_ * 3));
    }
    cache_.resize(static_cast<std::size_t>(count()));
    cache_left_ = cache_bytes_;
}

void StoredSplit::prefer_in_cache(std::span<const std::int64_t> rows)
{
    const std::lock_guard lock(cache_mutex_);
    preferred_.assign(static_cast<std::size_t>(count()), false);
    std::int64_t wanted = 0;
    for (const auto row : rows)
    {
        const auto n = static_cast<std::size_t>(row);
        wanted += preferred_[n] || cache_[n] ? 0 : static_cast<std::int64_t>(begins_[n + 1] - begins_[n]);
        preferred_[n] = true;
    }
    const auto total = cache_left_ + cache_reserved_;
    cache_reserved_ = std::min(wanted, total);
    cache_left_ = total - cache_reserved_;
}

std::int64_t StoredSplit::bytes_cached() const
{
    const std::lock_guard lock(cache_mutex_);
    return cache_bytes_ - cache_left_ - cache_reserved_;
}

void StoredSplit::keep(std::size_t row, const Bytes& bytes) const
{
    const auto size = static_cast<std::int64_t>(bytes->size());
    auto& room = !preferred_.empty() && preferred_[row] ? cache_reserved_ : cache_left_;
    if (!cache_[row] && size <= room)
    {
        cache_[row] = bytes;
        room -= size;
    }
}

void StoredSplit::read_run(const Run& run, std::vector<Bytes>& found) const
{
    std::vector<std::uint8_t> piece(run.end - run.begin);
    ++reads_;
    bytes_read_ += static_cast<std::int64_t>(piece.size());
    if (encoded_)
    {
        file_->read_encoded(split_, run.begin, piece.size(), piece);
    }
    else
    {
        const auto image = begins_[1];
        file_->read_images(split_, run.begin / image, piece.size() / image, piece);
    }
    if (checksums_.empty())
    {
        require_same_file();
    }
    const std::lock_guard lock(cache_mutex_);
    for (const auto place : run.places)
    {
        const auto row = static_cast<std::size_t>(run.rows[place]);
        const auto* const first = piece.data() + (begins_[row] - run.begin);
        found[place] =
            std::make_shared<const std::vector<std::uint8_t>>(first, first + (begins_[row + 1] - begins_[row]));
        keep(row, found[place]);
    }
}

/// For images that no checksum protects.
void StoredSplit::require_same_file() const
{
    std::error_code error;
    if (!std::filesystem::exists(file_->path(), error))
    {
        return;
    }
    const auto now = io::stamp_of(file_->path());
    // A file that took its place is no matter: this one stays open.
    if (now.inode == stamp_.inode && now != stamp_)
    {
        throw io::Error(file_->path().string() +
                        ": was written to while it was read; start again when nothing changes it any more");
    }
}

std::vector<StoredSplit::Bytes> StoredSplit::read(std::span<const std::int64_t> rows) const
{
    std::vector<Bytes> found(rows.size());
    std::vector<std::size_t> missing;
    {
        const std::lock_guard lock(cache_mutex_);
        for (std::size_t i = 0; i < rows.size(); ++i)
        {
            found[i] = cache_[static_cast<std::size_t>(rows[i])];
            if (!found[i])
            {
                missing.push_back(i);
            }
        }
    }
    std::sort(missing.begin(), missing.end(), [&](std::size_t a, std::size_t b) { return rows[a] < rows[b]; });
    const std::span<const std::size_t> places(missing);
    for (std::size_t first = 0, last = 0; first < places.size(); first = last)
    {
        const auto begin = begins_[static_cast<std::size_t>(rows[places[first]])];
        auto end = begin;
        for (last = first; last < places.size(); ++last)
        {
            const auto row = static_cast<std::size_t>(rows[places[last]]);
            if (last > first && (begins_[row] > end + largest_gap || begins_[row + 1] - begin > largest_piece))
            {
                break;
            }
            end = begins_[row + 1];
        }
        read_run({begin, end, places.subspan(first, last - first), rows}, found);
    }
    return found;
}

void StoredSplit::require_whole(std::int64_t row, const std::vector<std::uint8_t>& bytes, const std::string& name) const
{
    if (!checksums_.empty())
    {
        io::require_image_checksum(file_->path().string(), name, bytes, checksums_[static_cast<std::size_t>(row)]);
    }
}
}  // namespace paws::data

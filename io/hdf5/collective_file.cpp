#include "io/hdf5/collective_file.hpp"

#include <fcntl.h>

#include <algorithm>
#include <new>
#include <span>

#include "io/base/error.hpp"
#include "io/base/quantity.hpp"
#include "io/files/checksum.hpp"
#include "io/files/descriptor.hpp"
#include "io/files/local_copy.hpp"
#include "io/hdf5/header_seal.hpp"

namespace paws::io
{
namespace
{
namespace fs = std::filesystem;
using Block = CollectiveFile::Block;

/// Of this process.
bool left_open = false;

constexpr std::uint64_t copied_bytes = std::uint64_t{16} << 20;

void require_space(const fs::path& path, const fs::path& folder, std::uint64_t bytes)
{
    const std::uint64_t free = free_space(folder);
    if (free < bytes)
    {
        throw Error(path.string() + ": will have " + size_in_words(bytes) + ", '" + folder.string() + "' has " +
                    size_in_words(free) + " free; free some space or name another folder");
    }
}

/// CRC-32 of `length` bytes of a file from `place` on. Throws if there are fewer.
std::uint32_t sum_of(Descriptor& file, const fs::path& path, std::uint64_t place, std::uint64_t length)
{
    std::vector<std::byte> piece(std::min<std::uint64_t>(length, copied_bytes));
    std::uint32_t sum = 0;
    file.seek(place);
    for (std::uint64_t left = length; left > 0;)
    {
        const std::span part(piece.data(), std::min<std::uint64_t>(left, piece.size()));
        if (file.read(part) != part.size())
        {
            throw SystemError(path.string(), "the file is shorter than what was written");
        }
        sum = crc32(part, sum);
        left -= part.size();
    }
    return sum;
}

void sort_by_place(std::vector<Block>& blocks)
{
    std::sort(blocks.begin(), blocks.end(), [](const Block& a, const Block& b) { return a.place < b.place; });
}

std::vector<Block> joined(const std::vector<std::vector<Block>>& of_ranks)
{
    std::vector<Block> all;
    for (const std::vector<Block>& some : of_ranks)
    {
        all.insert(all.end(), some.begin(), some.end());
    }
    sort_by_place(all);
    return all;
}

/// What lies between sorted blocks of a file of `size` bytes, in pieces.
std::vector<Block> gaps_between(const std::vector<Block>& blocks, std::uint64_t size)
{
    std::vector<Block> gaps;
    std::uint64_t place = 0;
    const auto add_until = [&](std::uint64_t end)
    {
        for (; place < end; place += gaps.back().length)
        {
            gaps.push_back({place, std::min(copied_bytes, end - place), 0});
        }
    };
    for (const Block& block : blocks)
    {
        add_until(block.place);
        place = block.place + block.length;
    }
    add_until(size);
    return gaps;
}
/// Open MPI keeps a file of its own beside one that is open together, where the ranks share no memory
/// (NAME-JOB-PROCESS.lockedfile), and removes it when that is closed: never, after a failure. It needs no name once all
/// ranks have opened it.
void remove_lock_files_of_mpi(const fs::path& path)
{
    const auto start = path.filename().string() + '-';
    std::error_code ignored;
    for (fs::directory_iterator entry(path.parent_path(), ignored), end; !ignored && entry != end;
         entry.increment(ignored))
    {
        const auto name = entry->path().filename().string();
        if (name.starts_with(start) && name.ends_with(".lockedfile"))
        {
            std::error_code failure;
            fs::remove(entry->path(), failure);
        }
    }
}
}  // namespace

void refuse_disk(const fs::path& path)
{
    throw SystemError(path.string(), "the disk gives back other bytes than were written to it");
}

CollectiveFile::~CollectiveFile()
{
    if (file_ && !ranks_.is_alone() && std::uncaught_exceptions() > exceptions_)
    {
        static_cast<void>(new (std::nothrow) h5::File(std::move(*file_)));
        left_open = true;
    }
}

bool CollectiveFile::is_one_left_open()
{
    return left_open;
}

std::string CollectiveFile::overdue_message() const
{
    return path_.string() + ": to write it together takes the ranks longer than " +
           std::to_string(std::chrono::duration_cast<std::chrono::seconds>(ranks_.deadline()).count()) +
           " s; the disk of one of them fails, or is slower than meta.comm_timeout allows";
}

void CollectiveFile::begin(const std::function<std::uint64_t(h5::File&)>& make)
{
    ranks::agreed(ranks_.naming_ranks(false),
                  [&]
                  {
                      if (ranks_.is_first())
                      {
                          make_skeleton(make);
                      }
                  });
    temporary_ = ranks_.broadcast(temporary_.string());
    together([&] { file_.emplace(h5::File::open_together(temporary_, ranks_.mpi())); });
    if (ranks_.is_first() && !ranks_.is_alone())
    {
        remove_lock_files_of_mpi(temporary_);
    }
}

void CollectiveFile::make_skeleton(const std::function<std::uint64_t(h5::File&)>& make)
{
    h5::File file = h5::File::create(path_);
    std::uint64_t bytes = make(file);
    const std::string_view image = file.image();
    bytes += image.size();
    target_.emplace(path_);
    temporary_ = target_->temporary();
    require_space(path_, target_->folder(), bytes);
    try
    {
        Descriptor out(temporary_, O_WRONLY);
        out.write(image);
        out.allocate(bytes);
        out.sync();
        out.close();
    }
    catch (const SystemError& error)
    {
        refuse_write(path_, error);
    }
}

void CollectiveFile::close()
{
    together([&] { file_->flush(); });
    together([&] { file_.reset(); });
    agreed([&] { Descriptor(temporary_, O_RDONLY).sync(); });
    agreed([&] { verify_own_blocks(); });
}

void CollectiveFile::finish(const std::function<void(const fs::path& temporary)>& check)
{
    Seal of_all = seal();
    agreed(
        [&]
        {
            if (ranks_.is_first())
            {
                const auto elements = h5::File::open_unsealed(temporary_).pieces_in_file();
                const std::string header = header_seal_of_file(temporary_, elements);
                of_all.length += header.size();
                of_all.checksum = crc32(std::as_bytes(std::span(header)), of_all.checksum);
                Descriptor out(temporary_, O_WRONLY | O_APPEND);
                out.write(header);
                out.write(make_seal(of_all));
                out.close();
                check(temporary_);
                target_->commit();
            }
        });
}

void CollectiveFile::verify_own_blocks() const
{
    Descriptor file(temporary_, O_RDONLY);
    for (const Block& block : blocks_)
    {
        if (sum_of(file, temporary_, block.place, block.length) != block.checksum)
        {
            refuse_disk(temporary_);
        }
    }
}

/// The CRC-32 of the whole file from those of the blocks; what lies between them, all ranks read, each some of it. On
/// rank 0.
Seal CollectiveFile::seal() const
{
    auto blocks = joined(ranks_.gather(blocks_));
    std::vector<Block> gaps;
    agreed(
        [&]
        {
            if (ranks_.is_first())
            {
                gaps = gaps_between(blocks, fs::file_size(temporary_));
            }
        });
    ranks_.share(gaps);
    std::vector<Block> mine;
    agreed(
        [&]
        {
            Descriptor file(temporary_, O_RDONLY);
            for (auto i = static_cast<std::size_t>(ranks_.rank()); i < gaps.size();
                 i += static_cast<std::size_t>(ranks_.size()))
            {
                mine.push_back(gaps[i]);
                mine.back().checksum = sum_of(file, temporary_, gaps[i].place, gaps[i].length);
            }
        });
    const auto read = joined(ranks_.gather(mine));
    blocks.insert(blocks.end(), read.begin(), read.end());
    sort_by_place(blocks);
    Seal seal;
    for (const Block& block : blocks)
    {
        seal.checksum = join_crc32(seal.checksum, block.checksum, block.length);
        seal.length += block.length;
    }
    return seal;
}
}  // namespace paws::io

#include "io/dataset/folder_pass.hpp"

#include <algorithm>
#include <chrono>
#include <future>

#include "io/base/error.hpp"
#include "io/files/checksum.hpp"
#include "io/image/image.hpp"

namespace paws::io
{
namespace
{
/// What opening a file costs, as bytes to read.
constexpr std::uint64_t weight_of_file = 4096;

double now()
{
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::vector<ranks::Part> parts_of(const FileList& files, std::uint64_t part_bytes, const ranks::Group& ranks)
{
    std::vector<std::uint64_t> weights = files.sizes();
    for (std::uint64_t& weight : weights)
    {
        weight += weight_of_file;
    }
    return ranks::parts_in_rounds(weights, part_bytes, ranks.rank(), ranks.size());
}

[[noreturn]] void refuse_change(const std::filesystem::path& file)
{
    throw Error(file.string() + ": changed while the folder was packed; start again when nobody writes there");
}
}  // namespace

PassMeter::PassMeter(const FolderPackProgress& progress, bool writes, const std::vector<PackedSplit>& splits)
    : progress_(progress), begin_(now())
{
    status_.writes = writes;
    for (const PackedSplit& split : splits)
    {
        status_.total_images += split.count();
        for (const std::uint64_t size : split.files.sizes())
        {
            status_.total_bytes += size;
        }
    }
}

void PassMeter::add(std::uint64_t images, std::uint64_t bytes)
{
    status_.images += images;
    status_.bytes += bytes;
    status_.seconds = now() - begin_;
    if (progress_)
    {
        progress_(status_);
    }
}

/// What a rank has of one round.
struct FolderPass::Prepared
{
    ranks::Part part;
    std::vector<ImageFacts> facts;
    std::vector<std::string> reasons;  // why an image is corrupt, or empty
    std::vector<std::uint8_t> bytes;
    std::uint64_t file_bytes = 0;
    std::exception_ptr error;
};

FolderPass::FolderPass(const PackedSplit& split, const FolderPackRequest& request, const ranks::Group& ranks,
                       std::size_t threads)
    : split_(split), request_(request), ranks_(ranks), threads_(threads)
{
}

FolderPass::Result FolderPass::run(PassMeter& meter, EncodedFileWriter* writer, std::size_t index)
{
    const std::vector<ranks::Part> parts = parts_of(split_.files, request_.part_bytes, ranks_);
    // The next round is prepared while this one is written.
    std::future<Prepared> next;
    const auto begin = [&](std::size_t round)
    { next = std::async(std::launch::async, &FolderPass::prepare, this, parts[round], writer != nullptr); };
    begin(0);
    Result result;
    std::vector<CorruptImage> corrupt;
    std::exception_ptr meter_error;
    for (std::size_t round = 0; round < parts.size(); ++round)
    {
        const Prepared prepared = next.get();
        if (round + 1 < parts.size())
        {
            begin(round + 1);
        }
        for (std::size_t i = 0; i < prepared.reasons.size(); ++i)
        {
            if (!prepared.reasons[i].empty())
            {
                corrupt.push_back({prepared.part.first + i, prepared.reasons[i]});
            }
        }
        ranks_.meet(meter_error ? meter_error : prepared.error);
        const auto [all_corrupt, images, bytes] =
            ranks_.sums<3>({corrupt.size(), prepared.facts.size(), prepared.file_bytes});
        if (writer != nullptr && all_corrupt == 0)
        {
            writer->write(index, split_.offsets[prepared.part.first], prepared.bytes);
        }
        for (const std::vector<ImageFacts>& facts : ranks_.gather(prepared.facts))
        {
            result.facts.insert(result.facts.end(), facts.begin(), facts.end());
        }
        meter_error = tell(meter, images, bytes);
    }
    ranks_.meet(meter_error);
    result.corrupt = gather_corrupt(corrupt);
    return result;
}

/// Gives what went wrong: the others hear of it in the next round.
std::exception_ptr FolderPass::tell(PassMeter& meter, std::uint64_t images, std::uint64_t bytes) const
{
    try
    {
        if (ranks_.is_first())
        {
            meter.add(images, bytes);
        }
    }
    catch (...)
    {
        return std::current_exception();
    }
    return {};
}

/// Throws nothing: the others wait for this rank.
FolderPass::Prepared FolderPass::prepare(ranks::Part part, bool keep_bytes) const
{
    Prepared prepared;
    prepared.part = part;
    try
    {
        prepared.facts.resize(part.last - part.first);
        prepared.reasons.resize(part.last - part.first);
        if (keep_bytes)
        {
            prepared.bytes.resize(split_.offsets[part.last] - split_.offsets[part.first]);
        }
        for (std::size_t i = part.first; i < part.last; ++i)
        {
            prepared.file_bytes += split_.files.size(i);
        }
        ranks::for_each_on_threads(part, threads_, [&](std::size_t i) { prepare_image(i, keep_bytes, prepared); });
    }
    catch (...)
    {
        prepared.error = std::current_exception();
    }
    return prepared;
}

void FolderPass::prepare_image(std::size_t position, bool keep_bytes, Prepared& into) const
{
    const std::size_t i = position - into.part.first;
    StoredImage image;
    try
    {
        image = load(position);
    }
    catch (const ImageError& error)
    {
        into.reasons[i] = error.reason();
        return;
    }
    into.facts[i] = {image.bytes.size(), image.checksum, image.height, image.width, image.is_reduced};
    if (keep_bytes)
    {
        const std::uint64_t begin = split_.offsets[position];
        if (image.bytes.size() != split_.offsets[position + 1] - begin)
        {
            refuse_change(split_.folder / split_.files.name(position));
        }
        std::copy(image.bytes.begin(), image.bytes.end(),
                  into.bytes.begin() + static_cast<std::ptrdiff_t>(begin - split_.offsets[into.part.first]));
    }
}

/// An image that was found whole before must be what it was.
StoredImage FolderPass::load(std::size_t position) const
{
    const std::string name(split_.files.name(position));
    const std::filesystem::path file = split_.folder / name;
    if (split_.facts.empty())
    {
        return load_for_storage(file, name, request_.shorter_side);
    }
    const ImageFacts& known = split_.facts[position];
    StoredImage image;
    try
    {
        if (known.is_reduced != 0)
        {
            image = load_for_storage(file, name, request_.shorter_side);
        }
        else
        {
            image.bytes = read_image_file(file, name);
            image.checksum = crc32(std::as_bytes(std::span(image.bytes)));
            image.height = known.height;
            image.width = known.width;
        }
    }
    catch (const ImageError&)
    {
        refuse_change(file);
    }
    if (image.checksum != known.checksum)
    {
        refuse_change(file);
    }
    return image;
}

std::vector<CorruptImage> FolderPass::gather_corrupt(const std::vector<CorruptImage>& mine) const
{
    std::vector<char> text;
    std::vector<std::uint64_t> positions;
    for (const CorruptImage& image : mine)
    {
        positions.push_back(image.position);
        text.insert(text.end(), image.reason.c_str(), image.reason.c_str() + image.reason.size() + 1);
    }
    const auto positions_of_ranks = ranks_.gather(positions);
    const auto text_of_ranks = ranks_.gather(text);
    std::vector<CorruptImage> all;
    for (std::size_t rank = 0; rank < text_of_ranks.size(); ++rank)
    {
        const char* reason = text_of_ranks[rank].data();
        for (const std::uint64_t position : positions_of_ranks[rank])
        {
            all.push_back({position, reason});
            reason += all.back().reason.size() + 1;
        }
    }
    std::sort(all.begin(), all.end(),
              [](const CorruptImage& a, const CorruptImage& b) { return a.position < b.position; });
    return all;
}
}  // namespace paws::io

#include "io/dataset/pack_folder.hpp"

#include <algorithm>

#include "io/base/error.hpp"
#include "io/base/printable.hpp"
#include "io/base/quantity.hpp"
#include "io/dataset/encoded_file_writer.hpp"
#include "io/dataset/folder_pass.hpp"
#include "io/dataset/folder_tree.hpp"
#include "io/files/atomic_file.hpp"
#include "io/ranks/agreed.hpp"
#include "io/ranks/node.hpp"

namespace paws::io
{
namespace
{
/// "train/CLASS/FILE: REASON"
std::string with_folder(const PackedSplit& split, const std::string& text)
{
    return (split.folder.filename() / text).string();
}

/// On every rank "CLASS/FILE: REASON" of the corrupt images that rank 0 knows.
std::vector<std::string> share_corrupt(const PackedSplit& split, const std::vector<CorruptImage>& corrupt,
                                       std::vector<std::size_t>& positions, const ranks::Group& ranks)
{
    std::string joined;
    for (const CorruptImage& image : corrupt)
    {
        positions.push_back(image.position);
        joined += image.reason;
        joined += '\0';
    }
    ranks.share(positions);
    joined = ranks.broadcast(std::move(joined));
    const char* reason = joined.c_str();
    std::vector<std::string> texts;
    for (const std::size_t position : positions)
    {
        texts.push_back(printable(split.files.name(position)) + ": " + printable(std::string_view(reason)));
        reason += std::char_traits<char>::length(reason) + 1;
    }
    return texts;
}

[[noreturn]] void refuse_corrupt(const std::filesystem::path& input, const std::vector<std::string>& corrupt,
                                 std::size_t images, const std::string& skip_option)
{
    constexpr std::size_t most = 5;
    std::string text;
    for (std::size_t i = 0; i < std::min(most, corrupt.size()); ++i)
    {
        text += (i == 0 ? "" : "; ") + corrupt[i];
    }
    if (corrupt.size() > most)
    {
        text += "; and " + std::to_string(corrupt.size() - most) + " more";
    }
    throw Error(input.string() + ": " + std::to_string(corrupt.size()) + " of " + plural(images, "image") + " " +
                (corrupt.size() == 1 ? "is" : "are") + " corrupt (" + text +
                "); replace them, or leave them out with " + skip_option);
}

/// Packs one folder; see pack_image_folder.
class Packer
{
public:
    Packer(const FolderPackRequest& request, const ranks::Group& ranks, const FolderPackProgress& progress)
        : request_(request),
          progress_(progress),
          all_(ranks),
          ranks_(ranks.naming_ranks(false)),
          threads_(static_cast<std::size_t>(ranks::resources_of_rank(ranks_).cores))
    {
    }

    FolderPackReport run()
    {
        read_tree();
        // Only then are all sizes known before the first image is written.
        if (request_.skip_broken || request_.shorter_side)
        {
            check();
        }
        lay_out();
        write();
        return report();
    }

private:
    void read_tree()
    {
        agreed(ranks_,
               [&]
               {
                   if (request_.shorter_side == std::size_t{0})
                   {
                       throw Error("--shorter-side: 0 is not a number of pixels; give 1 or more");
                   }
                   if (ranks_.is_first())
                   {
                       // Whether the output can be written is not to be found out after hours.
                       const AtomicFile writable(request_.output);
                   }
               });
        FolderTree tree = read_folder_tree(request_.input, request_.val_list, ranks_);
        class_names_ = std::move(tree.class_names);
        for (FolderTree::Split& split : tree.splits)
        {
            splits_.push_back({split.name, split.folder, std::move(split.files), {}, {}, {}});
        }
    }

    /// Looks at all images and leaves out those that are corrupt, or refuses them.
    void check()
    {
        PassMeter meter(progress_, false, splits_);
        std::vector<std::string> all_corrupt;
        for (PackedSplit& split : splits_)
        {
            FolderPass::Result result = FolderPass(split, request_, ranks_, threads_).run(meter);
            std::vector<std::size_t> positions;
            split.skipped = share_corrupt(split, result.corrupt, positions, ranks_);
            add_corrupt(split, split.skipped, all_corrupt);
            if (request_.skip_broken)
            {
                split.files = without(split.files, positions);
                std::erase_if(result.facts, [](const ImageFacts& facts) { return facts.length == 0; });
            }
            split.facts = std::move(result.facts);
            ranks_.share(split.facts);
        }
        if (!request_.skip_broken)
        {
            refuse_if_corrupt(all_corrupt);
        }
        require_files_of_every_class(splits_.front().files, class_names_, splits_.front().folder,
                                     "all of them are corrupt: replace them, or remove the folder");
        skipped_ = std::move(all_corrupt);
        std::erase_if(splits_, [](const PackedSplit& split) { return split.count() == 0; });
    }

    void lay_out()
    {
        for (PackedSplit& split : splits_)
        {
            split.offsets.assign(1, 0);
            for (std::size_t i = 0; i < split.count(); ++i)
            {
                const std::uint64_t length = split.facts.empty() ? split.files.size(i) : split.facts[i].length;
                split.offsets.push_back(split.offsets.back() + length);
            }
        }
    }

    void write()
    {
        EncodedFileWriter writer(request_.output, printable(class_names_), parts_for_writer(), all_);
        PassMeter meter(progress_, true, splits_);
        std::vector<EncodedFileWriter::Result> results;
        std::vector<std::string> all_corrupt;
        for (std::size_t i = 0; i < splits_.size(); ++i)
        {
            const FolderPass::Result result = FolderPass(splits_[i], request_, ranks_, threads_).run(meter, &writer, i);
            std::vector<std::size_t> positions;
            add_corrupt(splits_[i], share_corrupt(splits_[i], result.corrupt, positions, ranks_), all_corrupt);
            EncodedFileWriter::Result& known = results.emplace_back();
            for (const ImageFacts& facts : result.facts)
            {
                known.checksums.push_back(facts.checksum);
                known.sizes.insert(known.sizes.end(), {facts.height, facts.width});
            }
        }
        refuse_if_corrupt(all_corrupt);
        writer.finish(results);
    }

    std::vector<EncodedFileWriter::Split> parts_for_writer() const
    {
        std::vector<EncodedFileWriter::Split> parts;
        for (const PackedSplit& split : splits_)
        {
            EncodedFileWriter::Split& part = parts.emplace_back();
            part.name = split.name;
            part.bytes = split.offsets.back();
            if (ranks_.is_first())
            {
                part.labels = split.files.labels();
                part.names = printable(split.files.names());
                part.offsets = split.offsets;
                part.skipped = split.skipped;
            }
        }
        return parts;
    }

    static void add_corrupt(const PackedSplit& split, const std::vector<std::string>& corrupt,
                            std::vector<std::string>& all)
    {
        for (const std::string& text : corrupt)
        {
            all.push_back(with_folder(split, text));
        }
    }

    void refuse_if_corrupt(const std::vector<std::string>& corrupt) const
    {
        if (!corrupt.empty())
        {
            std::size_t images = 0;
            for (const PackedSplit& split : splits_)
            {
                images += split.count();
            }
            refuse_corrupt(request_.input, corrupt, images, request_.skip_option);
        }
    }

    FolderPackReport report() const
    {
        FolderPackReport report;
        for (const PackedSplit& split : splits_)
        {
            report.splits.push_back({split.name, split.count(), split.offsets.back()});
        }
        report.classes = class_names_.size();
        report.skipped = skipped_;
        return report;
    }

    const FolderPackRequest& request_;
    const FolderPackProgress& progress_;
    const ranks::Group& all_;  // for what ranks write
    ranks::Group ranks_;       // for what they find in the folder, which all see alike
    std::size_t threads_;
    std::vector<std::string> class_names_;
    std::vector<PackedSplit> splits_;
    std::vector<std::string> skipped_;
};
}  // namespace

FolderPackReport pack_image_folder(const FolderPackRequest& request, const ranks::Group& ranks,
                                   const FolderPackProgress& progress)
{
    return Packer(request, ranks, progress).run();
}
}  // namespace paws::io

#include "io/results/inspect_dataset.hpp"

#include <algorithm>
#include <sstream>

#include "io/base/error.hpp"
#include "io/base/printable.hpp"
#include "io/base/quantity.hpp"
#include "io/dataset/dataset_file.hpp"
#include "io/files/checksum.hpp"
#include "io/hdf5/stored_checksum.hpp"
#include "io/image/image.hpp"
#include "io/results/inspect_words.hpp"

namespace paws::io
{
namespace
{
constexpr std::size_t bytes_at_once = std::size_t{1} << 24;

/// "0 to 3 per class" for the labels of a split.
std::string class_sizes(const std::vector<std::int64_t>& labels, std::size_t classes)
{
    std::vector<std::size_t> sizes(classes, 0);
    for (const std::int64_t label : labels)
    {
        ++sizes.at(static_cast<std::size_t>(label));
    }
    const auto [least, most] = std::minmax_element(sizes.begin(), sizes.end());
    return std::to_string(*least) + (*least == *most ? "" : " to " + std::to_string(*most)) + " per class";
}

/// What was found out about the images of a split.
struct Findings
{
    bool have_checksums = false;
    std::size_t undecodable = 0;
    std::string first_undecodable;  // why
};

/// Whether a data set of bytes has a checksum; throws if that does not match. Holds some rows at a time.
bool verify_bytes(const h5::Dataset& dataset)
{
    if (!dataset.has_attribute(checksum_attribute))
    {
        return false;
    }
    const std::size_t rows = dataset.shape().at(0);
    const std::size_t row = rows == 0 ? 1 : dataset.size() / rows;
    const std::size_t rows_at_once = bytes_at_once / std::max<std::size_t>(row, 1) + 1;
    require_checksum(dataset, crc32_of_rows<std::uint8_t>(dataset, 0, rows, rows_at_once));
    return true;
}

/// Of each encoded image, its checksum; without one, whether it can be decoded.
class EncodedImages
{
public:
    EncodedImages(const DatasetFile& file, const std::string& split)
        : file_(file),
          split_(split),
          offsets_(file.offsets(split)),
          checksums_(file.checksums(split)),
          names_(file.names(split))
    {
        findings_.have_checksums = !checksums_.empty();
    }

    Findings verify()
    {
        for (std::size_t first = 0, last = 0; first < names_.size(); first = last)
        {
            last = first + 1;
            while (last < names_.size() && offsets_[last + 1] - offsets_[first] <= bytes_at_once)
            {
                ++last;
            }
            std::vector<std::uint8_t> piece(offsets_[last] - offsets_[first]);
            file_.read_encoded(split_, offsets_[first], piece.size(), piece);
            for (std::size_t i = first; i < last; ++i)
            {
                verify(i, std::span<const std::uint8_t>(piece).subspan(offsets_[i] - offsets_[first],
                                                                       offsets_[i + 1] - offsets_[i]));
            }
        }
        return findings_;
    }

private:
    void verify(std::size_t i, std::span<const std::uint8_t> bytes)
    {
        if (findings_.have_checksums)
        {
            require_image_checksum(file_.path().string() + ", split '" + split_ + "'", names_[i], bytes, checksums_[i]);
            return;
        }
        try
        {
            decoder_.decode(bytes, names_[i]);
        }
        catch (const ImageError& error)
        {
            findings_.first_undecodable = findings_.undecodable++ == 0 ? error.what() : findings_.first_undecodable;
        }
    }

    const DatasetFile& file_;
    const std::string& split_;
    std::vector<std::uint64_t> offsets_;
    std::vector<std::uint32_t> checksums_;
    std::vector<std::string> names_;
    ImageDecoder decoder_;
    Findings findings_;
};

Findings verify_images(const DatasetFile& dataset, const h5::File& file, const std::string& split)
{
    Findings findings;
    if (dataset.is_encoded(split))
    {
        findings = EncodedImages(dataset, split).verify();
        dataset.sizes(split);
    }
    const bool whole = verify_bytes(file.dataset(split + (dataset.is_encoded(split) ? "/encoded" : "/images")));
    findings.have_checksums = findings.have_checksums || whole;
    return findings;
}
}  // namespace

std::string describe_dataset(const std::filesystem::path& path, bool sealed)
{
    const DatasetFile dataset(path);
    const h5::File file = h5::File::open(path);
    std::ostringstream text;
    text << plural(dataset.class_names().size(), "class", "es") << ": " << listed(dataset.class_names()) << "\n";
    bool all_have_checksums = true;
    bool all_decodable = true;
    for (const std::string& split : dataset.split_names())
    {
        dataset.names(split);
        const Findings findings = verify_images(dataset, file, split);
        // A seal that matches has vouched for all bytes.
        all_have_checksums = (sealed || findings.have_checksums) && all_have_checksums;
        all_decodable = findings.undecodable == 0 && all_decodable;
        text << printable(split) << ": " << plural(dataset.count(split), "image") << ", ";
        if (dataset.is_encoded(split))
        {
            text << "encoded (JPEG, PNG), " << size_in_words(file.dataset(split + "/encoded").size());
        }
        else
        {
            text << dataset.height(split) << "x" << dataset.width(split);
        }
        text << ", " << class_sizes(dataset.labels(split), dataset.class_names().size()) << "\n";
        if (dataset.is_encoded(split))
        {
            for (const std::string& left_out : dataset.skipped(split))
            {
                text << "  left out " << left_out << "\n";
            }
        }
        if (findings.undecodable > 0)
        {
            text << "  " << plural(findings.undecodable, "image")
                 << " cannot be decoded; the first: " << findings.first_undecodable << "\n";
        }
    }
    text << (all_have_checksums || all_decodable
                 ? verdict(all_have_checksums)
                 : "not all of its images are readable; it has no checksums for them\n");
    return text.str();
}
}  // namespace paws::io

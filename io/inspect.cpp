#include "io/inspect.hpp"

#include <algorithm>
#include <array>
#include <sstream>
#include <string_view>

#include "io/checkpoint_file.hpp"
#include "io/checksum.hpp"
#include "io/dataset_file.hpp"
#include "io/embeddings_file.hpp"
#include "io/error.hpp"
#include "io/format.hpp"
#include "io/inspect_torch.hpp"
#include "io/local_copy.hpp"
#include "io/printable.hpp"
#include "io/seal.hpp"
#include "io/torch_file.hpp"

namespace paws::io
{
namespace
{
/// "a, b, c" or, if they are many, the first few.
std::string listed(const std::vector<std::string>& words)
{
    constexpr std::size_t most = 10;
    std::string text;
    for (std::size_t i = 0; i < std::min(words.size(), most); ++i)
    {
        text += (i == 0 ? "" : ", ") + printable(words[i]);
    }
    return text + (words.size() > most ? ", ..." : "");
}

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

std::string plural(std::size_t count, const std::string& word, const std::string& ending = "s")
{
    return std::to_string(count) + " " + word + (count == 1 ? "" : ending);
}

/// Whether a data set of bytes has a checksum; throws if that does not match. Holds some rows at a time.
bool verify_bytes(const h5::Dataset& dataset)
{
    if (!dataset.has_attribute(checksum_attribute))
    {
        return false;
    }
    constexpr std::size_t piece_bytes = std::size_t{1} << 24;
    const std::size_t rows = dataset.shape().at(0);
    const std::size_t row = rows == 0 ? 1 : dataset.size() / rows;
    const std::size_t rows_at_once = piece_bytes / std::max<std::size_t>(row, 1) + 1;
    require_checksum(dataset, crc32_of_rows<std::uint8_t>(dataset, 0, rows, rows_at_once));
    return true;
}

const char* verdict(bool all_have_checksums)
{
    return all_have_checksums ? "whole: all checksums match\n" : "readable; it has no checksums for its pictures\n";
}

std::string describe_dataset(const std::filesystem::path& path, bool sealed)
{
    const DatasetFile dataset(path);
    const h5::File file = h5::File::open(path);
    std::ostringstream text;
    text << plural(dataset.class_names().size(), "class", "es") << ": " << listed(dataset.class_names()) << "\n";
    bool verified = true;
    for (const std::string& split : dataset.split_names())
    {
        dataset.names(split);
        const bool encoded = dataset.is_encoded(split);
        // A seal that matches has vouched for all bytes.
        verified = (sealed || verify_bytes(file.dataset(split + (encoded ? "/encoded" : "/images")))) && verified;
        text << printable(split) << ": " << plural(dataset.count(split), "picture") << ", ";
        if (encoded)
        {
            text << "encoded (JPEG, PNG), " << size_in_words(file.dataset(split + "/encoded").size());
        }
        else
        {
            text << dataset.height(split) << "x" << dataset.width(split);
        }
        text << ", " << class_sizes(dataset.labels(split), dataset.class_names().size()) << "\n";
        if (encoded)
        {
            for (const std::string& left_out : dataset.skipped(split))
            {
                text << "  left out " << left_out << "\n";
            }
        }
    }
    text << verdict(verified);
    return text.str();
}

void describe_reals(std::ostream& text, const std::string& name, const h5::Dataset& values)
{
    text << printable(name) << ": "
         << plural(values.shape()[1], name == "probabilities" ? "class" : "dimension",
                   name == "probabilities" ? "es" : "s")
         << ", float" << 8 * values.element_size();
    if (const h5::Shape chunk = values.chunk(); !chunk.empty())
    {
        text << ", in chunks of " << plural(chunk[0], "row");
    }
    if (const int level = values.compression(); level > 0)
    {
        text << ", deflate " << level;
    }
    text << "\n";
}

std::string describe_embeddings(const std::filesystem::path& path, bool sealed)
{
    const EmbeddingsFile file(path, sealed);
    std::ostringstream text;
    text << plural(file.count(), "picture") << " of split " << printable(file.source().split) << "\n";
    for (const std::string& name : file.outputs())
    {
        describe_reals(text, name, file.reals(name));
    }
    if (file.has_probabilities())
    {
        describe_reals(text, "probabilities", file.reals("probabilities"));
    }
    text << "checkpoint: " << printable(file.source().checkpoint) << ", epoch " << file.source().epoch << "\n";
    text << "temperature: " << file.source().temperature << "\n";
    text << verdict(true);
    return text.str();
}

void describe_arrays(std::ostream& text, const char* title, const NamedArrays& arrays)
{
    std::size_t numbers = 0;
    std::size_t bytes = 0;
    for (const auto& [name, array] : arrays)
    {
        numbers += h5::element_count(array.shape);
        bytes += array.bytes.size();
    }
    text << title << ": " << plural(arrays.size(), "array") << ", " << plural(numbers, "number") << ", "
         << plural(bytes, "byte") << "\n";
}

std::string describe_checkpoint(const std::filesystem::path& path, bool)
{
    const Checkpoint checkpoint = read_checkpoint(path);
    const Progress& progress = checkpoint.progress;
    std::ostringstream text;
    describe_arrays(text, "encoder", checkpoint.encoder);
    describe_arrays(text, "momentum", checkpoint.momentum);
    text << "epoch " << progress.epoch << ", iteration " << progress.iteration << "\n";
    for (const auto& [name, value] : progress.integers)
    {
        text << printable(name) << ": " << value << "\n";
    }
    for (const auto& [name, value] : progress.reals)
    {
        text << printable(name) << ": " << value << "\n";
    }
    for (const auto& [name, value] : progress.texts)
    {
        text << printable(name) << ": " << plural(value.size(), "byte") << " of text\n";
    }
    text << "config: "
         << plural(static_cast<std::size_t>(std::count(checkpoint.config.begin(), checkpoint.config.end(), '\n')),
                   "line")
         << "\n";
    text << verdict(true);
    return text.str();
}

std::string describe_timings(const std::filesystem::path& path, bool)
{
    const h5::File file = open_verified(path, timings_format);
    std::ostringstream text;
    const auto steps = static_cast<std::size_t>(file.attribute<std::int64_t>("steps"));
    const auto ranks = static_cast<std::size_t>(file.attribute<std::int64_t>("world_size"));
    text << plural(steps, "step") << " of " << plural(ranks, "rank") << ": "
         << printable(file.attribute<std::string>("task")) << ", " << printable(file.attribute<std::string>("network"))
         << ", " << printable(file.attribute<std::string>("precision")) << "\n"
         << "phases: " << listed(file.dataset("phases").read<std::string>()) << "\n"
         << plural(file.dataset("gradients/bytes").size(), "gradient") << ", "
         << plural(file.dataset("batch_norms/channels").size(), "call") << " of batch norms\n"
         << verdict(true);
    return text.str();
}

struct Known
{
    const Format& format;
    std::string (*describe)(const std::filesystem::path&, bool sealed);
};
}  // namespace

std::string describe(const std::filesystem::path& path)
{
    const std::array<Known, 4> known = {{{dataset_format, describe_dataset},
                                         {embeddings_format, describe_embeddings},
                                         {checkpoint_format, describe_checkpoint},
                                         {timings_format, describe_timings}}};
    if (is_torch_file(path))
    {
        return describe_torch(path);
    }
    const bool sealed = verify_seal(path);
    const h5::File file = h5::File::open(path);
    const std::string name = file.has_attribute("format") ? file.attribute<std::string>("format") : "";
    const auto found = std::find_if(known.begin(), known.end(), [&](const Known& k) { return k.format.name == name; });
    if (found == known.end())
    {
        throw Error(path.string() + ": is HDF5, but not a file of paws_hpc (its attribute 'format' is '" + name +
                    "'); give a data set, embeddings, a checkpoint or timings");
    }
    open_format(path, found->format);
    const std::string maker =
        file.has_attribute("created_by") ? file.attribute<std::string>("created_by") : "another program";
    return printable(path.string()) + ": " + name + ", version " +
           std::to_string(file.attribute<std::int64_t>("version")) + ", made by " + printable(maker) + "\n" +
           found->describe(path, sealed);
}
}  // namespace paws::io

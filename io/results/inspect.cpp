#include "io/results/inspect.hpp"

#include <algorithm>
#include <array>
#include <sstream>
#include <string_view>

#include "io/base/error.hpp"
#include "io/base/printable.hpp"
#include "io/base/quantity.hpp"
#include "io/checkpoint/checkpoint_file.hpp"
#include "io/files/other_file.hpp"
#include "io/files/seal.hpp"
#include "io/hdf5/format.hpp"
#include "io/results/embeddings_file.hpp"
#include "io/results/inspect_dataset.hpp"
#include "io/results/inspect_torch.hpp"
#include "io/results/inspect_words.hpp"
#include "io/torch/torch_file.hpp"

namespace paws::io
{
namespace
{
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
    text << plural(file.count(), "image") << " of split " << printable(file.source().split) << "\n";
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
    refuse_other_file(path);
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

#include "io/embeddings_file.hpp"

#include "io/checksum.hpp"
#include "io/error.hpp"
#include "io/format.hpp"
#include "io/seal.hpp"

namespace paws::io
{
namespace
{
void require_whole(const std::filesystem::path& path, const Embeddings& embeddings)
{
    const std::size_t count = embeddings.count();
    if (embeddings.values.size() != count * embeddings.dimensions || embeddings.index.size() != count ||
        embeddings.names.size() != count)
    {
        throw Error(path.string() + ": " + std::to_string(count) + " labels, " +
                    std::to_string(embeddings.index.size()) + " positions, " + std::to_string(embeddings.names.size()) +
                    " names and " + std::to_string(embeddings.values.size()) + " numbers of embeddings with " +
                    std::to_string(embeddings.dimensions) + " dimensions do not match; make the file again");
    }
}

template <typename T>
void write_numbers(h5::File& file, const std::string& name, const std::vector<T>& values, const h5::Shape& shape)
{
    h5::Dataset dataset = file.write<T>(name, values, shape);
    store_checksum(dataset, crc32(std::as_bytes(std::span(values))));
}

template <typename T>
std::vector<T> read_numbers(const h5::Dataset& dataset)
{
    std::vector<T> values = dataset.read<T>();
    require_checksum(dataset, crc32(std::as_bytes(std::span(values))));
    return values;
}
}  // namespace

void write_embeddings(const std::filesystem::path& path, const Embeddings& embeddings)
{
    require_whole(path, embeddings);
    const std::size_t count = embeddings.count();
    h5::File file = h5::File::create(path);
    write_format(file, embeddings_format);
    file.set_attribute("checkpoint", embeddings.checkpoint);
    file.set_attribute("split", embeddings.split);
    file.set_attribute("config", embeddings.config);
    file.set_attribute("temperature", embeddings.temperature);
    write_numbers(file, "embeddings", embeddings.values, {count, embeddings.dimensions});
    write_numbers(file, "labels", embeddings.labels, {count});
    write_numbers(file, "index", embeddings.index, {count});
    h5::Dataset names = file.write_strings("names", embeddings.names);
    store_checksum(names, crc32(embeddings.names));
    file.save();
}

Embeddings read_embeddings(const std::filesystem::path& path)
{
    verify_seal(path);
    const h5::File file = open_format(path, embeddings_format);
    Embeddings embeddings;
    const h5::Dataset values = file.dataset("embeddings");
    if (values.shape().size() != 2)
    {
        throw Error(values.where() + ": must be [N, D]; make the file again");
    }
    embeddings.values = read_numbers<float>(values);
    embeddings.dimensions = values.shape()[1];
    embeddings.labels = read_numbers<std::int64_t>(file.dataset("labels"));
    embeddings.index = read_numbers<std::int64_t>(file.dataset("index"));
    const h5::Dataset names = file.dataset("names");
    embeddings.names = names.read<std::string>();
    require_checksum(names, crc32(embeddings.names));
    embeddings.checkpoint = file.attribute<std::string>("checkpoint");
    embeddings.split = file.attribute<std::string>("split");
    embeddings.config = file.attribute<std::string>("config");
    embeddings.temperature = file.attribute<double>("temperature");
    require_whole(path, embeddings);
    return embeddings;
}
}  // namespace paws::io

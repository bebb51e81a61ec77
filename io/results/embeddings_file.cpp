#include "io/results/embeddings_file.hpp"

#include "io/base/error.hpp"
#include "io/files/checksum.hpp"
#include "io/files/seal.hpp"
#include "io/hdf5/format.hpp"
#include "io/hdf5/stored_checksum.hpp"

namespace paws::io
{
namespace
{
constexpr std::size_t checked_bytes = std::size_t{16} << 20;

template <typename T>
void verify(const h5::Dataset& dataset)
{
    const std::size_t rows = dataset.shape().at(0);
    const std::size_t row_bytes = rows == 0 ? 1 : dataset.size() / rows * sizeof(T);
    require_checksum(dataset, crc32_of_rows<T>(dataset, 0, rows, checked_bytes / row_bytes + 1));
}

std::vector<std::string> outputs_of(const h5::File& file)
{
    if (file.has_attribute("outputs"))
    {
        return file.attribute_array<std::string>("outputs");
    }
    return {"embeddings"};
}

/// What files of other makers need not say.
template <typename T>
T attribute_or(const h5::File& file, const std::string& name, const T& otherwise)
{
    return file.has_attribute(name) ? file.attribute<T>(name) : otherwise;
}
}  // namespace

EmbeddingsFile::EmbeddingsFile(const std::filesystem::path& path) : EmbeddingsFile(path, verify_seal(path)) {}

EmbeddingsFile::EmbeddingsFile(const std::filesystem::path& path, bool sealed)
    : file_(open_format(path, embeddings_format)), outputs_(outputs_of(file_))
{
    source_.labels = file_.dataset("labels").read<std::int64_t>();
    source_.index = file_.dataset("index").read<std::int64_t>();
    source_.names = file_.dataset("names").read<std::string>();
    source_.checkpoint = file_.attribute<std::string>("checkpoint");
    source_.epoch = attribute_or<std::int64_t>(file_, "epoch", 0);
    source_.checkpoint_config = attribute_or<std::string>(file_, "checkpoint_config", "");
    source_.split = file_.attribute<std::string>("split");
    source_.config = file_.attribute<std::string>("config");
    source_.temperature = file_.attribute<double>("temperature");
    const auto require_length = [&](const std::string& name, std::size_t length)
    {
        if (length != count())
        {
            throw Error(path.string() + ": " + name + " has " + std::to_string(length) + " rows, labels has " +
                        std::to_string(count()) + "; make the file again");
        }
    };
    require_length("index", source_.index.size());
    require_length("names", source_.names.size());
    auto names = outputs_;
    names.emplace_back("embeddings");
    if (has_probabilities())
    {
        names.emplace_back("probabilities");
        require_length("predicted", file_.dataset("predicted").size());
    }
    for (const std::string& name : names)
    {
        require_length(name, reals(name).shape()[0]);
    }
    if (!sealed)
    {
        verify_checksums();
    }
}

void EmbeddingsFile::verify_checksums() const
{
    verify<std::int64_t>(file_.dataset("labels"));
    verify<std::int64_t>(file_.dataset("index"));
    require_checksum(file_.dataset("names"), crc32(source_.names));
    auto names = outputs_;
    if (has_probabilities())
    {
        names.emplace_back("probabilities");
        verify<std::int64_t>(file_.dataset("predicted"));
    }
    for (const std::string& name : names)
    {
        const h5::Dataset values = reals(name);
        values.element_size() == sizeof(h5::Half) ? verify<h5::Half>(values) : verify<float>(values);
    }
}

bool EmbeddingsFile::has_probabilities() const
{
    return file_.has_dataset("probabilities");
}

h5::Dataset EmbeddingsFile::reals(const std::string& name) const
{
    h5::Dataset dataset = file_.dataset(name);
    if (dataset.shape().size() != 2 || dataset.kind() != h5::Kind::real)
    {
        throw Error(dataset.where() + ": must be real numbers [N, D]; make the file again");
    }
    return dataset;
}

std::vector<float> EmbeddingsFile::rows(const std::string& name, std::size_t first, std::size_t count) const
{
    const h5::Dataset dataset = reals(name);
    std::vector<float> values(count * dataset.shape()[1]);
    dataset.read_rows(first, count, std::span(values));
    return values;
}

std::vector<std::int64_t> EmbeddingsFile::predicted() const
{
    return file_.dataset("predicted").read<std::int64_t>();
}
}  // namespace paws::io

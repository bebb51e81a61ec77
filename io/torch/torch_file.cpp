#include "io/torch/torch_file.hpp"

#include <algorithm>
#include <span>
#include <stdexcept>

#include "io/base/error.hpp"
#include "io/files/other_file.hpp"
#include "io/files/read_file.hpp"
#include "io/torch/torch_legacy.hpp"
#include "io/torch/torch_pickle.hpp"
#include "io/torch/torch_storage.hpp"
#include "io/torch/zip_file.hpp"

namespace paws::io
{
namespace
{
constexpr std::string_view zip_beginning = "PK\x03\x04";
/// Of all that torch.save writes, so that a storage can be mapped into memory and used there.
constexpr std::uint64_t storage_alignment = 64;

std::string first_bytes(const std::filesystem::path& path)
{
    std::string bytes(32, '\0');
    Descriptor file = open_file(path);
    bytes.resize(file.read(std::as_writable_bytes(std::span(bytes))));
    return bytes;
}

std::string text_of(const std::vector<std::byte>& bytes)
{
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string_view view_of(const std::vector<std::byte>& bytes)
{
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// What a zip file without a data.pkl of torch.save is.
[[noreturn]] void refuse_zip(const ZipReader& zip, const std::string& source)
{
    const auto any = [&](const auto& is_so)
    { return std::any_of(zip.entries().begin(), zip.entries().end(), [&](const auto& e) { return is_so(e.first); }); };
    const auto ends_with = [&](std::string_view ending)
    { return any([&](const std::string& name) { return name.ends_with(ending); }); };
    std::string what = "is a zip file, but not one of torch.save (it has no data.pkl)";
    if (ends_with("/constants.pkl") || ends_with("/model.json") || ends_with("serialized_exported_program.json"))
    {
        what = "is a program of TorchScript or torch.export";
    }
    else if (ends_with("/.data/extern_modules"))
    {
        what = "is a package of torch.package";
    }
    else if (ends_with(".npy"))
    {
        what = "is a file of numpy.savez";
    }
    throw Error(source + ": " + what + "; give a checkpoint: the state_dict of a network, saved with torch.save");
}

/// The folder in the zip file that all is in, with its slash.
std::string find_folder(const ZipReader& zip, const std::string& source)
{
    constexpr std::string_view pickle = "data.pkl";
    std::string folder;
    for (const auto& [name, size] : zip.entries())
    {
        const auto slash = name.find('/');
        if (slash == std::string::npos || name.substr(slash + 1) != pickle)
        {
            continue;
        }
        if (!folder.empty())
        {
            throw Error(source + ": has two pickles; it is not written by torch.save");
        }
        folder = name.substr(0, slash + 1);
    }
    if (folder.empty())
    {
        refuse_zip(zip, source);
    }
    const auto has_code = std::any_of(zip.entries().begin(), zip.entries().end(),
                                      [&](const auto& entry) { return entry.first.starts_with(folder + "code/"); });
    if (has_code || zip.entries().contains(folder + "constants.pkl"))
    {
        throw Error(source +
                    ": is a TorchScript program; save the weights of its module instead: "
                    "torch.save(torch.jit.load(FILE).state_dict(), OTHER)");
    }
    return folder;
}

TorchValue read_zip(const std::filesystem::path& path)
{
    const std::string source = path.string();
    const ZipReader zip(path);
    const std::string folder = find_folder(zip, source);
    if (const auto order = folder + "byteorder"; zip.entries().contains(order) && text_of(zip.read(order)) != "little")
    {
        throw Error(source + ": was written by a big-endian machine; load and save it again on a little-endian one");
    }
    constexpr std::uint64_t largest_pickle = std::uint64_t{64} << 20;
    if (zip.entries().at(folder + "data.pkl") > largest_pickle)
    {
        throw Error(source + ": has a data.pkl of more than 64 MiB; save tensors and numbers alone");
    }
    const std::vector<std::byte> bytes = zip.read(folder + "data.pkl");
    std::string_view left = view_of(bytes);
    const auto document = read_torch_pickle(left, source);
    if (!left.empty())
    {
        throw Error(source + ": has bytes after its end; it is damaged, or not a file of the kind expected");
    }
    TensorMaker maker(source, zip.content_size(),
                      [&](const TensorPlace& place) { return zip.read(folder + "data/" + place.storage); });
    plan_tensors(document.root(), source, maker);
    return make_value(document.root(), source, maker);
}

void write_numbers(pickle::Writer& writer, const std::vector<std::size_t>& numbers)
{
    writer.open_tuple();
    for (const std::size_t number : numbers)
    {
        writer.integer(static_cast<std::int64_t>(number));
    }
    writer.close_tuple();
}

/// As torch.save describes a tensor that has a storage of its own.
void write_tensor(pickle::Writer& writer, const TorchTensor& tensor, const std::string& key)
{
    std::vector<std::size_t> strides(tensor.shape.size(), 1);
    for (std::size_t d = tensor.shape.size(); d-- > 1;)
    {
        strides[d - 1] = strides[d] * std::max<std::size_t>(tensor.shape[d], 1);
    }
    writer.global("torch._utils", "_rebuild_tensor_v2");
    writer.open_tuple();
    writer.open_tuple();
    writer.text("storage");
    writer.global("torch", storage_name(tensor.type));
    writer.text(key);
    writer.text("cpu");
    writer.integer(static_cast<std::int64_t>(tensor.bytes.size() / element_size(tensor.type)));
    writer.close_tuple();
    writer.persistent();
    writer.integer(0);
    write_numbers(writer, tensor.shape);
    write_numbers(writer, strides);
    writer.boolean(false);
    writer.global("collections", "OrderedDict");
    writer.open_tuple();
    writer.close_tuple();
    writer.call();
    writer.close_tuple();
    writer.call();
}
}  // namespace

bool is_torch_file(const std::filesystem::path& path)
{
    const std::string bytes = first_bytes(path);
    return bytes.starts_with(zip_beginning) || is_legacy_torch(bytes);
}

bool is_zip_torch_file(const std::filesystem::path& path)
{
    return first_bytes(path).starts_with(zip_beginning);
}

TorchValue read_torch_file(const std::filesystem::path& path)
{
    const std::string bytes = first_bytes(path);
    if (is_legacy_torch(bytes))
    {
        return read_legacy_torch(read_file(path), path.string());
    }
    if (!bytes.starts_with(zip_beginning))
    {
        const std::string kind = kind_of_other_file(path);
        throw Error(path.string() + ": " + (kind.empty() ? "is not a file of torch.save; give a checkpoint" : kind));
    }
    return read_zip(path);
}

void write_torch_file(const std::filesystem::path& path, const TorchValue& value)
{
    std::vector<const TorchTensor*> tensors;
    pickle::Writer writer;
    to_pickle(writer, value,
              [&](pickle::Writer& out, const TorchValue& one)
              {
                  if (one.kind != TorchValue::Kind::tensor)
                  {
                      throw std::invalid_argument("a reference cannot be written to a file of PyTorch");
                  }
                  write_tensor(out, one.tensor, std::to_string(tensors.size()));
                  tensors.push_back(&one.tensor);
              });
    const std::string pickle = writer.finish();
    ZipWriter zip(path);
    const std::string folder = "archive/";
    zip.add(folder + "data.pkl", pickle, storage_alignment);
    zip.add(folder + "byteorder", "little", storage_alignment);
    for (std::size_t i = 0; i < tensors.size(); ++i)
    {
        zip.add(folder + "data/" + std::to_string(i), view_of(tensors[i]->bytes), storage_alignment);
    }
    zip.add(folder + "version", "3\n", storage_alignment);
    zip.save();
}
}  // namespace paws::io

#include "io/results/output_kind.hpp"

#include <fcntl.h>

#include <algorithm>
#include <array>
#include <span>
#include <sstream>
#include <string_view>

#include "io/files/descriptor.hpp"
#include "io/files/folder_lock.hpp"
#include "io/files/hdf5_signature.hpp"
#include "io/image/png.hpp"
#include "io/torch/torch_legacy.hpp"

namespace paws::io
{
namespace
{
namespace fs = std::filesystem;

/// Where this program's HDF5 files have the name of their format, and lists show what they are.
constexpr std::size_t head = std::size_t{64} << 10;

/// Whether a file whose structure cannot be read was of the format: the first name of one in it says so. Throws
/// DamagedOutput if there is none.
bool begins_as(const std::string& bytes, const Format& wanted)
{
    const std::array<const Format*, 4> formats = {&dataset_format, &embeddings_format, &checkpoint_format,
                                                  &timings_format};
    const auto* const first =
        *std::min_element(formats.begin(), formats.end(),
                          [&](const auto* a, const auto* b) { return bytes.find(a->name) < bytes.find(b->name); });
    if (bytes.find(first->name) == std::string::npos)
    {
        throw DamagedOutput("damaged HDF5");
    }
    return first->name == wanted.name;
}

bool is_hdf5_of(const fs::path& path, const Format& format)
{
    const std::string bytes = beginning_of_file(path, head);
    if (!bytes.starts_with(hdf5_signature))
    {
        return false;
    }
    try
    {
        const h5::File file = h5::File::open(path);
        return file.has_attribute("format") && file.attribute<std::string>("format") == format.name;
    }
    catch (const Error&)
    {
        return begins_as(bytes, format);
    }
}

/// torch.save begins with the entry NAME/data.pkl, and so do TorchScript's archives, which have code besides.
bool is_torch(const fs::path& path)
{
    constexpr std::size_t header = 30, length_at = 26, longest = 300;
    const std::string bytes = beginning_of_file(path, header + longest);
    if (is_legacy_torch(bytes))
    {
        return true;
    }
    if (bytes.size() <= header || !bytes.starts_with("PK\x03\x04"))
    {
        return false;
    }
    const auto byte = [&](std::size_t i) { return static_cast<std::size_t>(static_cast<unsigned char>(bytes[i])); };
    const std::string name = bytes.substr(header, byte(length_at) + 256 * byte(length_at + 1));
    if (!name.ends_with("/data.pkl"))
    {
        return false;
    }
    // The table of entries stands at the end.
    const auto size = static_cast<std::uint64_t>(fs::file_size(path));
    std::string end(std::min<std::uint64_t>(size, head), '\0');
    Descriptor file(path, O_RDONLY);
    file.seek(size - end.size());
    file.read(std::as_writable_bytes(std::span(end)));
    return end.find("/constants.pkl") == std::string::npos;
}

/// A number on each line, as far as the first lines show.
bool is_list_of_positions(const fs::path& path)
{
    const std::string bytes = beginning_of_file(path, head);
    std::istringstream lines(bytes);
    for (std::string line; std::getline(lines, line);)
    {
        constexpr std::size_t longest_number = 19;
        const std::size_t digits = std::min(line.find_first_not_of("0123456789"), line.size());
        if (digits > longest_number)
        {
            return false;
        }
        if (line.substr(digits) != "" && line.substr(digits) != "\r")
        {
            return false;
        }
    }
    return true;
}

bool begins_with_one_of(const fs::path& path, const std::vector<std::string>& beginnings)
{
    const std::string bytes = beginning_of_file(path, head);
    if (bytes.find('\0') != std::string::npos)
    {
        return false;
    }
    const auto first = bytes.find_first_not_of("\xef\xbb\xbf\"' \t\r\n");
    return first == std::string::npos ||
           std::any_of(beginnings.begin(), beginnings.end(),
                       [&](const std::string& begin) { return bytes.compare(first, begin.size(), begin) == 0; });
}
}  // namespace

std::string beginning_of_file(const fs::path& path, std::size_t most)
{
    std::string bytes(most, '\0');
    Descriptor file(path, O_RDONLY);
    bytes.resize(file.read(std::as_writable_bytes(std::span(bytes))));
    return bytes;
}

OutputKind hdf5_output(const Format& format)
{
    const std::string name = format.name == dataset_format.name      ? "a packed data set"
                             : format.name == embeddings_format.name ? "a file of embeddings"
                             : format.name == checkpoint_format.name ? "a checkpoint of paws_hpc"
                                                                     : "a " + format.name + " file";
    return {name, [format](const fs::path& path) { return is_hdf5_of(path, format); }};
}

OutputKind torch_output()
{
    return {"a checkpoint of PyTorch", is_torch};
}

OutputKind png_output()
{
    return {"a PNG of paws_hpc",
            [](const fs::path& path) { return is_own_png(beginning_of_file(path, own_png_beginning)); }};
}

OutputKind positions_output()
{
    return {"a list of positions", is_list_of_positions, true};
}

OutputKind lock_output()
{
    return {"a lock of a run", [](const fs::path& path)
            {
                constexpr std::size_t longest = 300;
                const std::string text = beginning_of_file(path, longest + 1);
                return text.size() <= longest && text.starts_with(FolderLock::begin_of_text);
            }};
}

OutputKind text_beginning_with(const std::string& name, const std::vector<std::string>& beginnings)
{
    return {name, [beginnings](const fs::path& path) { return begins_with_one_of(path, beginnings); }, true};
}
}  // namespace paws::io

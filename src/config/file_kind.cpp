#include "src/config/file_kind.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <string_view>

#include "io/files/hdf5_signature.hpp"
#include "src/config/config.hpp"

namespace paws::config
{
namespace
{
namespace fs = std::filesystem;
using namespace std::string_view_literals;

/// Files that users have beside their configurations, by their first bytes.
struct Kind
{
    std::string_view beginning;
    const char* name;
    const char* use;
};

constexpr const char* use_of_checkpoint =
    "paws_hpc inspect {0} says what is in it, paws_hpc snn-eval --checkpoint {0} evaluates it";
constexpr const char* use_of_image = "images are packed first: paws_hpc pack";

constexpr std::array kinds{
    Kind{
        io::hdf5_signature, "an HDF5 file",
        "paws_hpc inspect {0} says what is in it; a data set is named by data.file in a configuration, a checkpoint is "
        "evaluated by paws_hpc snn-eval --checkpoint {0}"},
    Kind{"PK\x03\x04"sv, "a zip archive, as checkpoints of PyTorch are", use_of_checkpoint},
    Kind{"\x80\x02"sv, "a pickle, as old checkpoints of PyTorch are", use_of_checkpoint},
    Kind{"\x80\x03"sv, "a pickle, as old checkpoints of PyTorch are", use_of_checkpoint},
    Kind{"\x80\x04"sv, "a pickle, as old checkpoints of PyTorch are", use_of_checkpoint},
    Kind{"\x80\x05"sv, "a pickle, as old checkpoints of PyTorch are", use_of_checkpoint},
    Kind{"\x89PNG"sv, "an image (PNG)", use_of_image},
    Kind{"\xff\xd8\xff"sv, "an image (JPEG)", use_of_image},
    Kind{"\x1f\x8b"sv, "a compressed file (gzip)", "unpack it first"},
};

[[noreturn]] void refuse(const std::string& path, const std::string& what, const std::string& use)
{
    throw Error(fmt::format("{}: is {}, no YAML file of settings; {}", path, what, use));
}
}  // namespace

void refuse_other_files(const std::string& path)
{
    std::error_code error;
    if (fs::is_directory(path, error))
    {
        refuse(path, "a folder", "name a YAML file (a run writes its own as params-TASK.yaml)");
    }
    if (!fs::is_regular_file(path, error))
    {
        return;
    }
    constexpr std::size_t enough = 4096;
    std::string head(enough, '\0');
    std::ifstream file(path, std::ios::binary);
    file.read(head.data(), static_cast<std::streamsize>(head.size()));
    head.resize(static_cast<std::size_t>(file.gcount()));
    for (const Kind& kind : kinds)
    {
        if (head.starts_with(kind.beginning))
        {
            refuse(path, kind.name, fmt::format(fmt::runtime(kind.use), path));
        }
    }
    // Of UTF-16 too, which yaml-cpp would read: its first bytes say so.
    const bool is_utf16 = head.starts_with("\xff\xfe"sv) || head.starts_with("\xfe\xff"sv);
    if (!is_utf16 && head.find('\0') != std::string::npos)
    {
        refuse(path, "no text", "name the YAML file of a run");
    }
}
}  // namespace paws::config

#include "src/commands/summary.hpp"

#include "io/base/printable.hpp"
#include "io/files/read_file.hpp"

namespace paws::commands
{
namespace
{
/// JSON is UTF-8, names of files need not be.
Summary in_utf8(Summary value)
{
    if (value.is_string())
    {
        return io::as_utf8(value.get_ref<const std::string&>());
    }
    if (value.is_structured())
    {
        for (auto& item : value)
        {
            item = in_utf8(std::move(item));
        }
    }
    return value;
}

/// Other JSON files of ours name their format. A file that is too large for a summary is not read.
bool is_summary(const std::filesystem::path& path)
{
    constexpr std::uintmax_t most_bytes = std::uintmax_t{256} << 20;
    const auto first = io::beginning_of_file(path, 1);
    if (first != "{" || std::filesystem::file_size(path) > most_bytes)
    {
        return false;
    }
    const auto content = Summary::parse(io::read_file(path), nullptr, false);
    return content.is_object() && content.contains("task") && content["task"].is_string() &&
           !content.contains("format");
}
}  // namespace

io::OutputKind summary_output()
{
    return {"a summary of paws_hpc", is_summary, true};
}

void write_summary(io::TextOutput& output, const Summary& summary)
{
    output.write({in_utf8(summary).dump(2), "\n"});
}

bool is_of_training(const Summary& summary)
{
    return summary.contains("log_is_whole") && summary.value("task", "") != "demo";
}

bool has_stopped(const Summary& summary)
{
    return summary.contains("stopped");
}
}  // namespace paws::commands

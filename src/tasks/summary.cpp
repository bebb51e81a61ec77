#include "src/tasks/summary.hpp"

#include "io/atomic_file.hpp"
#include "io/printable.hpp"

namespace paws::tasks
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
}  // namespace

void write_summary(const std::filesystem::path& path, const Summary& summary)
{
    io::write_atomically(path, {in_utf8(summary).dump(2), "\n"});
}
}  // namespace paws::tasks

#include "src/tasks/summary.hpp"

#include "io/atomic_file.hpp"

namespace paws::tasks
{
void write_summary(const std::filesystem::path& path, const Summary& summary)
{
    io::write_atomically(path, {summary.dump(2), "\n"});
}
}  // namespace paws::tasks

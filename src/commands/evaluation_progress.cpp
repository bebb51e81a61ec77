#include "src/commands/evaluation_progress.hpp"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <memory>

#include "io/base/live_line.hpp"
#include "io/base/seconds.hpp"
#include "src/logging/work_progress.hpp"

namespace paws::commands
{
train::EmbedProgress evaluation_progress(std::int64_t images, const comm::World& world)
{
    if (!world.is_first())
    {
        return {};
    }
    return [line = std::make_shared<io::LiveLine>(STDOUT_FILENO), start = std::chrono::steady_clock::now(), images,
            ranks = world.world_size(), mine = std::int64_t{0}](std::int64_t done) mutable
    {
        mine += done;
        line->update(
            [&]
            {
                logging::WorkDone work;
                work.verb = "evaluated";
                work.items = static_cast<std::uint64_t>(std::min(images, mine * ranks));
                work.all_items = static_cast<std::uint64_t>(images);
                work.seconds = io::seconds_since(start);
                return logging::format_work(work);
            });
    };
}
}  // namespace paws::commands

#include "src/logging/progress_line.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace paws::logging
{
std::string format_duration(double seconds)
{
    const auto total = static_cast<std::int64_t>(std::llround(std::max(0.0, seconds)));
    if (total < 60)
    {
        return fmt::format("{} s", total);
    }
    if (total < 3600)
    {
        return fmt::format("{} min {:02} s", total / 60, total % 60);
    }
    return fmt::format("{} h {:02} min", total / 3600, total % 3600 / 60);
}

std::string format_progress(const ProgressValues& v)
{
    auto line = fmt::format("epoch {}/{}  {}  lr {:.3g}  {:.0f} images/s  data wait {:.1f} %{}", v.epoch, v.epochs,
                            v.loss, v.learning_rate, v.images_per_second, 100 * v.data_wait_share,
                            v.ranks > 1 ? fmt::format("  comm {:.1f} %", 100 * v.comm_wait_share) : "");
    if (v.top1)
    {
        line += fmt::format("  top-1 {:.1f} %", 100 * *v.top1);
    }
    return line + fmt::format("  {} left", format_duration(v.seconds_left));
}
}  // namespace paws::logging

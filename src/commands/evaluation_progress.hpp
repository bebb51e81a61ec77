#pragma once

#include <chrono>
#include <cstdint>

#include "io/base/live_line.hpp"

namespace paws::commands
{
/// What the first rank shows while images are evaluated, which all ranks share out equally.
class EvaluationProgress
{
public:
    /// `images`: of all ranks.
    EvaluationProgress(std::int64_t images, int ranks);

    /// So many more of this rank's are done.
    void advance(std::int64_t images);

private:
    std::int64_t all_;
    std::int64_t ranks_;
    std::int64_t mine_ = 0;
    std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
    io::LiveLine line_;
};
}  // namespace paws::commands

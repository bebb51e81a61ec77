#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace paws::logging
{
/// What the user watches during training.
struct ProgressValues
{
    std::int64_t epoch = 0, epochs = 0;  ///< epoch counted from 1
    std::int64_t step = 0, steps = 0;    ///< of the whole run
    std::string loss;                    ///< means over the epoch so far, as the method describes them
    double learning_rate = 0;
    double images_per_second = 0;
    double data_wait_share = 0;  ///< of the time since the epoch began
    int ranks = 1;
    double comm_wait_share = 0;  ///< likewise; shown where there are several ranks
    double seconds_left = 0;
    std::optional<double> top1;  ///< of the last evaluation, from 0 to 1
};

/// "epoch 3/60  loss 1.234  entropy 2.29 of 2.30  lr 1.20  1234 images/s  data wait 0.1 %  top-1 71.2 %  4 min 10 s
/// left"
std::string format_progress(const ProgressValues& values);

/// "8 s", "4 min 10 s", "3 h 05 min".
std::string format_duration(double seconds);
}  // namespace paws::logging

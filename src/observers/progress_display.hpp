#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "io/base/live_line.hpp"
#include "src/logging/progress_line.hpp"
#include "src/methods/method.hpp"
#include "src/train/observer.hpp"

namespace paws::observers
{
/// Shows the user how training goes, on standard output, where it speaks; and counts for the summary.
class ProgressDisplay final : public train::Observer
{
public:
    /// Those of the whole run.
    struct Totals
    {
        std::int64_t epochs = 0;
        std::int64_t steps = 0;
        std::int64_t first_step = 0;  ///< done before this start
        int ranks = 1;
    };

    /// `method`, whose values are shown, outlives this.
    ProgressDisplay(const methods::Method& method, const Totals& totals, bool speaks);

    void before_training(train::EpochReport& report) override;
    void before_epoch() override;
    void after_step(const train::StepReport& report) override;
    void after_epoch(train::EpochReport& report) override;
    void after_training() override;
    void summarise(nlohmann::json& summary) const override;

private:
    void finish_line();

    const methods::Method& method_;
    Totals totals_;
    std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
    logging::ProgressValues shown_;
    std::optional<io::LiveLine> line_;  ///< where it speaks
    bool is_in_epoch_ = false;
};
}  // namespace paws::observers

#pragma once

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>

namespace paws::comm
{
/// How a rank was found to fail. The last two may follow from another rank's failure, the last one more likely.
enum class Cause
{
    failed,     ///< it says so
    lost,       ///< its connection ended without a word
    silent,     ///< no sign of life within the deadline
    waiting,    ///< it says so, but waited for others
    signalled,  ///< it was told to end, perhaps by the launcher
};

struct Report
{
    int rank = 0;
    Cause cause = Cause::failed;
    int code = 1;  ///< that the processes exit with
    std::string message;
};

/// Finds the one report to end with: a rank's failure makes others fail too, and what reaches the judge first need not
/// be what came first.
class Verdict
{
public:
    using Time = std::chrono::steady_clock::time_point;

    /// `patience`: for how long a report of Cause::waiting leaves room for one that explains it.
    explicit Verdict(std::chrono::milliseconds patience) : patience_(patience) {}

    void add(const Report& report, Time now)
    {
        // Launchers kill, a second or so later, those whom they told to end: long before, there must be a verdict.
        constexpr auto patience_with_signals = std::chrono::milliseconds(500);
        const auto waits = report.cause == Cause::waiting ? patience_ : patience_with_signals;
        due_ = std::min(due_, report.cause <= Cause::silent ? now : now + waits);
        // Of two that explain as much, the first to arrive.
        if (!best_ || std::max(report.cause, Cause::silent) < std::max(best_->cause, Cause::silent))
        {
            best_ = report;
        }
    }

    /// The report, from due() on.
    std::optional<Report> decided(Time now) const { return now >= due_ ? best_ : std::nullopt; }
    /// The end of time as long as there is no report.
    Time due() const { return due_; }

private:
    std::chrono::milliseconds patience_;
    std::optional<Report> best_;
    Time due_ = Time::max();
};
}  // namespace paws::comm

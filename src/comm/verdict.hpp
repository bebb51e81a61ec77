#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace paws::comm
{
/// How a rank was found to fail.
enum class Cause
{
    failed,     ///< it says so
    lost,       ///< its connection ended without a word
    silent,     ///< no sign of life within the deadline
    waiting,    ///< it says so, but perhaps as a consequence of another rank's failure
    signalled,  ///< it was told to end, perhaps by the launcher since another rank had failed
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

    void add(const Report& report, Time now);

    /// The report, from due() on.
    std::optional<Report> decided(Time now) const;
    /// None as long as there is no report.
    std::optional<Time> due() const;

private:
    std::chrono::milliseconds patience_;
    std::optional<Report> best_;
    Time due_;
};
}  // namespace paws::comm

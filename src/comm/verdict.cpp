#include "src/comm/verdict.hpp"

#include <algorithm>

namespace paws::comm
{
namespace
{
/// Launchers kill, a second or so later, those whom they told to end: long before, there must be a verdict.
constexpr auto patience_with_signals = std::chrono::milliseconds(500);

/// The lower, the better a report explains the others.
int order_of(Cause cause)
{
    switch (cause)
    {
        case Cause::waiting:
            return 1;
        case Cause::signalled:
            return 2;
        default:
            return 0;
    }
}
}  // namespace

void Verdict::add(const Report& report, Time now)
{
    Time due = now;
    if (report.cause == Cause::waiting)
    {
        due += patience_;
    }
    else if (report.cause == Cause::signalled)
    {
        due += patience_with_signals;
    }
    due_ = best_ ? std::min(due_, due) : due;
    // Of two that explain as much, the first to arrive.
    if (!best_ || order_of(report.cause) < order_of(best_->cause))
    {
        best_ = report;
    }
}

std::optional<Report> Verdict::decided(Time now) const
{
    return best_ && now >= due_ ? best_ : std::nullopt;
}

std::optional<Verdict::Time> Verdict::due() const
{
    return best_ ? std::optional(due_) : std::nullopt;
}
}  // namespace paws::comm

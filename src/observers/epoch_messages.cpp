#include "src/observers/epoch_messages.hpp"

#include <fmt/format.h>

#include "io/base/printable.hpp"
#include "io/base/quantity.hpp"
#include "io/base/say.hpp"
#include "src/data/corrupt_report.hpp"

namespace paws::observers
{
void EpochMessages::after_epoch(train::EpochReport& report)
{
    const auto& last = report.last_step;
    if (const auto warning = collapse_.after_epoch(last.values); warning && speaks_)
    {
        io::say(fmt::format("warning: epoch {}: {}\n", report.epochs_done, *warning));
    }
    if (speaks_ && last.left_out > 0)
    {
        io::say(fmt::format("epoch {}: {} left out, whose float16 gradients overflowed; the loss is scaled by {:.0f}\n",
                            report.epochs_done, io::plural(last.left_out, "step"), last.loss_scale));
    }
    const auto replaced = data::corrupt_report(loader_.corrupt(), communicator_);
    for (const auto& text : speaks_ ? replaced : std::vector<std::string>())
    {
        io::say(fmt::format("epoch {}: {}\n", report.epochs_done, io::printable(text)));
    }
}
}  // namespace paws::observers

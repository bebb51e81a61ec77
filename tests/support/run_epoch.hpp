#pragma once

#include <functional>

#include "src/train/trainer.hpp"

namespace paws::test
{
/// Trains to the end of the epoch, or until a rank asks to stop; true at its end. `on_step` is called after each step,
/// `asked` before it.
inline bool run_epoch(train::Trainer& trainer, const std::function<void(const train::StepReport&)>& on_step,
                      const std::function<train::StepRequest()>& asked = {})
{
    struct Functions final : train::Observer
    {
        void ask(std::int64_t, train::StepRequest& request) override { request = asked ? asked() : request; }
        void after_step(const train::StepReport& report) override { on_step(report); }

        std::function<void(const train::StepReport&)> on_step;
        std::function<train::StepRequest()> asked;
    } functions;
    functions.on_step = on_step;
    functions.asked = asked;
    return trainer.run(trainer.progress().epochs_done + 1, {&functions});
}
}  // namespace paws::test

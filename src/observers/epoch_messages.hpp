#pragma once

#include <memory>

#include "src/comm/communicator.hpp"
#include "src/data/loader.hpp"
#include "src/observers/collapse_watch.hpp"
#include "src/train/observer.hpp"

namespace paws::observers
{
/// Tells the user, after an epoch, what has gone wrong in it and did not end the run: that training has collapsed,
/// steps whose float16 gradients overflowed, corrupt images that were replaced on any rank.
class EpochMessages final : public train::Observer
{
public:
    /// `loader` and `communicator` outlive this.
    EpochMessages(CollapseWatch collapse, const data::Loader& loader, comm::Communicator& communicator, bool speaks)
        : collapse_(std::move(collapse)), loader_(loader), communicator_(communicator), speaks_(speaks)
    {
    }

    void after_epoch(train::EpochReport& report) override;

private:
    CollapseWatch collapse_;
    const data::Loader& loader_;
    comm::Communicator& communicator_;
    bool speaks_;
};
}  // namespace paws::observers

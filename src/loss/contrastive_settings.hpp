#pragma once

#include <cstdint>
#include <memory>

#include "src/comm/communicator.hpp"

namespace paws::loss
{
/// What the SimCLR and the SuNCEt loss have in common.
struct ContrastiveSettings
{
    double temperature = 0.1;  ///< τ of the similarities
    /// Memory for the similarities of this rank's rows and all rows, in bytes; where they need more, they are computed
    /// by blocks, at no more work.
    std::int64_t similarity_bytes = std::int64_t{1} << 30;
    /// The ranks whose rows are compared with.
    std::shared_ptr<comm::Communicator> communicator = comm::make_single_rank();
};
}  // namespace paws::loss

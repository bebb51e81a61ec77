#pragma once

#include <set>
#include <string>
#include <vector>

#include "src/comm/communicator.hpp"

namespace paws::data
{
/// What the end of an epoch says of the corrupt images that were replaced on any rank (ViewPipeline::corrupt): a line
/// each, every image once, ten at most and then how many more; nothing if there were none. Collective.
std::vector<std::string> corrupt_report(const std::set<std::string>& mine, comm::Communicator& communicator);
}  // namespace paws::data

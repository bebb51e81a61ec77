#pragma once

namespace paws::cli
{
/// Throws std::runtime_error if something that was printed has not got to where stdout goes: on a full disk, say.
void require_printed();
}  // namespace paws::cli

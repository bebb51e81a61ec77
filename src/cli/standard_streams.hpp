#pragma once

namespace paws::cli
{
/// A standard stream that is closed when the program starts would be the next file that it opens, and what is printed
/// would go there. It is opened so that printing to it fails instead.
void hold_standard_streams() noexcept;

/// Throws std::runtime_error if something that was printed has not got to where stdout goes: on a full disk, say.
void require_printed();
}  // namespace paws::cli

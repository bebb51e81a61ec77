#pragma once

#include <string_view>

namespace paws::io
{
/// Whether the user wants to see no progress and no tables (--quiet): warnings, notes, results and errors alone.
void set_quiet(bool quiet) noexcept;
bool is_quiet() noexcept;

/// Prints `text` on standard output, at once. What a terminal that has gone away, a pipe that nobody reads or a full
/// disk does not take is dropped, and nothing of it is left behind in the stream: who goes on working must not end
/// because nobody listens.
void say(std::string_view text) noexcept;

/// The same on standard error.
void say_error(std::string_view text) noexcept;
}  // namespace paws::io

#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace paws::io
{
// Names of files are bytes, and those of other people's files may be any. What this program prints or writes is UTF-8,
// a line a thing: a name is written as it is where that is text, and its other bytes are written as \xNN.

/// `text` as one line that no terminal obeys: bytes that are no UTF-8, control characters, and characters that break
/// lines or turn the direction of writing become \n, \r, \t or \xNN. A backslash stays, so that doing it twice changes
/// nothing.
std::string printable(std::string_view text);

/// Each of them.
std::vector<std::string> printable(std::vector<std::string> texts);

/// `text` as UTF-8: bytes that are none become \xNN, all else stays. For formats with escapes of their own, such as
/// JSON.
std::string as_utf8(std::string_view text);
}  // namespace paws::io

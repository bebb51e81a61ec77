#pragma once

#include <cstddef>
#include <string_view>

namespace paws::io
{
/// How many columns a line has that can be drawn again and again on the terminal behind this descriptor: 0 where there
/// is none, where TERM says that it cannot (it is unset, empty or "dumb"), and where its width is not known.
int redrawable_columns(int descriptor);

/// How many columns UTF-8 text takes, where each character takes one.
std::size_t columns_of(std::string_view text);
}  // namespace paws::io

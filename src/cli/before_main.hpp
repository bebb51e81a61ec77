#pragma once

namespace paws::cli
{
/// Signals that ask a run to stop are held back from before the program's libraries are set up until this is called: by
/// then, somebody notes them.
void let_signals_through();
}  // namespace paws::cli

#pragma once

#include <string>

namespace paws::comm
{
/// What a process ends with: 0 done, 2 bad input (nothing was changed), 1 anything else that failed.
enum ExitCode : int
{
    success = 0,
    failed = 1,
    bad_input = 2,
};

/// Why a rank cannot go on.
struct Failure
{
    std::string message;  ///< one line
    int code = failed;
    /// Whether it may well be the consequence of another rank's failure, as that of a collective call is.
    bool may_follow = false;
};

/// The text up to its first line break.
std::string first_line(const std::string& text);
}  // namespace paws::comm

#pragma once

#include <exception>
#include <string>

namespace paws::ranks
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
    std::string message;  ///< one line, but for line breaks in names that it has
    int code = failed;
    /// Whether it may well be the consequence of another rank's failure, as that of a collective call is.
    bool may_follow = false;
};

/// `text` up to its first line break: what LibTorch throws has a stack trace below.
std::string first_line(const std::string& text);

/// What an exception means for the user. BadInput and std::invalid_argument are bad input; of messages that are not
/// BadInput's, the first line counts.
Failure failure_of(const std::exception_ptr& error);
}  // namespace paws::ranks

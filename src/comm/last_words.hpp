#pragma once

#include <string>

namespace paws::comm
{
/// A line on stderr if this process ends while the object lives, even by _exit or a signal: for calls into libraries
/// that end the process instead of returning an error. A small process of its own waits for that.
class LastWords
{
public:
    /// Nothing happens for an empty line, or where no process can be started.
    explicit LastWords(const std::string& line);
    ~LastWords();
    LastWords(const LastWords&) = delete;
    LastWords& operator=(const LastWords&) = delete;

private:
    int pipe_ = -1;
    int process_ = -1;
};
}  // namespace paws::comm

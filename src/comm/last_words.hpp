#pragma once

#include <cstdio>
#include <string>

namespace paws::comm
{
/// A line on stderr if this process ends while the object lives, even by _exit or a signal: for calls into libraries
/// that end the process instead of returning an error. A shell waits for that; where there is none, nothing happens.
class LastWords
{
public:
    /// `line`: without "'"; nothing happens for an empty one.
    explicit LastWords(const std::string& line)
    {
        // What ends this process by a signal to all processes of the job is not to take the words away.
        const auto script = "trap '' HUP INT TERM USR1 USR2; read -r ok || echo '" + line + "' >&2";
        shell_ = line.empty() ? nullptr : popen(script.c_str(), "we");
    }
    ~LastWords()
    {
        if (shell_ != nullptr)
        {
            std::fputs("ok\n", shell_);
            pclose(shell_);
        }
    }
    LastWords(const LastWords&) = delete;
    LastWords& operator=(const LastWords&) = delete;

private:
    std::FILE* shell_;
};
}  // namespace paws::comm

#pragma once

namespace paws::comm
{
/// SIGTERM as something to read: the handler writes a byte to a pipe and does nothing else. Where the program has a
/// handler of its own already, that one stays, and nothing is ever read here. One per process at a time.
class Termination
{
public:
    Termination();
    ~Termination();
    Termination(const Termination&) = delete;
    Termination& operator=(const Termination&) = delete;

    /// Readable once the signal has come.
    int number() const;

private:
    bool installed_ = false;
};
}  // namespace paws::comm

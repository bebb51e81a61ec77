#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>

#include "io/files/descriptor.hpp"

namespace paws::comm
{
/// Lines over a socket, in both directions.
class Channel
{
public:
    /// In bytes; who sends more is not one of us.
    static constexpr std::size_t longest_line = std::size_t{64} << 10;

    explicit Channel(int socket) : socket_("socket", io::Descriptor::Open{socket}) {}

    /// Never waits: what the other side has no room for is dropped, and what it will never read is no error here.
    void send(const std::string& line);
    /// Takes what has arrived; does not wait. False when the other side has ended.
    bool receive();
    /// The next of the lines that were received.
    std::optional<std::string> next_line();
    /// Waits for one; none if the other side ends or `patience` does.
    std::optional<std::string> wait_for_line(std::chrono::milliseconds patience);

    int number() const { return socket_.number(); }

private:
    io::Descriptor socket_;
    std::string received_;
};

/// A TCP port of this machine, on all interfaces, that the system chooses. Where it gives none, nobody ever calls.
class Listener
{
public:
    Listener();

    /// The next caller, if there is one; does not wait.
    std::optional<Channel> accept() const;
    /// "HOST PORT ADDRESS ADDRESS ...": this machine's name for people, and numeric addresses that may lead here.
    std::string endpoint() const;
    int number() const { return socket_.number(); }

private:
    io::Descriptor socket_;
};

/// Calls the addresses of an endpoint one after another, for at most `patience` in all. None if nobody answers.
std::optional<Channel> call(const std::string& endpoint, std::chrono::milliseconds patience);
}  // namespace paws::comm

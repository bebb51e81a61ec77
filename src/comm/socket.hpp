#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "src/comm/endpoint.hpp"

namespace paws::comm
{
/// A file descriptor of its own, closed at the end; -1 is none.
class Socket
{
public:
    Socket() = default;
    explicit Socket(int number) : number_(number) {}
    ~Socket();
    Socket(Socket&& other) noexcept;
    Socket& operator=(Socket&& other) noexcept;

    int number() const { return number_; }
    explicit operator bool() const { return number_ >= 0; }

private:
    int number_ = -1;
};

/// Listens on all interfaces at a port that the system chooses. None if that is not allowed here.
Socket listen_anywhere(int& port);

/// The next caller, if there is one; does not wait.
Socket accept_one(const Socket& listener);

/// Calls the addresses of `endpoint` one after another, that of the machine itself first where that is the same, for at
/// most `patience` in all. None if nobody answers.
Socket call(const Endpoint& endpoint, bool same_machine, std::chrono::milliseconds patience);

/// Lines over TCP, in both directions.
class Channel
{
public:
    explicit Channel(Socket socket) : socket_(std::move(socket)) {}

    /// Never waits: what the other side has no room for is dropped, and what it will never read is no error here.
    void send(const std::string& line);
    /// Appends the lines that are there to `lines`; does not wait. False when the other side has ended.
    bool receive(std::vector<std::string>& lines);
    /// Waits for lines; none if the other side ends or `patience` does.
    std::optional<std::string> wait_for_line(std::chrono::milliseconds patience);

    int number() const { return socket_.number(); }

private:
    Socket socket_;
    std::string unfinished_;
    std::vector<std::string> waiting_;
};
}  // namespace paws::comm

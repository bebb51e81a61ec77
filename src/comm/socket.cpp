#include "src/comm/socket.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <iterator>
#include <utility>

namespace paws::comm
{
namespace
{
using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

/// No line that is sent here comes near; who sends more is not one of us.
constexpr std::size_t longest_line = std::size_t{64} << 10;

/// Whether it is readable or writable, as `events` says, before the end of `patience`.
bool wait_for(int number, short events, milliseconds patience)
{
    pollfd entry{number, events, 0};
    return poll(&entry, 1, static_cast<int>(std::max<std::int64_t>(0, patience.count()))) == 1;
}

Socket listen_on(const sockaddr* address, socklen_t size)
{
    Socket socket(::socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!socket)
    {
        return {};
    }
    if (address->sa_family == AF_INET6)
    {
        const int no = 0;
        setsockopt(socket.number(), IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof(no));
    }
    const bool listens = bind(socket.number(), address, size) == 0 && listen(socket.number(), SOMAXCONN) == 0;
    return listens ? std::move(socket) : Socket();
}

Socket call_address(const std::string& address, int port, milliseconds patience)
{
    sockaddr_storage storage{};
    socklen_t size = 0;
    auto* const four = reinterpret_cast<sockaddr_in*>(&storage);
    auto* const six = reinterpret_cast<sockaddr_in6*>(&storage);
    if (inet_pton(AF_INET, address.c_str(), &four->sin_addr) == 1)
    {
        four->sin_family = AF_INET;
        four->sin_port = htons(static_cast<std::uint16_t>(port));
        size = sizeof(*four);
    }
    else if (inet_pton(AF_INET6, address.c_str(), &six->sin6_addr) == 1)
    {
        six->sin6_family = AF_INET6;
        six->sin6_port = htons(static_cast<std::uint16_t>(port));
        size = sizeof(*six);
    }
    else
    {
        return {};
    }
    Socket socket(::socket(storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!socket)
    {
        return {};
    }
    if (connect(socket.number(), reinterpret_cast<const sockaddr*>(&storage), size) != 0)
    {
        int error = 0;
        socklen_t error_size = sizeof(error);
        if (errno != EINPROGRESS || !wait_for(socket.number(), POLLOUT, patience) ||
            getsockopt(socket.number(), SOL_SOCKET, SO_ERROR, &error, &error_size) != 0 || error != 0)
        {
            return {};
        }
    }
    const int yes = 1;
    setsockopt(socket.number(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
    return socket;
}
}  // namespace

Socket::~Socket()
{
    if (number_ >= 0)
    {
        ::close(number_);
    }
}

Socket::Socket(Socket&& other) noexcept : number_(std::exchange(other.number_, -1)) {}

Socket& Socket::operator=(Socket&& other) noexcept
{
    std::swap(number_, other.number_);
    return *this;
}

Socket listen_anywhere(int& port)
{
    sockaddr_in6 six{};
    six.sin6_family = AF_INET6;
    six.sin6_addr = in6addr_any;
    auto socket = listen_on(reinterpret_cast<const sockaddr*>(&six), sizeof(six));
    if (!socket)
    {
        // A machine without IPv6.
        sockaddr_in four{};
        four.sin_family = AF_INET;
        four.sin_addr.s_addr = htonl(INADDR_ANY);
        socket = listen_on(reinterpret_cast<const sockaddr*>(&four), sizeof(four));
    }
    sockaddr_storage bound{};
    socklen_t size = sizeof(bound);
    if (!socket || getsockname(socket.number(), reinterpret_cast<sockaddr*>(&bound), &size) != 0)
    {
        port = 0;
        return {};
    }
    port = ntohs(bound.ss_family == AF_INET6 ? reinterpret_cast<const sockaddr_in6*>(&bound)->sin6_port
                                             : reinterpret_cast<const sockaddr_in*>(&bound)->sin_port);
    return socket;
}

Socket accept_one(const Socket& listener)
{
    Socket socket(accept4(listener.number(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (socket)
    {
        const int yes = 1;
        setsockopt(socket.number(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
    }
    return socket;
}

Socket call(const Endpoint& endpoint, bool same_machine, milliseconds patience)
{
    const auto end = Clock::now() + patience;
    auto addresses = endpoint.addresses;
    if (same_machine)
    {
        addresses.insert(addresses.begin(), {"127.0.0.1", "::1"});
    }
    for (const auto& address : addresses)
    {
        const auto left = std::chrono::duration_cast<milliseconds>(end - Clock::now());
        if (endpoint.port == 0 || left.count() <= 0)
        {
            break;
        }
        // An address that leads nowhere must not use up the time of the others.
        if (auto socket = call_address(address, endpoint.port, std::min(left, std::max(patience / 4, milliseconds(1)))))
        {
            return socket;
        }
    }
    return {};
}

void Channel::send(const std::string& line)
{
    const std::string text = line + "\n";
    static_cast<void>(::send(socket_.number(), text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT));
}

bool Channel::receive(std::vector<std::string>& lines)
{
    if (&lines != &waiting_)
    {
        std::move(waiting_.begin(), waiting_.end(), std::back_inserter(lines));
        waiting_.clear();
    }
    std::array<char, 4096> buffer;
    while (true)
    {
        const auto count = ::recv(socket_.number(), buffer.data(), buffer.size(), MSG_DONTWAIT);
        if (count > 0)
        {
            unfinished_.append(buffer.data(), static_cast<std::size_t>(count));
            std::size_t begin = 0;
            for (auto end = unfinished_.find('\n'); end != unfinished_.npos; end = unfinished_.find('\n', begin))
            {
                lines.push_back(unfinished_.substr(begin, end - begin));
                begin = end + 1;
            }
            unfinished_.erase(0, begin);
            if (unfinished_.size() > longest_line)
            {
                return false;
            }
        }
        else if (count == 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR))
        {
            return false;
        }
        else if (errno != EINTR)
        {
            return true;
        }
    }
}

std::optional<std::string> Channel::wait_for_line(milliseconds patience)
{
    const auto end = Clock::now() + patience;
    bool open = true;
    while (waiting_.empty() && open)
    {
        const auto left = std::chrono::duration_cast<milliseconds>(end - Clock::now());
        if (left.count() <= 0)
        {
            return std::nullopt;
        }
        wait_for(socket_.number(), POLLIN, left);
        open = receive(waiting_);
    }
    if (waiting_.empty())
    {
        return std::nullopt;
    }
    auto line = waiting_.front();
    waiting_.erase(waiting_.begin());
    return line;
}
}  // namespace paws::comm

#include "src/comm/channel.hpp"

#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <array>
#include <cerrno>
#include <iterator>
#include <sstream>
#include <vector>

#include "io/ranks/host_name.hpp"

namespace paws::comm
{
namespace
{
using std::chrono::milliseconds;

int make_socket(int family, int flags)
{
    const int number = socket(family, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
    const int yes = 1;
    setsockopt(number, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
    return number;
}

/// IPv6 takes calls over IPv4 as well, but not all machines have it.
int make_listening_socket()
{
    const int number = make_socket(AF_INET6, SOCK_NONBLOCK);
    return number >= 0 ? number : make_socket(AF_INET, SOCK_NONBLOCK);
}
}  // namespace

void Channel::send(const std::string& line)
{
    const std::string text = line + "\n";
    static_cast<void>(::send(number(), text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT));
}

bool Channel::receive()
{
    std::array<char, 4096> buffer;
    while (received_.size() < longest_line)
    {
        const auto count = recv(number(), buffer.data(), buffer.size(), MSG_DONTWAIT);
        if (count <= 0)
        {
            return count < 0 && (errno == EAGAIN || errno == EINTR);
        }
        received_.append(buffer.data(), static_cast<std::size_t>(count));
    }
    return false;
}

std::optional<std::string> Channel::next_line()
{
    const auto end = received_.find('\n');
    if (end == received_.npos)
    {
        return std::nullopt;
    }
    auto line = received_.substr(0, end);
    received_.erase(0, end + 1);
    return line;
}

std::optional<std::string> Channel::wait_for_line(milliseconds patience)
{
    const auto end = std::chrono::steady_clock::now() + patience;
    pollfd entry{number(), POLLIN, 0};
    bool is_open = true;
    auto line = next_line();
    while (!line && is_open && std::chrono::steady_clock::now() < end)
    {
        poll(&entry, 1, static_cast<int>(patience.count()));
        is_open = receive();
        line = next_line();
    }
    return line;
}

Listener::Listener() : socket_("socket", io::Descriptor::Open{make_listening_socket()})
{
    const int no = 0;
    setsockopt(number(), IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof(no));
    listen(number(), SOMAXCONN);
}

std::optional<Channel> Listener::accept() const
{
    const int caller = accept4(number(), nullptr, nullptr, SOCK_CLOEXEC);
    return caller < 0 ? std::nullopt : std::optional<Channel>(std::in_place, caller);
}

std::string Listener::endpoint() const
{
    sockaddr_storage bound{};
    socklen_t size = sizeof(bound);
    auto* const address = reinterpret_cast<sockaddr*>(&bound);
    std::array<char, NI_MAXHOST> text{"0"};
    getsockname(number(), address, &size);
    getnameinfo(address, size, nullptr, 0, text.data(), text.size(), NI_NUMERICSERV);
    auto endpoint = ranks::host_name() + " " + text.data();
    ifaddrs* list = nullptr;
    getifaddrs(&list);
    for (const auto* entry = list; entry != nullptr; entry = entry->ifa_next)
    {
        // An address of a single link, "fe80::1%eth0", means nothing on other machines.
        if ((entry->ifa_flags & (IFF_UP | IFF_LOOPBACK)) == IFF_UP &&
            getnameinfo(entry->ifa_addr, sizeof(sockaddr_in6), text.data(), text.size(), nullptr, 0, NI_NUMERICHOST) ==
                0 &&
            std::string_view(text.data()).find('%') == std::string_view::npos)
        {
            endpoint += std::string(" ") + text.data();
        }
    }
    freeifaddrs(list);
    // For machines that have nothing else.
    return endpoint + " 127.0.0.1";
}

std::optional<Channel> call(const std::string& endpoint, milliseconds patience)
{
    std::istringstream words(endpoint);
    std::string host;
    std::string port;
    words >> host >> port;
    std::vector<std::string> addresses(std::istream_iterator<std::string>(words), {});
    if (host == ranks::host_name())
    {
        // Whatever firewalls and interfaces do. Where another machine has the same name, nobody answers.
        addresses.insert(addresses.begin(), "127.0.0.1");
    }
    for (const auto& address : addresses)
    {
        addrinfo hints{};
        hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
        addrinfo* found = nullptr;
        if (getaddrinfo(address.c_str(), port.c_str(), &hints, &found) != 0)
        {
            continue;
        }
        Channel channel(make_socket(found->ai_family, 0));
        // An address that leads nowhere must not use up the time of the others.
        const auto part = patience.count() / std::ssize(addresses);
        const timeval limit{part / 1000, part % 1000 * 1000};
        setsockopt(channel.number(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
        const bool is_connected = connect(channel.number(), found->ai_addr, found->ai_addrlen) == 0;
        freeaddrinfo(found);
        if (is_connected)
        {
            return channel;
        }
    }
    return std::nullopt;
}
}  // namespace paws::comm

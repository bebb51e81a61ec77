#include "src/comm/endpoint.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "io/base/host_name.hpp"
#include "src/comm/agreement.hpp"

namespace paws::comm
{
namespace
{
/// A node's interfaces of all kinds are few; containers and bridges may add many that lead nowhere.
constexpr std::size_t most_addresses = 8;

std::string first_word_of(const char* path)
{
    std::ifstream file(path);
    std::string word;
    file >> word;
    return word;
}

std::string machine_name()
{
    std::error_code error;
    const auto processes = std::filesystem::read_symlink("/proc/self/ns/pid", error);
    return first_word_of("/proc/sys/kernel/random/boot_id") + "/" + processes.string();
}

/// Field 22 of /proc/PID/stat. The name in field 2 may hold blanks and brackets, so counting starts behind its end.
std::string start_of(long process)
{
    std::ifstream file(fmt::format("/proc/{}/stat", process));
    std::string line;
    std::getline(file, line);
    std::istringstream fields(line.substr(line.find_last_of(')') == line.npos ? line.size() : line.rfind(')') + 1));
    std::string field;
    for (int number = 3; number <= 22 && fields; ++number)
    {
        fields >> field;
    }
    return fields ? field : "unknown";
}

std::vector<std::string> own_addresses()
{
    std::vector<std::string> addresses;
    ifaddrs* list = nullptr;
    if (getifaddrs(&list) != 0)
    {
        return addresses;
    }
    for (const auto* entry = list; entry != nullptr && addresses.size() < most_addresses; entry = entry->ifa_next)
    {
        if (entry->ifa_addr == nullptr || (entry->ifa_flags & IFF_UP) == 0 || (entry->ifa_flags & IFF_LOOPBACK) != 0)
        {
            continue;
        }
        const void* address = nullptr;
        if (entry->ifa_addr->sa_family == AF_INET)
        {
            address = &reinterpret_cast<const sockaddr_in*>(entry->ifa_addr)->sin_addr;
        }
        else if (entry->ifa_addr->sa_family == AF_INET6)
        {
            const auto* const six = &reinterpret_cast<const sockaddr_in6*>(entry->ifa_addr)->sin6_addr;
            // One of a single link means nothing without the name of the interface on the other side.
            address = IN6_IS_ADDR_LINKLOCAL(six) ? nullptr : six;
        }
        std::array<char, INET6_ADDRSTRLEN> text{};
        if (address != nullptr && inet_ntop(entry->ifa_addr->sa_family, address, text.data(), text.size()) != nullptr)
        {
            addresses.emplace_back(text.data());
        }
    }
    freeifaddrs(list);
    return addresses;
}
}  // namespace

std::string Endpoint::encoded() const
{
    return fmt::format("{} {} {} {} {} {}", host, machine, process, started, port, fmt::join(addresses, " "));
}

Endpoint Endpoint::decoded(const std::string& line)
{
    Endpoint endpoint;
    std::istringstream words(line);
    words >> endpoint.host >> endpoint.machine >> endpoint.process >> endpoint.started >> endpoint.port;
    for (std::string address; words >> address;)
    {
        endpoint.addresses.push_back(address);
    }
    return endpoint;
}

Endpoint own_endpoint(int port)
{
    const auto process = static_cast<long>(getpid());
    return {io::host_name(), machine_name(), process, start_of(process), port, own_addresses()};
}

void kill_if_here(const Endpoint& endpoint)
{
    if (machine_name() == endpoint.machine && start_of(endpoint.process) == endpoint.started)
    {
        ::kill(static_cast<pid_t>(endpoint.process), SIGKILL);
    }
}
}  // namespace paws::comm

#pragma once

#include <string>
#include <vector>

namespace paws::comm
{
/// Where a rank's process is, and where it listens.
struct Endpoint
{
    std::string host;                    ///< its name, for people
    std::string machine;                 ///< equal for processes that can send each other signals
    long process = 0;                    ///< its number there
    std::string started;                 ///< when, since numbers are given again
    int port = 0;                        ///< 0: it does not listen
    std::vector<std::string> addresses;  ///< numeric, IPv4 and IPv6, those that other machines may reach

    /// One line without any of "\n".
    std::string encoded() const;
    static Endpoint decoded(const std::string& line);

    bool on_machine_of(const Endpoint& other) const { return machine == other.machine; }
};

/// This process, listening at `port`.
Endpoint own_endpoint(int port);

/// Ends the process at once, stopped ones too, if it is on this machine and still the same.
void kill_if_here(const Endpoint& endpoint);
}  // namespace paws::comm

#pragma once

#include <optional>
#include <stdexcept>
#include <string>

#include "src/comm/communicator.hpp"
#include "src/comm/failure.hpp"

namespace paws::comm
{
/// A failure that every rank knows of: all throw the same one, so one line is printed and nobody waits for anybody.
class AgreedFailure : public std::runtime_error
{
public:
    AgreedFailure(const std::string& message, int code) : std::runtime_error(message), code_(code) {}
    int code() const noexcept { return code_; }

private:
    int code_;
};

/// Collective, at the end of what ranks do each by itself, such as opening a file. Returns if no rank brings a failure.
/// Else throws AgreedFailure on all: the failure of the lowest rank that has one, with that rank and its host unless
/// all have the same.
void agree(Communicator& communicator, const std::optional<Failure>& mine);

/// A rank whose text is not that of rank 0.
struct Disagreement
{
    std::string rank;   ///< "rank 3 on node17"
    std::string first;  ///< "rank 0 on node16"
    std::string text;
    std::string text_of_first;
};

/// Collective: the lowest rank whose text is not that of rank 0, if there is one; the same answer on all ranks.
std::optional<Disagreement> find_disagreement(Communicator& communicator, const std::string& text);

/// "rank 3 on node17".
std::string rank_on_host(int rank, const std::string& host);
}  // namespace paws::comm

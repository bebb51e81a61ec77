#include "src/comm/agreement.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "io/base/host_name.hpp"
#include "io/base/printable.hpp"

namespace paws::comm
{
namespace
{
constexpr char separator = '\n';

/// A rank's text and the host that it comes from.
struct Spoken
{
    std::string host;
    std::string text;
};

std::vector<Spoken> gather(Communicator& communicator, const std::string& text)
{
    std::vector<Spoken> all;
    for (const auto& both : gather_texts(communicator, io::host_name() + separator + text))
    {
        const auto end = both.find(separator);
        all.push_back({both.substr(0, end), both.substr(end + 1)});
    }
    return all;
}
}  // namespace

std::string first_line(const std::string& text)
{
    return io::printable(text.substr(0, text.find_first_of("\r\n")));
}

std::string rank_on_host(int rank, const std::string& host)
{
    return fmt::format("rank {} on {}", rank, host);
}

void agree(Communicator& communicator, const std::optional<Failure>& mine)
{
    // An empty text is none; a failure starts with its code.
    const auto all = gather(communicator, mine ? fmt::format("{} {}", mine->code, first_line(mine->message)) : "");
    const auto failed = std::find_if(all.begin(), all.end(), [](const Spoken& spoken) { return !spoken.text.empty(); });
    if (failed == all.end())
    {
        return;
    }
    const int code = std::stoi(failed->text);
    const auto message = failed->text.substr(failed->text.find(' ') + 1);
    const bool same =
        std::all_of(all.begin(), all.end(), [&](const Spoken& spoken) { return spoken.text == failed->text; });
    throw AgreedFailure(
        same ? message
             : fmt::format("{}: {}", rank_on_host(static_cast<int>(failed - all.begin()), failed->host), message),
        code);
}

std::optional<Disagreement> find_disagreement(Communicator& communicator, const std::string& text)
{
    const auto all = gather(communicator, text);
    for (std::size_t r = 1; r < all.size(); ++r)
    {
        if (all[r].text != all[0].text)
        {
            return Disagreement{rank_on_host(static_cast<int>(r), all[r].host), rank_on_host(0, all[0].host),
                                all[r].text, all[0].text};
        }
    }
    return std::nullopt;
}
}  // namespace paws::comm

#include "io/ranks/agreed.hpp"

#include "io/ranks/host_name.hpp"

namespace paws::ranks
{
std::string rank_on_host(int rank, const std::string& host)
{
    return "rank " + std::to_string(rank) + " on " + host;
}

std::optional<Disagreement> find_disagreement(const Group& group, const std::string& text)
{
    const auto texts = group.gather_texts(text);
    for (std::size_t rank = 1; rank < texts.size(); ++rank)
    {
        if (texts[rank] != texts.front())
        {
            const auto hosts = group.gather_texts(host_name());
            return Disagreement{rank_on_host(static_cast<int>(rank), hosts[rank]), rank_on_host(0, hosts.front()),
                                texts[rank], texts.front()};
        }
    }
    return std::nullopt;
}
}  // namespace paws::ranks

// A walk through all that a file links to, which keeps to the file.

#include <algorithm>
#include <cstring>
#include <set>

#include "io/hdf5/h5.hpp"
#include "io/hdf5/h5_type.hpp"

namespace paws::io::h5
{
namespace
{
constexpr std::size_t most_levels = 100;
constexpr std::size_t most_links = 2'000'000;

struct Link
{
    std::string name;
    H5L_type_t type = H5L_TYPE_ERROR;
};

extern "C" herr_t add_link(hid_t, const char* name, const H5L_info_t* info, void* links)
{
    try
    {
        static_cast<std::vector<Link>*>(links)->push_back({name, info->type});
        return 0;
    }
    catch (const std::exception&)
    {
        return -1;
    }
}

std::vector<Link> links_of(hid_t group, const std::string& where)
{
    std::vector<Link> links;
    hsize_t next = 0;
    call("H5Literate", where, H5Literate, group, H5_INDEX_NAME, H5_ITER_INC, &next, add_link,
         static_cast<void*>(&links));
    return links;
}

/// What tells an object of a file from the others.
std::string identity_of(hid_t object, const std::string& where)
{
#if H5_VERSION_GE(1, 12, 0)
    H5O_info2_t info{};
    call("H5Oget_info3", where, H5Oget_info3, object, &info, unsigned{H5O_INFO_BASIC});
    const auto& identity = info.token;
#else
    H5O_info_t info{};
    call("H5Oget_info", where, H5Oget_info, object, &info);
    const auto& identity = info.addr;
#endif
    std::string bytes(sizeof(identity), '\0');
    std::memcpy(bytes.data(), &identity, sizeof(identity));
    return bytes;
}

void require_link_within(H5L_type_t type, const std::string& where)
{
    // A soft link leads to what other links of the file lead to as well, or nowhere.
    if (type == H5L_TYPE_HARD || type == H5L_TYPE_SOFT)
    {
        return;
    }
    throw Error(where + ": is a link " +
                (type == H5L_TYPE_EXTERNAL ? "into another file (an external link)" : "of a kind that users define") +
                ", which is never followed; copy what it leads to into this file (h5copy)");
}

/// A group on the way from the root to where the walk is.
struct Level
{
    Id group;
    std::string where;
    std::string identity;
    std::vector<Link> links;
    std::size_t next = 0;
};
}  // namespace

void Group::visit_datasets(const std::function<void(const Dataset&)>& visit) const
{
    std::vector<Level> levels;
    std::set<std::string> seen;
    std::size_t links = 0;
    const auto enter = [&](Id group, const std::string& where, std::string identity)
    {
        const bool is_new = seen.insert(identity).second;
        const bool leads_back =
            std::any_of(levels.begin(), levels.end(), [&](const Level& level) { return level.identity == identity; });
        // Below the root, a split may well be another name of a split; but if groups were in groups under several
        // names, there could be more ways through them than anyone can go.
        if (leads_back || levels.size() >= most_levels || (!is_new && levels.size() > 1))
        {
            throw Error(where + ": is a group " +
                        (leads_back ? "that it is itself in"
                         : is_new   ? "in more than " + std::to_string(most_levels) + " others"
                                    : "that has another name elsewhere") +
                        "; paws_hpc writes no such files, make the file again");
        }
        if (is_new)
        {
            auto found = links_of(group.get(), where);
            links += found.size();
            if (links > most_links)
            {
                throw Error(where + ": the file has more than " + std::to_string(most_links) +
                            " names; paws_hpc writes no such files, make the file again");
            }
            levels.push_back({std::move(group), where, std::move(identity), std::move(found)});
        }
    };
    enter(open_object(id_.get(), ".", where_), where_, identity_of(id_.get(), where_));
    while (!levels.empty())
    {
        Level& level = levels.back();
        if (level.next == level.links.size())
        {
            levels.pop_back();
            continue;
        }
        const Link& link = level.links[level.next++];
        const std::string where = level.where + (level.where.back() == '/' ? "" : "/") + link.name;
        require_link_within(link.type, where);
        if (link.type != H5L_TYPE_HARD)
        {
            continue;
        }
        Id object = open_object(level.group.get(), link.name, where);
        const auto type = call("H5Iget_type", where, H5Iget_type, object.get());
        std::string identity = identity_of(object.get(), where);
        if (type == H5I_GROUP)
        {
            enter(std::move(object), where, std::move(identity));
        }
        else if (type == H5I_DATASET && seen.insert(std::move(identity)).second)
        {
            require_own_elements(object.get(), where);
            visit(Dataset(std::move(object), where));
        }
    }
}
}  // namespace paws::io::h5

#pragma once

#include <cstdint>
#include <string>

namespace paws::logging
{
/// How far work has come whose amount is known: items, bytes, or both. An amount of 0 is not shown.
struct WorkDone
{
    std::string verb;  ///< what is done with them: "embedded"
    std::uint64_t items = 0, all_items = 0;
    std::string noun = "images";
    std::uint64_t bytes = 0, all_bytes = 0;  ///< tell the time left where they are known: items may differ in size
    double seconds = 0;                      ///< since it began
};

/// "embedded 1200 of 10000 images  350 images/s  25 s left", "copied 1.2 GB of 10.0 GB  512.0 MB/s  17 s left".
std::string format_work(const WorkDone& work);
}  // namespace paws::logging

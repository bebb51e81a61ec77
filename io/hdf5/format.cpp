#include "io/hdf5/format.hpp"

#include "io/base/error.hpp"
#include "io/files/seal.hpp"

#ifndef PAWS_VERSION
#define PAWS_VERSION "(unknown version)"
#endif

namespace paws::io
{
std::string created_by()
{
    return "paws_hpc " PAWS_VERSION;
}

void write_format(h5::File& file, const Format& format)
{
    const auto write_text = [&](const char* name, const std::string& text)
    { format.may_be_huge ? file.set_fixed_attribute(name, text) : file.set_attribute(name, text); };
    write_text("format", format.name);
    file.set_attribute<std::int64_t>("version", format.version);
    write_text("created_by", created_by());
}

h5::File open_format(const std::filesystem::path& path, const Format& format)
{
    h5::File file = h5::File::open(path);
    if (!file.has_attribute("format"))
    {
        throw Error(path.string() + ": is HDF5, but has no attribute 'format'; give a " + format.name +
                    " file that paws_hpc wrote");
    }
    const auto name = file.attribute<std::string>("format");
    if (name != format.name)
    {
        throw Error(path.string() + ": is a " + name + " file; give a " + format.name + " file");
    }
    const auto version = file.attribute<std::int64_t>("version");
    if (version < 1 || version > format.version)
    {
        throw Error(path.string() + ": has version " + std::to_string(version) + " of " + name +
                    ", this program reads up to " + std::to_string(format.version) + "; use a newer paws_hpc");
    }
    return file;
}

h5::File open_verified(const std::filesystem::path& path, const Format& format)
{
    const bool sealed = verify_seal(path);
    h5::File file = open_format(path, format);
    if (!sealed)
    {
        throw Error(path.string() +
                    ": is cut off or damaged at its end, or another program changed it; use another copy");
    }
    return file;
}
}  // namespace paws::io

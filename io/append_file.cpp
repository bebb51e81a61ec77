#include "io/append_file.hpp"

#include <fcntl.h>

#include "io/atomic_file.hpp"

namespace paws::io
{
AppendFile::AppendFile(std::filesystem::path path, std::string_view contents) : path_(std::move(path))
{
    write_atomically(path_, {contents});
    file_.emplace(path_, O_WRONLY | O_APPEND);
}

void AppendFile::append(std::string_view bytes)
{
    try
    {
        file_->write(bytes);
    }
    catch (const SystemError& error)
    {
        refuse_write(path_, error);
    }
}
}  // namespace paws::io

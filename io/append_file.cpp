#include "io/append_file.hpp"

#include <fcntl.h>

#include "io/atomic_file.hpp"

namespace paws::io
{
AppendFile::AppendFile(std::filesystem::path path, std::string_view contents) : path_(std::move(path))
{
    write_atomically(path_, {contents});
    file_.emplace(path_, O_WRONLY | O_APPEND);
    length_ = contents.size();
}

void AppendFile::append(std::string_view bytes)
{
    try
    {
        file_->write(bytes);
        length_ += bytes.size();
    }
    catch (const SystemError& error)
    {
        try
        {
            file_->cut(length_);
        }
        catch (const SystemError&)
        {
            // What is said is why it could not be written.
        }
        refuse_write(path_, error);
    }
}
}  // namespace paws::io

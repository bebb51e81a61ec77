#include "io/files/append_file.hpp"

#include <fcntl.h>

#include <utility>

#include "io/files/atomic_file.hpp"

namespace paws::io
{
namespace
{
void require_regular(const std::filesystem::path& path)
{
    std::error_code error;
    const auto status = std::filesystem::status(path, error);
    if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status))
    {
        throw SystemError(path.string(), "is not a regular file any more; move away what was put there");
    }
}

void make_folder_of(const std::filesystem::path& path)
{
    std::error_code error;
    if (path.has_parent_path())
    {
        std::filesystem::create_directories(path.parent_path(), error);
    }
    if (error)
    {
        throw SystemError(path.string(), "its folder cannot be made again (" + error.message() + ")");
    }
}
}  // namespace

AppendFile::AppendFile(std::filesystem::path path, std::string_view contents, std::string header)
    : path_(std::move(path)), header_(std::move(header)), has_begun_(!contents.empty())
{
    write_atomically(path_, {contents});
    file_ = std::make_unique<Descriptor>(path_, O_WRONLY | O_APPEND);
}

bool AppendFile::append(std::string_view bytes)
{
    if (!file_->is_in_place())
    {
        try
        {
            open_again();
        }
        catch (const SystemError&)
        {
            // Better there than nowhere.
            write(bytes);
            throw;
        }
    }
    const bool is_empty = file_->size() == 0;
    write(is_empty ? header_ + std::string(bytes) : std::string(bytes));
    return std::exchange(has_begun_, true) && is_empty;
}

void AppendFile::open_again()
{
    make_folder_of(path_);
    require_regular(path_);
    file_ = std::make_unique<Descriptor>(path_, O_WRONLY | O_APPEND | O_CREAT);
}

void AppendFile::write(std::string_view bytes)
{
    const auto length = file_->size();
    try
    {
        file_->write(bytes);
    }
    catch (const SystemError& error)
    {
        try
        {
            file_->cut(length);
        }
        catch (const SystemError&)
        {
            // What is said is why it could not be written.
        }
        refuse_write(path_, error);
    }
}
}  // namespace paws::io

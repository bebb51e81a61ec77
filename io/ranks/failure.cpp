#include "io/ranks/failure.hpp"

#include <cstdio>
#include <stdexcept>
#include <system_error>

#include "io/ranks/bad_input.hpp"
#include "io/ranks/mpi_call.hpp"

namespace paws::ranks
{
namespace
{
Failure with_words(std::string words, int code, bool may_follow = false)
{
    return {words.empty() ? "an error without a message" : std::move(words), code, may_follow};
}
}  // namespace

std::string first_line(const std::string& text)
{
    return text.substr(0, text.find_first_of("\r\n"));
}

Failure failure_of(const std::exception_ptr& error)
{
    try
    {
        std::rethrow_exception(error);
    }
    catch (const BadInput& what)
    {
        return with_words(what.what(), bad_input);
    }
    catch (const std::invalid_argument& what)
    {
        return with_words(first_line(what.what()), bad_input);
    }
    catch (const CallError& what)
    {
        return with_words(first_line(what.what()), failed, true);
    }
    catch (const std::system_error& what)
    {
        // What prints does not name the file.
        return std::ferror(stdout) != 0
                   ? Failure{"stdout: not all could be written (" + what.code().message() + ")", failed}
                   : with_words(first_line(what.what()), failed);
    }
    catch (const std::exception& what)
    {
        return with_words(first_line(what.what()), failed);
    }
    catch (...)
    {
        return {"an error of unknown kind", failed};
    }
}
}  // namespace paws::ranks

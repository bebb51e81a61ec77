#include "src/session/agreed.hpp"

#include <cstdio>
#include <stdexcept>
#include <system_error>

#include "io/base/error.hpp"
#include "io/base/printable.hpp"
#include "src/comm/error.hpp"
#include "src/config/config.hpp"

namespace paws::session
{
comm::Failure failure_of(const std::exception_ptr& error)
{
    const auto failure = [](const std::exception& what, int code, bool may_follow = false) {
        return comm::Failure{comm::first_line(what.what()), code, may_follow};
    };
    // These are one line, whose breaks can only be those of a name in it.
    const auto own_words = [](const std::exception& what, int code) {
        return comm::Failure{io::printable(what.what()), code, false};
    };
    try
    {
        std::rethrow_exception(error);
    }
    catch (const comm::AgreedFailure& what)
    {
        return own_words(what, what.code());
    }
    catch (const config::Error& what)
    {
        return own_words(what, comm::bad_input);
    }
    catch (const io::Error& what)
    {
        return own_words(what, comm::bad_input);
    }
    catch (const std::invalid_argument& what)
    {
        return failure(what, comm::bad_input);
    }
    catch (const comm::Error& what)
    {
        return failure(what, comm::failed, true);
    }
    catch (const std::system_error& what)
    {
        // What prints does not name the file.
        return std::ferror(stdout) != 0
                   ? comm::Failure{"stdout: not all could be written (" + what.code().message() + ")", comm::failed}
                   : failure(what, comm::failed);
    }
    catch (const std::exception& what)
    {
        return failure(what, comm::failed);
    }
    catch (...)
    {
        return {"an error of unknown kind", comm::failed};
    }
}
}  // namespace paws::session

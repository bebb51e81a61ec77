#include "src/data/together.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>

#include "io/base/error.hpp"
#include "src/config/config.hpp"
#include "src/data/samplers.hpp"

namespace paws::data
{
namespace
{
constexpr char config_error = 'c';
constexpr char io_error = 'i';
constexpr char sampler_error = 's';
constexpr char other_error = 'o';

/// A letter for the kind, and the words; empty for no failure.
std::string text_of(const std::exception_ptr& failure)
{
    if (!failure)
    {
        return {};
    }
    try
    {
        std::rethrow_exception(failure);
    }
    catch (const config::Error& error)
    {
        return config_error + std::string(error.what());
    }
    catch (const io::Error& error)
    {
        return io_error + std::string(error.what());
    }
    catch (const SamplerError& error)
    {
        return sampler_error + std::string(error.what());
    }
    catch (const std::exception& error)
    {
        return other_error + std::string(error.what());
    }
}

[[noreturn]] void throw_text(const std::string& text)
{
    const auto words = text.substr(1);
    switch (text.front())
    {
        case config_error:
            throw config::Error(words);
        case io_error:
            throw io::Error(words);
        case sampler_error:
            throw SamplerError(words);
        default:
            throw std::runtime_error(words);
    }
}
}  // namespace

void throw_together(comm::Communicator& communicator, const std::exception_ptr& failure)
{
    if (communicator.is_alone())
    {
        if (failure)
        {
            std::rethrow_exception(failure);
        }
        return;
    }
    const auto texts = comm::gather_texts(communicator, text_of(failure));
    const auto first = std::find_if(texts.begin(), texts.end(), [](const std::string& text) { return !text.empty(); });
    if (first != texts.end())
    {
        throw_text(*first);
    }
}
}  // namespace paws::data

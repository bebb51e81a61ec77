#pragma once

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <limits>
#include <string>

namespace paws::cli
{
/// Throws CLI::ValidationError, which names the option and its range, unless `text` is a decimal number in it.
template <class Number>
Number whole_number(const std::string& option, const std::string& text, Number least, Number most)
{
    Number number{};
    const auto* const end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, number);
    if (parsed.ec != std::errc{} || parsed.ptr != end || number < least || number > most)
    {
        using Limits = std::numeric_limits<Number>;
        const auto range = most < Limits::max() ? fmt::format("from {} to {}", least, most)
                           : least > Limits::min() || least == 0
                               ? fmt::format("of {} or more (at most {})", least, most)
                               : std::string("of 64 bits");
        throw CLI::ValidationError(option, fmt::format("{} is not a whole number {}", text, range));
    }
    return number;
}

/// An option with a whole number, which `into`, a number or an optional one, gets. What CLI11 itself reads wraps around
/// and is cut to what fits. `option`: "--name", or "--name,--older-name".
template <class Number, class Target>
CLI::Option* add_whole_number(CLI::App& app, const std::string& option, Target& into, Number least, Number most,
                              const std::string& help)
{
    const auto name = option.substr(0, option.find(','));
    return app
        .add_option_function<std::string>(
            option,
            [&into, name, least, most](const std::string& text)
            { into = whole_number<Number>(name, text, least, most); },
            help)
        ->type_name("NUMBER");
}

/// The same without an upper bound; without any bound where the configuration has its say.
template <class Number, class Target>
CLI::Option* add_whole_number(CLI::App& app, const std::string& option, Target& into, Number least,
                              const std::string& help)
{
    return add_whole_number<Number>(app, option, into, least, std::numeric_limits<Number>::max(), help);
}
}  // namespace paws::cli

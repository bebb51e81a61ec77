#pragma once

// Catch2 2 and 3 under one set of names, those of 2.
#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
#include <string>

using Catch::Approx;
namespace Catch
{
inline Matchers::StringContainsMatcher Contains(const std::string& part)
{
    return Matchers::ContainsSubstring(part);
}
}  // namespace Catch
#else
#include <catch2/catch.hpp>
#endif

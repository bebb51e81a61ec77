#include "src/device/library_variables.hpp"

#include <cstring>

namespace paws::device
{
namespace
{
/// The shell's own, and last what is read when programs or files are looked for.
constexpr std::array unread_names{"_",         "OLDPWD", "SHLVL", "PWD",      "LOGNAME", "USER", "MAIL",
                                  "LS_COLORS", "SHELL",  "TERM",  "HOSTNAME", "LANG",    "PATH"};

bool is_named(const char* variable, const char* name) noexcept
{
    const auto length = std::strlen(name);
    return std::strncmp(variable, name, length) == 0 && variable[length] == '=';
}

bool has(const char* const* variables, const char* name) noexcept
{
    for (; *variables != nullptr; ++variables)
    {
        if (is_named(*variables, name))
        {
            return true;
        }
    }
    return false;
}

/// Null where OpenBLAS is left to choose.
const char* blas_variable(const Processor& processor) noexcept
{
    if (processor.make == ProcessorMake::other || !processor.avx2)
    {
        return nullptr;
    }
    if (processor.avx512)
    {
        return "OPENBLAS_CORETYPE=SkylakeX";
    }
    return processor.make == ProcessorMake::intel ? "OPENBLAS_CORETYPE=Haswell" : "OPENBLAS_CORETYPE=Zen";
}
}  // namespace

const char* blas_kernel_for(const Processor& processor) noexcept
{
    const char* const variable = blas_variable(processor);
    return variable == nullptr ? nullptr : std::strchr(variable, '=') + 1;
}

LibraryVariables library_variables(const Processor& processor, const char* const* variables) noexcept
{
    LibraryVariables wanted{};
    std::size_t count = 0;
    if (const char* const blas = has(variables, "OPENBLAS_CORETYPE") ? nullptr : blas_variable(processor))
    {
        wanted[count++] = blas;
    }
    if (!has(variables, "GOMP_SPINCOUNT") && !has(variables, "OMP_WAIT_POLICY"))
    {
        wanted[count++] = "GOMP_SPINCOUNT=10000";
    }
    return wanted;
}

std::size_t LentVariables::lend(char** variables, const LibraryVariables& wanted) noexcept
{
    for (const char* const name : unread_names)
    {
        for (char** place = variables; *place != nullptr; ++place)
        {
            if (count_ == wanted.size() || wanted[count_] == nullptr)
            {
                return count_;
            }
            if (is_named(*place, name))
            {
                // Nobody writes to what stands in an environment.
                places_[count_] = {place, *place, const_cast<char*>(wanted[count_])};
                *place = places_[count_].is;
                ++count_;
            }
        }
    }
    return count_;
}

void LentVariables::give_back(char** variables) noexcept
{
    for (; count_ > 0; --count_)
    {
        const auto& place = places_[count_ - 1];
        *place.at = place.was;
        for (char** copy = variables; copy != nullptr && *copy != nullptr; ++copy)
        {
            if (*copy == place.is)
            {
                *copy = place.was;
            }
        }
    }
}
}  // namespace paws::device

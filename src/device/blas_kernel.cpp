#include "src/device/blas_kernel.hpp"

#include <ATen/Context.h>
#include <dlfcn.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>

#include "src/device/library_variables.hpp"

namespace paws::device
{
namespace
{
enum class Width
{
    below_avx2,
    avx2,
    avx512
};

Width width_of(std::string kernel)
{
    std::transform(kernel.begin(), kernel.end(), kernel.begin(), [](unsigned char c) { return std::tolower(c); });
    constexpr std::array<std::string_view, 3> of_avx512{"skylakex", "cooperlake", "sapphirerapids"};
    constexpr std::array<std::string_view, 3> of_avx2{"haswell", "zen", "excavator"};
    const auto is_among = [&](const auto& names)
    { return std::find(names.begin(), names.end(), kernel) != names.end(); };
    return is_among(of_avx512) ? Width::avx512 : is_among(of_avx2) ? Width::avx2 : Width::below_avx2;
}

/// AMD's own kernels are of AVX2, and no slower on those of its processors that split instructions of AVX-512 in two.
Width wanted_width(const Processor& processor)
{
    return !processor.avx2                                              ? Width::below_avx2
           : processor.avx512 && processor.make == ProcessorMake::intel ? Width::avx512
                                                                        : Width::avx2;
}
}  // namespace

BlasLibrary blas_library()
{
    using Namer = char* (*)();
    if (auto* const namer = reinterpret_cast<Namer>(dlsym(RTLD_DEFAULT, "openblas_get_corename")))
    {
        return {"OpenBLAS", namer()};
    }
    return {at::hasMKL() ? "MKL" : "unknown", ""};
}

std::string describe_blas(const BlasLibrary& library)
{
    if (library.name == "unknown")
    {
        return "neither OpenBLAS nor MKL";
    }
    return library.kernel.empty() ? library.name : fmt::format("{} ({})", library.name, library.kernel);
}

std::string note_on_slow_blas(const BlasLibrary& library, const Processor& processor)
{
    const auto wanted = wanted_width(processor);
    if (library.name == "MKL" || wanted == Width::below_avx2)
    {
        return "";
    }
    if (library.name != "OpenBLAS")
    {
        return "matrix products go to a BLAS library that is neither OpenBLAS nor MKL and may be many times slower; "
               "install OpenBLAS (Debian: libopenblas0-pthread)";
    }
    if (width_of(library.kernel) >= wanted)
    {
        return "";
    }
    const char* const better = blas_kernel_for(processor);
    return fmt::format(
        "OpenBLAS multiplies matrices with its kernels for {}, which do not use this processor's {}; {}",
        library.kernel, wanted == Width::avx512 ? "AVX-512" : "AVX2",
        better == nullptr
            ? "install a newer OpenBLAS"
            : fmt::format("set OPENBLAS_CORETYPE={} in the environment, or install a newer OpenBLAS", better));
}
}  // namespace paws::device

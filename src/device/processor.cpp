#include "src/device/processor.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <vector>

namespace paws::device
{
Processor this_processor() noexcept
{
    Processor processor;
#if defined(__x86_64__)
    // Otherwise done by a constructor, before which this may be called.
    __builtin_cpu_init();
    processor.make = __builtin_cpu_is("intel") != 0 ? ProcessorMake::intel
                     : __builtin_cpu_is("amd") != 0 ? ProcessorMake::amd
                                                    : ProcessorMake::other;
    processor.avx2 = __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0;
    processor.avx512 = __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512cd") != 0 &&
                       __builtin_cpu_supports("avx512bw") != 0 && __builtin_cpu_supports("avx512dq") != 0 &&
                       __builtin_cpu_supports("avx512vl") != 0;
    processor.avx512_bf16 = __builtin_cpu_supports("avx512bf16") != 0;
    processor.amx_bf16 = __builtin_cpu_supports("amx-bf16") != 0;
#endif
    return processor;
}

std::string describe_instruction_sets(const Processor& processor)
{
    struct Set
    {
        bool is_there;
        const char* name;
    };
    std::vector<const char*> names;
    std::vector<const char*> all;
    for (const auto& [is_there, name] :
         {Set{processor.avx2, "AVX2"}, Set{processor.avx512, "AVX-512"}, Set{processor.avx512_bf16, "AVX512-BF16"},
          Set{processor.amx_bf16, "AMX-BF16"}})
    {
        all.push_back(name);
        if (is_there)
        {
            names.push_back(name);
        }
    }
    return names.empty() ? fmt::format("none of {}", fmt::join(all, ", ")) : fmt::format("{}", fmt::join(names, ", "));
}
}  // namespace paws::device

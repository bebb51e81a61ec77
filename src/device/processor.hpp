#pragma once

#include <string>

namespace paws::device
{
enum class ProcessorMake
{
    other,
    intel,
    amd
};

/// Who made a processor, and which of the instruction sets that matter here can be used on it: those that it has and
/// that the operating system keeps the registers of.
struct Processor
{
    ProcessorMake make = ProcessorMake::other;
    bool avx2 = false;         ///< with FMA
    bool avx512 = false;       ///< F, CD, BW, DQ and VL: what servers have had since Skylake-X
    bool avx512_bf16 = false;  ///< products of pairs of bfloat16
    bool amx_bf16 = false;     ///< products of tiles of bfloat16
};

/// The one that this process runs on. Takes no memory and needs no library: it may be asked before these are set up.
Processor this_processor() noexcept;

/// "AVX2, AVX-512, AVX512-BF16, AMX-BF16", or "none of AVX2, AVX-512, AVX512-BF16, AMX-BF16".
std::string describe_instruction_sets(const Processor& processor);
}  // namespace paws::device

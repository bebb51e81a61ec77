#include "src/session/choose_precision.hpp"

#include "tests/device/processor_choices.hpp"
#include "tests/session/meta_with.hpp"
#include "tests/support/catch.hpp"

using namespace paws;
using Catch::Contains;
using device::Processor;
using device::ProcessorMake;
using test::meta_with;

TEST_CASE("bf16 is taken on processors where it is the faster one", "[tasks]")
{
    for (const auto& processor : test::all_processors())
    {
        const auto [precision, reason] = session::fast_precision(processor);
        INFO(static_cast<int>(processor.make) << " " << device::describe_instruction_sets(processor));
        const bool is_faster = processor.amx_bf16 || (processor.avx512_bf16 && processor.make == ProcessorMake::amd);
        CHECK(precision == (is_faster ? device::Precision::bf16 : device::Precision::fp32));
        CHECK_THAT(reason, Contains(is_faster               ? "bf16 is the faster one"
                                    : processor.avx512_bf16 ? "bf16 is the slower one"
                                                            : "no instructions for bf16"));
    }
}

TEST_CASE("the start of a run says what it computes in, and what decided", "[tasks]")
{
    using config::Precision;
    const session::DeviceTraits epyc{false, {ProcessorMake::amd, true, true, true, false}, {}, ""};
    const session::DeviceTraits xeon{false, {ProcessorMake::intel, true, true, true, false}, {}, ""};
    const auto text = [](const session::DeviceTraits& device, bool use_fp16, Precision precision)
    { return session::describe_precision(device, meta_with(use_fp16, precision)); };
    CHECK_THAT(text(epyc, true, Precision::automatic),
               Contains("precision       bf16: ") && Contains("auto") && Contains("AMD's AVX512-BF16"));
    CHECK_THAT(text(xeon, true, Precision::automatic),
               Contains("precision       fp32: ") && Contains("auto") && Contains("without AMX"));
    CHECK_THAT(text(epyc, false, Precision::automatic), Contains("fp32: ") && Contains("meta.use_fp16"));
    CHECK_THAT(text(xeon, true, Precision::bf16),
               Contains("bf16: as meta.precision says") && Contains("the slower one"));
    CHECK(text(epyc, true, Precision::bf16) == "precision       bf16: as meta.precision says\n");
    CHECK(text(xeon, true, Precision::fp64) == "precision       fp64: as meta.precision says\n");
    CHECK(text({true, {}, {8, 0}, "a GPU"}, true, Precision::automatic).empty());
}

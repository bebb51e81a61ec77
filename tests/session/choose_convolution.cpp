#include "src/session/choose_convolution.hpp"

#include "tests/support/catch.hpp"

namespace
{
using namespace paws;
using config::Convolution;
using device::Precision;

config::Meta meta_with_convolution(Convolution convolution)
{
    config::Meta meta;
    meta.convolution = convolution;
    return meta;
}
}  // namespace

TEST_CASE("Winograd's algorithm computes in float32 on processors that have it", "[tasks]")
{
    for (const bool on_cpu : {true, false})
    {
        for (const bool has_blocked : {true, false})
        {
            for (const auto precision : {Precision::fp32, Precision::bf16, Precision::fp64})
            {
                const bool possible = on_cpu && has_blocked && precision == Precision::fp32;
                const auto uses = [&](Convolution convolution)
                { return session::uses_winograd(meta_with_convolution(convolution), precision, on_cpu, has_blocked); };
                CHECK(uses(Convolution::automatic) == possible);
                CHECK_FALSE(uses(Convolution::direct));
                if (possible)
                {
                    CHECK(uses(Convolution::winograd));
                }
                else
                {
                    CHECK_THROWS_WITH(
                        uses(Convolution::winograd),
                        Catch::Contains("meta.convolution: winograd needs float32") && Catch::Contains("direct"));
                }
            }
        }
    }
}

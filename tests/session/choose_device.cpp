// Which device a rank takes, and what it computes in there.

#include "src/session/choose_device.hpp"
#include "src/device/device.hpp"
#include "src/session/choose_precision.hpp"
#include "src/session/gpu_memory.hpp"
#include "src/session/runtime.hpp"
#include "tests/session/meta_with.hpp"
#include "tests/support/catch.hpp"

using namespace paws;
using test::meta_with;

namespace
{
using Ids = std::vector<std::string>;

/// "cpu", or the numbers of the GPUs, of one rank after the other.
std::string chosen(const std::string& setting, const std::vector<session::VisibleGpus>& ranks)
{
    std::string text;
    for (const auto& device : session::choose_devices(setting, ranks))
    {
        text += text.empty() ? "" : " ";
        text += device.is_cuda() ? std::to_string(device.index()) : device.str();
    }
    return text;
}

/// Of several ranks on a host that see the same GPUs.
std::vector<session::VisibleGpus> ranks_on(const std::string& host, std::size_t ranks, const Ids& ids)
{
    return std::vector<session::VisibleGpus>(ranks, {host, ids});
}

std::vector<session::VisibleGpus> operator+(std::vector<session::VisibleGpus> left,
                                            const std::vector<session::VisibleGpus>& right)
{
    left.insert(left.end(), right.begin(), right.end());
    return left;
}

session::DeviceTraits gpu(int major, int minor)
{
    return {true, {}, {major, minor}, "NVIDIA Test, sm_" + std::to_string(10 * major + minor) + ", 15 GiB"};
}
}  // namespace

TEST_CASE("ranks that see the same GPUs take one each", "[tasks]")
{
    const auto node = ranks_on("a", 4, {"g0", "g1", "g2", "g3"});
    CHECK(chosen("cuda", node) == "0 1 2 3");
    CHECK(chosen("auto", node) == "0 1 2 3");
    CHECK(chosen("cpu", node) == "cpu cpu cpu cpu");
    // As published files say it, on all ranks.
    CHECK(chosen("cuda:0", node) == "0 1 2 3");
    CHECK(chosen("cuda:2", ranks_on("a", 2, {"g0", "g1", "g2", "g3"})) == "2 3");
    CHECK(chosen("cuda", ranks_on("a", 1, {"g0", "g1"})) == "0");
    CHECK(chosen("cuda:1", ranks_on("a", 1, {"g0", "g1"})) == "1");
}

TEST_CASE("ranks on several nodes take those of their node", "[tasks]")
{
    const auto a = ranks_on("a", 2, {"a0", "a1"});
    const auto b = ranks_on("b", 2, {"b0", "b1"});
    CHECK(chosen("cuda", a + b) == "0 1 0 1");
    // Cyclic distribution.
    CHECK(chosen("cuda", {a[0], b[0], a[1], b[1]}) == "0 0 1 1");
    // Containers may all have the same host name.
    CHECK(chosen("auto", a + ranks_on("a", 2, {"b0", "b1"})) == "0 1 0 1");
}

TEST_CASE("launchers may show each rank its own GPUs", "[tasks]")
{
    CHECK(chosen("cuda", {{"a", {"g0"}}, {"a", {"g1"}}, {"a", {"g2"}}}) == "0 0 0");
    CHECK(chosen("cuda:0", {{"a", {"g0"}}, {"a", {"g1"}}}) == "0 0");
    // Those of a socket, for the ranks that are bound to it.
    CHECK(chosen("cuda", ranks_on("a", 2, {"g0", "g1"}) + ranks_on("a", 2, {"g2", "g3"})) == "0 1 0 1");
    // Each sees all, its own first.
    CHECK(chosen("cuda", {{"a", {"g0", "g1"}}, {"a", {"g1", "g0"}}}) == "0 0");
}

TEST_CASE("without GPUs auto computes on CPUs, and cuda is refused", "[tasks]")
{
    using Catch::Contains;
    const auto none = ranks_on("a", 2, {});
    CHECK(chosen("auto", none) == "cpu cpu");
    for (const auto* setting : {"cuda", "cuda:0", "cuda:7"})
    {
        CHECK_THROWS_WITH(chosen(setting, none), Contains(std::string("meta.device: ") + setting + ", but") &&
                                                     Contains("--set meta.device=cpu"));
    }
}

TEST_CASE("GPUs that do not go round are refused with what to do", "[tasks]")
{
    using Catch::Contains;
    for (const auto* setting : {"auto", "cuda", "cuda:0"})
    {
        CHECK_THROWS_WITH(chosen(setting, ranks_on("n17", 4, {"g0", "g1"})),
                          Contains("4 ranks on n17 see 2 GPUs") && Contains("--ntasks-per-node=2") &&
                              Contains("ppr:2:node") && Contains("meta.device=cpu"));
        CHECK_THROWS_WITH(chosen(setting, ranks_on("n17", 2, {"g0"})), Contains("2 ranks on n17 see 1 GPU,"));
        CHECK_THROWS_WITH(chosen(setting, ranks_on("n17", 2, {"g0", "g1"}) + ranks_on("n18", 1, {})),
                          Contains("rank 2 on n18 sees no GPU, and rank 0 on n17 does"));
    }
    CHECK_THROWS_WITH(chosen("cuda:1", ranks_on("n17", 2, {"g0", "g1"})),
                      Contains("2 ranks on n17 see 2 GPUs, 1 of them from number 1 on"));
    CHECK_THROWS_WITH(chosen("cuda:2", ranks_on("n17", 1, {"g0", "g1"})),
                      Contains("a rank on n17 sees 2 GPUs, numbers 0 to 1; use cuda"));
    CHECK_THROWS_WITH(chosen("cuda:99999999999999999999", ranks_on("n17", 1, {"g0"})),
                      Contains("sees 1 GPU, number 0;"));
    CHECK_THROWS_WITH(chosen("cuda", {{"n17", {"g0", "g1"}}, {"n17", {"g0"}}}),
                      Contains("ranks 0 and 1 on n17 would share a GPU") && Contains("--gpu-bind=none"));
    CHECK_THROWS_AS(chosen("cuda", ranks_on("n17", 2, {"g0"})), config::Error);
}

TEST_CASE("a run on CPUs takes no GPU, whatever there is", "[tasks]")
{
    config::Meta meta;
    meta.device = "cpu";
    CHECK(session::choose_device(meta, {}).is_cpu());
}

TEST_CASE("a build without CUDA sees no GPUs", "[nn]")
{
    CHECK(device::describe_device(torch::kCPU) == "cpu");
    if (device::is_built_for_gpus())
    {
        return;
    }
    CHECK(device::gpu_count() == 0);
    CHECK_THROWS_AS(device::describe_gpu(0), std::invalid_argument);
    CHECK_THROWS_AS(device::gpu_id(0), std::invalid_argument);
    CHECK_THROWS_AS(device::gpu_capability(0), std::invalid_argument);
    CHECK_THROWS_AS(device::gpu_bytes(0), std::invalid_argument);
    CHECK_THROWS_AS(device::free_gpu_bytes(), std::invalid_argument);
    CHECK_THROWS_WITH(device::use_gpu(0), Catch::Contains("build it with CUDA"));
}

TEST_CASE("the arithmetic is what configuration and device say", "[tasks]")
{
    using config::Precision;
    using session::precision_on;
    const session::DeviceTraits old_cpu{}, cpu{false, {device::ProcessorMake::amd, true, true, true, false}, {}, ""};
    const auto as_published = meta_with(true, Precision::automatic);
    CHECK(precision_on(gpu(7, 0), as_published) == device::Precision::fp16);
    CHECK(precision_on(gpu(9, 0), as_published) == device::Precision::fp16);
    CHECK(precision_on(cpu, as_published) == device::Precision::bf16);
    CHECK(precision_on(old_cpu, as_published) == device::Precision::fp32);
    CHECK(precision_on(gpu(7, 0), meta_with(false, Precision::automatic)) == device::Precision::fp32);
    CHECK(precision_on(gpu(7, 0), meta_with(true, Precision::fp64)) == device::Precision::fp64);
    CHECK(precision_on(gpu(8, 0), meta_with(false, Precision::bf16)) == device::Precision::bf16);
    CHECK(precision_on(gpu(7, 0), meta_with(false, Precision::fp16)) == device::Precision::fp16);
    CHECK(precision_on(old_cpu, meta_with(false, Precision::bf16)) == device::Precision::bf16);
    for (const auto& traits : {gpu(7, 0), gpu(7, 5)})
    {
        CHECK_THROWS_WITH(precision_on(traits, meta_with(false, Precision::bf16)),
                          Catch::Contains("bf16 needs a GPU of sm_80 or newer") &&
                              Catch::Contains(traits.description) && Catch::Contains("use fp16"));
    }
    CHECK_THROWS_WITH(precision_on(cpu, meta_with(false, Precision::fp16)), Catch::Contains("fp16 needs a GPU"));
    CHECK_THROWS_AS(session::choose_precision(meta_with(false, Precision::fp16), torch::kCPU), config::Error);
}

TEST_CASE("memory is compared with that of GPUs", "[tasks]")
{
    constexpr auto gibibyte = std::int64_t{1} << 30;
    const std::vector<session::GpuMemory> gpus{{"a V100 of 16 GiB", 16 * gibibyte}, {"a GPU of 80 GiB", 80 * gibibyte}};
    const auto fit = [&](std::int64_t bytes) { return session::describe_fit(bytes, gpus, "lower it"); };
    CHECK(fit(0) == "fits a V100 of 16 GiB");
    // CUDA and its libraries take a part.
    CHECK(fit(15 * gibibyte) == "fits a V100 of 16 GiB");
    CHECK(fit(15 * gibibyte + 1) == "may not fit a V100 of 16 GiB (it fits a GPU of 80 GiB): lower it");
    CHECK(fit(17 * gibibyte) == "does not fit a V100 of 16 GiB (it fits a GPU of 80 GiB): lower it");
    CHECK(fit(79 * gibibyte) == "does not fit a V100 of 16 GiB (it fits a GPU of 80 GiB): lower it");
    CHECK(fit(80 * gibibyte) == "may not fit a GPU of 80 GiB: lower it");
    CHECK(fit(90 * gibibyte) == "does not fit a GPU of 80 GiB: lower it");
    CHECK(session::describe_fit(20 * gibibyte, {gpus[0]}, "lower it") == "does not fit a V100 of 16 GiB: lower it");
}

#include "src/comm/device_communicator.hpp"

#include "src/comm/world.hpp"
#include "src/device/device.hpp"
#include "src/session/choose_device.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/world_folder.hpp"

using namespace paws;

namespace
{
std::shared_ptr<comm::Communicator> connected(const std::shared_ptr<comm::Communicator>& host,
                                              const torch::Device& device)
{
    return comm::communicator_on_device(host, device, std::chrono::seconds(10), [](const std::string&) {});
}
}  // namespace

TEST_CASE("ranks on CPUs go on with the communicator that they have", "[comm]")
{
    CHECK(connected(test::world(), torch::kCPU) == test::world());
    CHECK(comm::World().device.is_cpu());
}

TEST_CASE("a rank alone needs no library to talk to itself", "[comm]")
{
    const auto alone = connected(comm::make_single_rank(), torch::Device(torch::kCUDA, 0));
    CHECK(alone->is_alone());
    const auto values = torch::ones({3});
    alone->all_reduce(values);
    CHECK(values.equal(torch::ones({3})));
}

TEST_CASE("ranks on GPUs want a build with CUDA", "[comm]")
{
    if (!device::is_built_for_gpus() && !test::world()->is_alone())
    {
        CHECK_THROWS_WITH(connected(test::world(), torch::Device(torch::kCUDA, 0)),
                          Catch::Contains("build it with CUDA"));
    }
}

TEST_CASE("all ranks choose their devices, or all are refused", "[comm]")
{
    const auto world = test::world_of_all();
    config::Meta meta;
    meta.device = "cpu";
    CHECK(session::choose_device(meta, world).is_cpu());
    if (device::gpu_count() == 0)
    {
        meta.device = "auto";
        CHECK(session::choose_device(meta, world).is_cpu());
        meta.device = "cuda";
        CHECK_THROWS_WITH(session::choose_device(meta, world), Catch::Contains("meta.device: cuda, but"));
    }
}

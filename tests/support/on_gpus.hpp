#pragma once

#include <atomic>

#include "src/comm/device_communicator.hpp"
#include "src/device/device.hpp"
#include "src/session/choose_device.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/gpu.hpp"
#include "tests/support/world_folder.hpp"

namespace paws::test
{
/// All ranks, with a GPU each.
struct OnGpus
{
    std::shared_ptr<comm::Communicator> host = test::world();
    torch::Device device = torch::kCPU;
    std::atomic<bool> failed = false;
    std::shared_ptr<comm::Communicator> gpus;

    /// Whether there are GPUs for all ranks.
    bool connect()
    {
        const auto mine = device::gpu_count() >= host->world_size() && host->world_size() > 1;
        const auto all = torch::tensor({std::int64_t{mine}}, torch::kInt64);
        host->all_reduce(all);
        if (all.item<std::int64_t>() < host->world_size())
        {
            WARN("needs several ranks and a GPU for each");
            return false;
        }
        config::Meta meta;
        meta.device = "cuda";
        device = session::choose_device(meta, test::world_of_all());
        device::use_gpu(device.index());
        gpus = comm::communicator_on_device(host, device, std::chrono::seconds(60),
                                            [this](const std::string&) { failed = true; });
        return true;
    }
    ~OnGpus() { CHECK_FALSE(failed); }
};

}  // namespace paws::test

#pragma once

#include <benchmark/benchmark.h>
#include <torch/cuda.h>
#include <torch/types.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <optional>

#include "src/device/device.hpp"
#include "src/device/precision.hpp"
#include "src/device/processor.hpp"
#include "src/session/choose_precision.hpp"
#include "src/session/runtime.hpp"

// Benchmarks that run on a CPU or, with --device=cuda, on the first GPU.

namespace paws::bench
{
/// Where the tensors of this program are.
inline torch::Device& device()
{
    static torch::Device chosen = torch::kCPU;
    return chosen;
}

inline bool on_gpu()
{
    return device().is_cuda();
}

/// A GPU runs behind the host: waits until it has done everything.
inline void synchronise()
{
    if (on_gpu())
    {
        torch::cuda::synchronize(device().index());
    }
}

/// What a step is measured in: on a GPU bf16 from sm_80 on, and fp16 before; on a CPU what the program chooses.
inline device::Precision best_precision()
{
    if (on_gpu())
    {
        return device::gpu_capability(device().index()).first >= 8 ? device::Precision::bf16 : device::Precision::fp16;
    }
    return session::fast_precision(device::this_processor()).precision;
}

/// Takes --device=cpu|cuda from the arguments, and starts computing there; ends the program with one line where that
/// cannot be.
class Session
{
public:
    Session(int& argc, char** argv)
    {
        constexpr const char* option = "--device=";
        int kept = 1;
        for (int i = 1; i < argc; ++i)
        {
            if (std::strncmp(argv[i], option, std::strlen(option)) == 0)
            {
                choose(argv[i] + std::strlen(option));
            }
            else
            {
                argv[kept++] = argv[i];
            }
        }
        argc = kept;
        try
        {
            comm::World world;
            world.device = device();
            if (on_gpu())
            {
                device::use_gpu(device().index());
            }
            session_.emplace(0, world);
        }
        catch (const std::exception& error)
        {
            stop(error.what());
        }
    }

private:
    static void choose(const char* name)
    {
        if (std::strcmp(name, "cuda") == 0)
        {
            if (device::gpu_count() == 0)
            {
                stop("--device=cuda: there is no GPU here, or this build knows none");
            }
            device() = torch::Device(torch::kCUDA, 0);
        }
        else if (std::strcmp(name, "cpu") != 0)
        {
            stop("--device takes cpu or cuda");
        }
    }
    [[noreturn]] static void stop(const char* reason)
    {
        std::fprintf(stderr, "%s\n", reason);
        std::exit(2);
    }

    std::optional<session::ComputeSession> session_;
};
}  // namespace paws::bench

#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "src/comm/world.hpp"
#include "src/config/config.hpp"
#include "src/data/dataset.hpp"
#include "src/device/precision.hpp"

namespace paws::commands
{
/// Where the ranks are and what they compute on and in; for the first one also what holds it back (other programs, slow
/// libraries), and the job that they run in, with `job_seconds` until its end (see seconds_until_job_ends).
/// `precision`: what `meta` has come to. Collective.
std::string describe_placement(const comm::World& world, const config::Meta& meta, device::Precision precision,
                               std::int64_t threads, std::optional<std::chrono::seconds> job_seconds);

/// Sizes, network and schedule of a training run as a small table, per rank and in all; `dataset` (if it is there)
/// gives the number of steps. `ranks`: of the world whose mathematics is computed; `device`: of the network.
std::string describe_sizes(const config::Config& config, const data::Dataset* dataset, std::int64_t ranks,
                           const torch::Device& device);

/// `--dry-run`: what describe_placement and describe_sizes say, the expected memory and whether it fits the GPU.
/// Images or GPUs that are not on this machine are no error here: what depends on them is left out, or worked out for
/// usual GPUs, and said to be. Collective; chooses the ranks' devices by itself.
std::string describe_run(const config::Config& config, std::int64_t threads, const comm::World& world = {});
}  // namespace paws::commands

#pragma once

#include <memory>
#include <string>

#include "src/checkpoint/run_files.hpp"
#include "src/checkpoint/run_folder.hpp"
#include "src/comm/world.hpp"
#include "src/config/config.hpp"
#include "src/data/dataset.hpp"
#include "src/device/precision.hpp"
#include "src/train/trainer.hpp"

namespace paws::commands
{
/// A training run that can take its next step.
struct TrainingStart
{
    std::unique_ptr<train::Trainer> trainer;        ///< the same weights on all ranks
    std::unique_ptr<checkpoint::RunFolder> folder;  ///< of the first rank: nobody else writes the files of the run
    checkpoint::ResumeChoice choice;
};

/// Collective: makes the network, resumes from the checkpoint that `resume` says (auto, never or a path; chosen by the
/// first rank for all), takes the folder and writes params-TASK.yaml. Nothing is made for a run that bad input ends.
/// Throws config::Error or io::Error. `config` and `dataset` must outlive the trainer.
TrainingStart start_training(const config::Config& config, const data::Dataset& dataset, device::Precision precision,
                             const std::string& resume, const checkpoint::RunFiles& files, const comm::World& world);

/// "3 epochs and 17 of 50 steps done"
std::string describe_place(const train::Trainer& trainer);
}  // namespace paws::commands

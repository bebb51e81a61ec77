#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "src/cli/launch.hpp"
#include "src/cli/published_evaluation.hpp"
#include "src/commands/convert.hpp"
#include "src/commands/data_commands.hpp"
#include "src/commands/demo.hpp"
#include "src/commands/summary.hpp"
#include "src/config/config.hpp"
#include "src/session/runtime.hpp"

namespace paws::cli
{
/// What `snn-eval` and `embed` can be told.
struct EvaluationArguments
{
    std::string checkpoint;
    PublishedEvaluation published;  ///< of snn-eval
    std::string data, subset_file, split, output;
    std::optional<double> temperature;
    std::vector<std::string> outputs;
    bool half = false;
    bool probabilities = false;
    std::optional<std::int64_t> compression, chunk_rows;

    /// The checkpoint, whichever option names it.
    const std::string& source() const { return checkpoint.empty() ? published.pretrained : checkpoint; }
};

/// Everything that the options can say.
struct Arguments
{
    std::string config;
    std::string task;
    std::vector<std::string> overrides;
    std::string resume = "auto";
    std::string stop_after;
    bool dry_run = false;
    bool print_config = false;
    std::string config_note;  ///< of a configuration that was found elsewhere
    std::string copied_config;
    std::string summary;

    commands::PackRequest pack;
    commands::SubsetRequest subset;
    commands::DemoRequest demo{"/usr/share/datasets/fashion-mnist", "demo"};
    std::string inspected;
    commands::ConvertRequest convert;
    EvaluationArguments evaluation;
    std::string sheet;
    std::int64_t images = 8;
};

/// What is done on every rank that the program was started on.
using Command = std::function<commands::Summary(comm::World&)>;
/// By the name that stands first on the command line.
using Commands = std::vector<std::pair<std::string, Command>>;

// Each adds its commands and their options to `app`; both keep a reference to `arguments`.

/// pack, subset, inspect, convert, configs, doctor.
void add_data_commands(CLI::App& app, Arguments& arguments, Commands& commands);
/// embed, snn-eval.
void add_evaluation_commands(CLI::App& app, Arguments& arguments, Commands& commands);
/// demo, views.
void add_demo_commands(CLI::App& app, Arguments& arguments, Commands& commands);
/// What `paws_hpc CONFIG.yaml` does, without a command's name.
Command add_run(CLI::App& app, Arguments& arguments);

/// Whether that is training, as far as can be told before ranks speak to each other.
bool may_train(const Arguments& arguments);

/// A command that works alone: on several ranks, all refuse together and one says so.
Command on_one_rank(const std::string& name, std::function<commands::Summary()> work);
/// Throws ranks::BadInput where there are several ranks.
void require_one_rank(const comm::World& world, const std::string& command);

/// Collective: prints notices of a configuration that is the same on all ranks, and lets the ranks live by it.
void follow_config(const config::Config& config, comm::World& world);

/// Collective: chooses the ranks' devices as the configuration says, connects them, and starts to compute there. Throws
/// ranks::BadInput.
session::ComputeSession start_computing(const config::Config& config, comm::World& world);
}  // namespace paws::cli

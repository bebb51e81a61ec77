#pragma once

#include <nlohmann/json.hpp>

#include "io/files/text_output.hpp"
#include "io/results/output_kind.hpp"

namespace paws::commands
{
/// What a command did and the figures that it ended with, for scripts (`--summary FILE.json`).
using Summary = nlohmann::json;

/// What may be replaced by one.
io::OutputKind summary_output();

/// Throws io::Error.
void write_summary(io::TextOutput& output, const Summary& summary);

/// Whether it is that of a training, whose figures are in its log whatever has become of its terminal.
bool is_of_training(const Summary& summary);

/// Whether it is that of a run which stopped before its end as it was told to; its `stopped` says why.
bool has_stopped(const Summary& summary);
}  // namespace paws::commands

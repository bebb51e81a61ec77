#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>

#include "src/loss/snn_classifier.hpp"

namespace paws::train
{
/// RUN-eval.csv: a line for each evaluation during training, epoch,top1,top5, with shares from 0 to 1. Apart from
/// RUN_rR.csv, whose columns are the published ones.
class EvaluationLog
{
public:
    /// A run that goes on keeps the lines of epochs up to `epochs_done`; `fresh` replaces the file. Throws io::Error.
    EvaluationLog(const std::filesystem::path& path, bool fresh, std::int64_t epochs_done);

    /// epoch: how many are done; 0 before the first. Throws io::Error.
    void write(std::int64_t epoch, const loss::Accuracy& accuracy);

private:
    void flush();

    std::filesystem::path path_;
    std::ofstream file_;
};
}  // namespace paws::train

#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>

#include "src/train/method.hpp"

namespace paws::train
{
/// TAG_rR.csv as the published code writes it: one header, then a line every few steps, with means over the epoch so
/// far.
class CsvLog
{
public:
    /// `columns`: the method's. `fresh`: a new run replaces the file; a resumed one goes on in it,
    /// keeping lines of epochs up to `epochs_done` and of `steps_done` steps of the next, so that what is trained again
    /// is not listed twice. Throws io::Error when the file cannot be written.
    CsvLog(const std::filesystem::path& path, const std::vector<std::string>& columns, bool fresh,
           std::int64_t epochs_done = 0, std::int64_t steps_done = 0);

    /// epoch from 1, iteration from 0; throws io::Error when the disk takes no more.
    void write(std::int64_t epoch, std::int64_t iteration, const StepValues& values, double milliseconds);

private:
    std::filesystem::path path_;
    std::ofstream file_;
};
}  // namespace paws::train

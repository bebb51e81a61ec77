#pragma once

#include "src/logging/file_log.hpp"

namespace paws::logging
{
/// TAG_rR.csv as the published code writes it: one header, then a line every few steps with the loss of this rank's
/// images.
class CsvLog : public FileLog
{
public:
    /// `columns`: the names of the loss' parts.
    CsvLog(const std::filesystem::path& path, const std::vector<std::string>& columns, const LogStart& start);

    void step(const LoggedStep& step) override;
    /// The published columns have no place for it.
    void evaluation(const LoggedEvaluation&) override {}

private:
    CsvLog(const std::filesystem::path& path, const std::string& header, const LogStart& start);
};
}  // namespace paws::logging

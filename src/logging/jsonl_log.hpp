#pragma once

#include <nlohmann/json.hpp>

#include "src/logging/file_log.hpp"

namespace paws::logging
{
/// TAG_rR.jsonl: one JSON object a line, of a step or of an evaluation.
class JsonlLog : public FileLog
{
public:
    JsonlLog(const std::filesystem::path& path, const std::vector<std::string>& columns, const LogStart& start,
             int rank, int ranks);

    void step(const LoggedStep& step) override;
    void evaluation(const LoggedEvaluation& evaluation) override;

private:
    void write(const nlohmann::ordered_json& object);

    std::vector<std::string> columns_;
    int rank_;
    int ranks_;
};
}  // namespace paws::logging

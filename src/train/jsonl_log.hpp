#pragma once

#include <nlohmann/json.hpp>
#include <optional>

#include "io/append_file.hpp"
#include "src/train/log_sink.hpp"

namespace paws::train
{
/// TAG_rR.jsonl: one JSON object a line, of a step or of an evaluation.
class JsonlLog : public LogSink
{
public:
    JsonlLog(const std::filesystem::path& path, const std::vector<std::string>& columns, const LogStart& start,
             int rank, int ranks);

    void step(const LoggedStep& step) override;
    void evaluation(const LoggedEvaluation& evaluation) override;
    const std::filesystem::path& path() const override { return file_.path(); }

private:
    void write(const nlohmann::ordered_json& object);

    io::AppendFile file_;
    std::vector<std::string> columns_;
    int rank_;
    int ranks_;
};
}  // namespace paws::train

#pragma once

#include <string>
#include <utility>
#include <vector>

#include "io/files/append_file.hpp"
#include "src/logging/kept_lines.hpp"
#include "src/logging/log_sink.hpp"

namespace paws::logging
{
/// A log in one file that grows at its end.
class FileLog : public LogSink
{
public:
    const std::filesystem::path& path() const override { return file_.path(); }
    std::vector<std::string> take_notes() override { return std::exchange(notes_, {}); }
    void expect_loss() override { loss_is_known_ = true; }

protected:
    /// `header`: what the file begins with, `kept`: what comes after it of an older one.
    FileLog(const std::filesystem::path& path, const std::string& header, const KeptLines& kept = {})
        : file_(path, header + kept.text, header)
    {
        if (kept.strange > 0)
        {
            notes_.push_back(kept.note(path));
        }
    }

    void append(const std::string& bytes)
    {
        const bool is_anew = file_.append(bytes);
        if (!std::exchange(loss_is_known_, false) && is_anew)
        {
            notes_.push_back(path().string() + ": was removed, renamed or emptied; it is begun anew");
        }
    }

private:
    io::AppendFile file_;
    bool loss_is_known_ = false;
    std::vector<std::string> notes_;
};
}  // namespace paws::logging

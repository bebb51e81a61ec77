#include "src/commands/config_files.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "io/base/error.hpp"
#include "io/files/file_name.hpp"
#include "io/files/read_file.hpp"
#include "src/checkpoint/run_files.hpp"
#include "src/commands/embed.hpp"
#include "src/config/task_traits.hpp"

namespace paws::commands
{
namespace
{
namespace fs = std::filesystem;

const std::string tag_setting = "logging.write_tag";

/// Bytes.
constexpr std::size_t enough_to_tell = 4096;

/// Whether the file holds what a run has written as its settings, and nothing of anybody's hand: it is written anew at
/// each start, also of a run that is begun with it.
bool is_written_by_run(const fs::path& path)
{
    constexpr std::uintmax_t most_bytes = 1 << 20;
    std::error_code error;
    if (fs::file_size(path, error) > most_bytes || error)
    {
        return false;
    }
    try
    {
        return io::read_file(path) == config::load(path.string()).to_yaml();
    }
    catch (const std::exception&)
    {
        return false;
    }
}

/// Of a log in columns. A program for tables may have written it anew, without its first line.
bool is_table(const fs::path& path)
{
    const auto bytes = io::beginning_of_file(path, enough_to_tell);
    const auto first = bytes.find_first_not_of("\xef\xbb\xbf\"' \t\r\n");
    if (first == std::string::npos || bytes.find('\0') != std::string::npos)
    {
        return first == std::string::npos;
    }
    const auto line = bytes.substr(first, bytes.find_first_of("\r\n", first) - first);
    const bool is_row = line.find_first_of("0123456789") == 0 && line.find_first_of(",;\t") != std::string::npos;
    return is_row || line.starts_with("epoch");
}

io::OutputKind table_output()
{
    return {"the log of a run", is_table};
}

/// JSON objects of ours have `key` near their beginning.
io::OutputKind json_output(const std::string& key)
{
    return {"JSON of a run", [key](const fs::path& path)
            {
                const auto begin = io::beginning_of_file(path, enough_to_tell);
                return begin.starts_with('{') && begin.find('"' + key + '"') != std::string::npos;
            }};
}

/// Where nothing can be streamed to, since it is written more than once.
io::OutputKind lasting(io::OutputKind kind)
{
    kind.is_text = false;
    return kind;
}

/// The files that every rank has for itself.
void add_logs_of_rank(const config::Logging& logging, const checkpoint::RunFiles& files, int rank, const auto& add)
{
    add(files.csv(rank), table_output());
    if (rank > 0 && !logging.all_ranks)
    {
        return;
    }
    if (logging.jsonl)
    {
        add(files.csv(rank).replace_extension(".jsonl"), json_output("epoch"));
    }
    if (logging.tensorboard)
    {
        const auto folder = files.folder() / (files.run() + "_tensorboard") / fmt::format("r{}", rank);
        add(folder / "events.out.tfevents", json_output("epoch"));
    }
}

/// The files that the first rank writes for all.
void add_files_of_run(const config::Config& config, const checkpoint::RunFiles& files, const auto& add)
{
    const auto& logging = config.logging;
    const auto checkpoint = io::hdf5_output(io::checkpoint_format);
    add(files.lock(), io::lock_output());
    for (std::int64_t age = 0; age < std::max<std::int64_t>(1, logging.keep_last); ++age)
    {
        add(files.latest(age), checkpoint);
    }
    add(files.next(), checkpoint);
    add(files.best(), checkpoint);
    for (std::int64_t epoch = 1; epoch <= config.optimization.epochs; ++epoch)
    {
        if (logging.keeps_epoch(epoch))
        {
            add(files.of_epoch(epoch), checkpoint);
        }
    }
    if (logging.eval_every > 0)
    {
        add(files.evaluations(), table_output());
    }
    add(files.bad_step(), json_output("epoch"));
    if (logging.timings)
    {
        add(files.timings_json(), json_output(io::timings_format.name));
        add(files.timings_h5(), io::hdf5_output(io::timings_format));
    }
}

void add_training(const config::Config& config, int rank, io::CommandFiles& files)
{
    const checkpoint::RunFiles run(config);
    files.made_folders.push_back(run.folder());
    const auto first = files.outputs.size();
    const auto add = [&](const fs::path& path, const io::OutputKind& kind) {
        files.outputs.push_back({tag_setting, path, lasting(kind)});
    };
    add_logs_of_rank(config.logging, run, rank, add);
    // The first file is the one that the folder is tried with.
    files.outputs[first].name = "logging.folder";
    if (config.logging.tensorboard)
    {
        files.made_folders.push_back(files.outputs.back().path.parent_path());
    }
    if (rank > 0)
    {
        return;
    }
    add_files_of_run(config, run, add);
    const auto parameters = run.parameters();
    if (!is_written_by_run(parameters))
    {
        files.outputs.push_back(
            {"logging.folder", parameters,
             lasting(io::text_beginning_with("the settings of a run", {"task:", "meta:", "criterion:", "data:"}))});
    }
}
}  // namespace

void add_config_inputs(const config::Config& config, io::CommandFiles& files)
{
    const auto add = [&](const char* setting, const std::optional<std::string>& path)
    {
        if (path && !path->empty())
        {
            files.inputs.push_back({setting, *path});
        }
    };
    add("data.file", config.data.file);
    add(config.data.subset ? "data.subset" : "data.subset_path", config.data.labelled_list());
    add("data.subset_path", config.data.held_out_list());
    add("meta.init_backbone", config.meta.init_backbone);
    if (config.logging.pretrain_path)
    {
        add("logging.pretrain_path", config.logging.path_of(*config.logging.pretrain_path));
    }
}

void add_config_files(const config::Config& config, int rank, io::CommandFiles& files)
{
    add_config_inputs(config, files);
    if (config::trains(config))
    {
        add_training(config, rank, files);
    }
    else if (config.task == config::Task::embed && rank == 0)
    {
        files.outputs.push_back({config.embed.file ? "embed.file" : tag_setting, embeddings_path(config),
                                 io::hdf5_output(io::embeddings_format)});
    }
}

void require_tag_fits(const config::Config& config)
{
    io::CommandFiles files;
    add_config_files(config, 0, files);
    const auto& tag = config.logging.write_tag;
    std::size_t longest = 0;
    for (const auto& output : files.outputs)
    {
        const auto name = output.path.filename().string();
        longest = output.name == tag_setting && name.starts_with(tag) ? std::max(longest, name.size()) : longest;
    }
    const auto most = io::longest_name(config.logging.folder);
    if (longest > most)
    {
        const auto added = longest - tag.size();
        throw io::Error(
            fmt::format("{}: has {} bytes; names of the run's files add up to {}, and the file system of '{}' takes "
                        "{}: give one of "
                        "at most {}",
                        tag_setting, tag.size(), added, config.logging.folder, most, most - added));
    }
}
}  // namespace paws::commands

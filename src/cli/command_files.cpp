#include "src/cli/command_files.hpp"

#include "src/checkpoint/stored_checkpoint.hpp"

namespace paws::cli
{
namespace
{
/// Of one command, each file under its option.
class Files
{
public:
    void reads(const char* option, const std::string& path)
    {
        if (!path.empty())
        {
            files_.inputs.push_back({option, path});
        }
    }
    void writes(const char* option, const std::filesystem::path& path, const io::OutputKind& kind)
    {
        files_.outputs.push_back({option, path, kind});
    }
    io::CommandFiles take() { return std::move(files_); }

private:
    io::CommandFiles files_;
};

void add_data_command(const Arguments& arguments, const std::string& command, Files& files)
{
    if (command == "pack")
    {
        files.reads("--input", arguments.pack.input.string());
        files.reads("--val-list", arguments.pack.val_list.value_or("").string());
        files.writes("--output", arguments.pack.output, io::hdf5_output(io::dataset_format));
    }
    else if (command == "subset")
    {
        files.reads("--data", arguments.subset.data.string());
        files.writes("--output", arguments.subset.output, io::positions_output());
    }
    else if (command == "inspect")
    {
        files.reads("FILE", arguments.inspected);
    }
    else if (command == "convert")
    {
        files.reads("IN", arguments.convert.input.string());
        files.reads("--config", arguments.convert.config.value_or(""));
        files.writes("OUT", arguments.convert.output,
                     checkpoint::is_named_like_pytorch(arguments.convert.output)
                         ? io::torch_output()
                         : io::hdf5_output(io::checkpoint_format));
    }
}

void add_evaluation(const EvaluationArguments& given, const std::string& command, Files& files)
{
    files.reads("--checkpoint", given.checkpoint);
    files.reads("--pretrained", given.published.pretrained);
    files.reads("--data", given.data);
    files.reads("--subset", given.subset_file);
    if (command == "embed")
    {
        files.writes("--output", given.output, io::hdf5_output(io::embeddings_format));
    }
}
}  // namespace

io::CommandFiles files_of(const Arguments& arguments, const std::string& command)
{
    Files files;
    files.reads("CONFIG", arguments.config);
    if (command == "embed" || command == "snn-eval")
    {
        add_evaluation(arguments.evaluation, command, files);
    }
    else if (command == "views")
    {
        files.writes("--output", arguments.sheet, io::png_output());
    }
    else
    {
        add_data_command(arguments, command, files);
    }
    if (!arguments.summary.empty())
    {
        files.writes("--summary", arguments.summary, commands::summary_output());
    }
    return files.take();
}

bool has_files_in_config(const std::string& command)
{
    return command.empty() || command == "demo";
}
}  // namespace paws::cli

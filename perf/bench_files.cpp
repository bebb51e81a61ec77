// How fast embeddings and checkpoints reach the disk, beside one plain write of as many bytes that waits for the disk
// as they do. Files go to $TMPDIR, or else /tmp: give a folder of the file system that matters.

#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <torch/types.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include "io/ranks/session.hpp"
#include "io/results/embeddings_writer.hpp"
#include "perf/run_registered.hpp"
#include "src/checkpoint/checkpoint.hpp"
#include "src/session/runtime.hpp"

namespace
{
using namespace paws;
namespace fs = std::filesystem;

constexpr std::size_t images = 20'000;
constexpr std::size_t dimensions = 2048;

/// A name for a file of this process, which is removed at the end.
class Target
{
public:
    Target() : path_(fs::temp_directory_path() / ("paws-bench-" + std::to_string(getpid()) + ".h5")) {}
    ~Target()
    {
        std::error_code ignored;
        fs::remove(path_, ignored);
    }
    Target(const Target&) = delete;
    Target& operator=(const Target&) = delete;

    const fs::path& path() const { return path_; }

private:
    fs::path path_;
};

/// As embed writes them, block by block; on one rank.
void embedding_dump(benchmark::State& state, const io::EmbeddingsLayout& how)
{
    constexpr std::size_t rows_at_once = 256;
    const Target target;
    io::EmbeddingsSource source;
    for (std::size_t n = 0; n < images; ++n)
    {
        source.labels.push_back(static_cast<std::int64_t>(n % 1000));
        source.index.push_back(static_cast<std::int64_t>(n));
        source.names.push_back("ILSVRC2012_val_" + std::to_string(10'000'000 + n) + ".JPEG");
    }
    auto layout = how;
    layout.outputs = {{"backbone", dimensions}};
    // As features are: positive, of some decades.
    const auto values = torch::randn({rows_at_once, dimensions}).exp().to(how.half ? torch::kHalf : torch::kFloat32);
    const auto row_bytes = values.nbytes() / rows_at_once;
    for (auto _ : state)
    {
        io::EmbeddingsWriter writer(target.path(), source, layout, ranks::Group(MPI_COMM_SELF));
        for (std::size_t row = 0; row < images; row += rows_at_once)
        {
            io::EmbeddingsBlock block;
            block.rows = std::min(rows_at_once, images - row);
            block.reals.push_back({static_cast<const std::byte*>(values.data_ptr()), block.rows * row_bytes});
            writer.write(block);
        }
        writer.finish();
    }
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(images * row_bytes));
    state.counters["file_MB"] = static_cast<double>(fs::file_size(target.path())) / 1e6;
}

/// A network with the projection head, and its optimiser's momenta.
struct Run
{
    std::shared_ptr<nn::Encoder> encoder;
    optim::LarsSgd optimizer;
    config::Config config;

    explicit Run(const std::string& model)
        : encoder(nn::make_encoder({model, 128, false})),
          optimizer(*encoder, {}),
          config(config::load(PAWS_SOURCE_DIR "/configs/demo.yaml"))
    {
        nn::to_channels_last(*encoder);
    }

    std::size_t bytes() const
    {
        std::size_t sum = 0;
        for (const auto& [name, tensor] : nn::state_dict(*encoder))
        {
            sum += tensor.nbytes();
        }
        for (const auto& [name, tensor] : optimizer.momentum())
        {
            sum += tensor.nbytes();
        }
        return sum;
    }
};

void checkpoint_write(benchmark::State& state, const std::string& model)
{
    const Target target;
    const Run run(model);
    for (auto _ : state)
    {
        checkpoint::save_checkpoint(target.path(), *run.encoder, run.optimizer, {}, run.config);
    }
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(fs::file_size(target.path())));
}

/// What a checkpoint costs the step that takes it: the copy that is then written beside the training.
void checkpoint_copy(benchmark::State& state, const std::string& model)
{
    const Run run(model);
    io::Checkpoint copy;
    for (auto _ : state)
    {
        copy = checkpoint::make_checkpoint(*run.encoder, run.optimizer, {}, run.config, std::move(copy));
        benchmark::DoNotOptimize(copy.encoder.data());
    }
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(run.bytes()));
}

/// A copy of as many bytes, all in one piece.
void plain_copy(benchmark::State& state, std::size_t bytes)
{
    const std::vector<char> from(bytes, 'x');
    std::vector<char> to(bytes);
    for (auto _ : state)
    {
        std::memcpy(to.data(), from.data(), bytes);
        benchmark::DoNotOptimize(to.data());
        benchmark::ClobberMemory();
    }
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(bytes));
}

/// One write of `bytes` to a new file, and what makes sure that they are on the disk.
void plain_write(benchmark::State& state, std::size_t bytes)
{
    const Target target;
    const std::vector<char> content(bytes, 'x');
    for (auto _ : state)
    {
        const int file = open(target.path().c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
        std::size_t done = 0;
        while (file >= 0 && done < bytes)
        {
            const auto written = write(file, content.data() + done, bytes - done);
            if (written <= 0)
            {
                break;
            }
            done += static_cast<std::size_t>(written);
        }
        if (file < 0 || done < bytes || fsync(file) != 0 || close(file) != 0)
        {
            state.SkipWithError("cannot write to the temporary folder");
            break;
        }
    }
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(bytes));
}
}  // namespace

int main(int argc, char** argv)
{
    const ranks::Session mpi(argc, argv);
    const session::ComputeSession session(0);
    const auto in_real_time = [](benchmark::internal::Benchmark* of)
    { of->Unit(benchmark::kMillisecond)->UseRealTime(); };
    in_real_time(benchmark::RegisterBenchmark("embedding_dump/20000x2048", embedding_dump, io::EmbeddingsLayout{}));
    io::EmbeddingsLayout smaller;
    smaller.half = true;
    in_real_time(benchmark::RegisterBenchmark("embedding_dump_half/20000x2048", embedding_dump, smaller));
    smaller.compression = 1;
    in_real_time(benchmark::RegisterBenchmark("embedding_dump_half_deflate1/20000x2048", embedding_dump, smaller));
    in_real_time(benchmark::RegisterBenchmark("embedding_dump_floor/20000x2048", plain_write,
                                              images * dimensions * sizeof(float)));
    for (const std::string model : {"wide_resnet28w2", "resnet50"})
    {
        in_real_time(benchmark::RegisterBenchmark(("checkpoint_write/" + model).c_str(), checkpoint_write, model));
        in_real_time(
            benchmark::RegisterBenchmark(("checkpoint_write_floor/" + model).c_str(), plain_write, Run(model).bytes()));
        in_real_time(benchmark::RegisterBenchmark(("checkpoint_copy/" + model).c_str(), checkpoint_copy, model));
        in_real_time(
            benchmark::RegisterBenchmark(("checkpoint_copy_floor/" + model).c_str(), plain_copy, Run(model).bytes()));
    }
    return bench::run_registered(argc, argv);
}

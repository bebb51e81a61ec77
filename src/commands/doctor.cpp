#include "src/commands/doctor.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <sstream>

#include "io/base/error.hpp"
#include "io/base/printable.hpp"
#include "io/base/quantity.hpp"
#include "io/files/descriptor.hpp"
#include "io/files/input_path.hpp"
#include "io/files/local_copy.hpp"
#include "io/ranks/group.hpp"
#include "io/ranks/launcher.hpp"
#include "io/ranks/node.hpp"
#include "io/ranks/process_limits.hpp"
#include "io/ranks/session.hpp"
#include "src/commands/shipped_configs.hpp"
#include "src/config/config.hpp"
#include "src/device/blas_kernel.hpp"
#include "src/device/device.hpp"
#include "src/device/processor.hpp"
#include "src/session/choose_convolution.hpp"
#include "src/session/choose_precision.hpp"
#include "src/session/describe_job.hpp"
#include "src/session/job_limits.hpp"
#include "src/session/node_load.hpp"

namespace paws::commands
{
namespace
{
namespace fs = std::filesystem;
using Verdict = Finding::Verdict;

/// Less than a small run with its packed images and checkpoints takes.
constexpr std::uint64_t little_space = std::uint64_t{2} << 30U;
/// Of a rank of the smallest networks.
constexpr std::uint64_t little_memory = std::uint64_t{1} << 30U;
constexpr std::size_t wanted_threads = 64;

/// Where PATH leads to, or nothing.
std::string program_in_path(const std::string& name)
{
    std::istringstream folders(session::environment_variable("PATH"));
    for (std::string folder; std::getline(folders, folder, ':');)
    {
        const auto path = fs::path(folder) / name;
        if (::access(path.c_str(), X_OK) == 0)
        {
            return path.string();
        }
    }
    return {};
}

/// The text behind the first words of a line of the start table, without the end of the line.
std::string without_title(std::string line)
{
    constexpr std::size_t title = 16;
    while (line.ends_with('\n'))
    {
        line.pop_back();
    }
    return line.size() > title ? line.substr(title) : line;
}

Finding examine_cores()
{
    const auto usable = static_cast<std::int64_t>(ranks::usable_cores());
    const auto cores = std::max<std::int64_t>(usable, ::sysconf(_SC_NPROCESSORS_ONLN));
    Finding finding{
        "cores",
        fmt::format("{} of {}; a single rank computes with {}", usable, cores, io::plural(usable, "thread")),
        Verdict::fine,
        {}};
    if (usable < cores)
    {
        finding.verdict = Verdict::slows;
        finding.remedy = "to use all, start it without binding (mpirun --bind-to none, srun --cpus-per-task)";
    }
    return finding;
}

Finding examine_load()
{
    const auto load = session::node_load();
    if (!load)
    {
        return {"load", "the system does not say", Verdict::fine, {}};
    }
    Finding finding{
        "load", fmt::format("{:.1f} in the last minute, {} cores", load->of_minute, load->cores), Verdict::fine, {}};
    const auto line = session::describe_load(*load, 1, static_cast<std::int64_t>(ranks::usable_cores()));
    if (!line.empty())
    {
        finding.verdict = Verdict::slows;
        finding.remedy = without_title(line);
    }
    return finding;
}

Finding examine_processor()
{
    const auto processor = device::this_processor();
    const auto fast = session::fast_precision(processor);
    const bool winograd = session::uses_winograd({}, device::Precision::fp32, torch::Device(torch::kCPU));
    Finding finding{"processor",
                    fmt::format("{}; use_fp16: true means {}; float32 convolutions: {}",
                                device::describe_instruction_sets(processor), to_string(fast.precision),
                                winograd ? "winograd" : "direct"),
                    Verdict::fine,
                    {}};
    if (!processor.avx2)
    {
        finding.verdict = Verdict::slows;
        finding.remedy = "networks are slow without AVX2; use a newer machine, or a virtual one that passes it on";
    }
    return finding;
}

Finding examine_blas()
{
    const auto library = device::blas_library();
    const auto note = device::note_on_slow_blas(library, device::this_processor());
    return {"BLAS", device::describe_blas(library), note.empty() ? Verdict::fine : Verdict::slows, note};
}

Finding examine_gpus()
{
    if (!device::is_built_for_gpus())
    {
        return {"GPUs", "this build computes on CPUs (meta.device: auto, cpu)", Verdict::fine, {}};
    }
    const auto count = device::gpu_count();
    if (count == 0)
    {
        return {"GPUs", "none; meta.device: auto computes on the CPU", Verdict::slows,
                "on a GPU node, check nvidia-smi, CUDA_VISIBLE_DEVICES and --gpus of the job"};
    }
    std::vector<std::string> gpus;
    for (int index = 0; index < count; ++index)
    {
        gpus.push_back(device::describe_gpu(index));
    }
    return {"GPUs", fmt::format("{}; a rank uses one", fmt::join(gpus, "; ")), Verdict::fine, {}};
}

Finding examine_mpi()
{
    const auto launcher = program_in_path("mpirun");
    Finding finding{"MPI",
                    fmt::format("{}; {}", ranks::mpi_version(),
                                launcher.empty() ? "no mpirun in PATH" : launcher + " starts several ranks"),
                    Verdict::fine,
                    {}};
    if (launcher.empty() && program_in_path("srun").empty())
    {
        finding.verdict = Verdict::slows;
        finding.remedy =
            "for several ranks, install the launcher of this MPI (Debian: openmpi-bin), or load its module";
    }
    else if (::geteuid() == 0 && ranks::mpi_version().starts_with("Open MPI") &&
             session::environment_variable("OMPI_ALLOW_RUN_AS_ROOT").empty())
    {
        finding.verdict = Verdict::slows;
        finding.remedy =
            "mpirun refuses root: run as another user, or set OMPI_ALLOW_RUN_AS_ROOT=1 and "
            "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1";
    }
    return finding;
}

Finding examine_shared_memory()
{
    return ranks::has_shared_memory()
               ? Finding{"shared memory", "/dev/shm can be written to", Verdict::fine, {}}
               : Finding{"shared memory", "nothing can be made in /dev/shm", Verdict::slows,
                         "ranks of one node exchange data by other, slower ways; mount a tmpfs there, mode 1777 "
                         "(containers: --shm-size, or --bind /dev/shm)"};
}

Finding examine_slurm()
{
    const auto job = session::environment_variable("SLURM_JOB_ID");
    if (job.empty())
    {
        const auto srun = program_in_path("srun");
        return {"SLURM", srun.empty() ? "none" : srun + "; jobs/submit starts runs as jobs", Verdict::fine, {}};
    }
    std::istringstream lines(session::describe_job({1, static_cast<std::int64_t>(ranks::usable_cores()),
                                                    device::gpu_count() > 0, session::seconds_until_job_ends()}));
    Finding finding{"SLURM", "job " + job, Verdict::fine, {}};
    for (std::string line; std::getline(lines, line);)
    {
        if (line.starts_with("note"))
        {
            finding.verdict = Verdict::slows;
            finding.remedy += (finding.remedy.empty() ? "" : "; ") + without_title(line);
        }
        else
        {
            finding.text = without_title(line);
        }
    }
    return finding;
}

Finding examine_memory()
{
    const auto free = static_cast<std::uint64_t>(ranks::resources_of_rank(ranks::Group(MPI_COMM_SELF)).memory_bytes);
    const auto limits = ranks::memory_limits();
    auto left = free;
    std::vector<std::string> texts{io::gibibytes(free) + " free"};
    for (const auto* limit : {&limits.address_space, &limits.data, &limits.group})
    {
        if (limit->exists())
        {
            left = std::min(left, limit->left());
            texts.push_back(
                fmt::format("{} is limited to {} ({})", limit->name, io::gibibytes(limit->most), limit->setting));
        }
    }
    Finding finding{"memory", fmt::format("{}", fmt::join(texts, "; ")), Verdict::fine, {}};
    if (left < little_memory)
    {
        finding.verdict = Verdict::hinders;
        finding.remedy = fmt::format(
            "{} are left for a run; end other programs, raise the limit, or ask the job for more", io::gibibytes(left));
    }
    return finding;
}

Finding examine_threads()
{
    const auto wanted = std::max(wanted_threads, 4 * ranks::usable_cores());
    const auto found = ranks::startable_threads(wanted);
    if (found == wanted)
    {
        return {"threads", fmt::format("{} more can be started", wanted), Verdict::fine, {}};
    }
    return {"threads", fmt::format("only {} more can be started", found),
            found < 2 * ranks::usable_cores() ? Verdict::hinders : Verdict::slows,
            "raise the limit on processes (ulimit -u, pids.max of the control group), or end others of yours"};
}

Finding examine_configs()
{
    const auto folder = shipped_configs_folder();
    return folder.empty() ? Finding{"configurations", "not found", Verdict::slows,
                                    "install the program as a whole (cmake --install); names of files still work"}
                          : Finding{"configurations", folder.string() + " (paws_hpc configs)", Verdict::fine, {}};
}

bool can_lock(io::Descriptor& file)
{
    return file.try_lock() == io::Descriptor::Lock::taken;
}
}  // namespace

Finding examine_folder(const std::string& what, const fs::path& folder)
{
    auto shown = folder.string();
    std::error_code error;
    const auto place = folder / fmt::format(".paws_hpc-doctor-{}", ::getpid());
    try
    {
        bool has_locks = false;
        {
            io::Descriptor file(place, O_RDWR | O_CREAT | O_EXCL);
            has_locks = can_lock(file);
        }
        fs::remove(place, error);
        const auto space = io::free_space(folder);
        Finding finding{
            what,
            fmt::format("{}: {} free, {}", shown, io::size_in_words(space), has_locks ? "locks work" : "no file locks"),
            Verdict::fine,
            {}};
        if (space < little_space)
        {
            finding.verdict = Verdict::slows;
            finding.remedy = "checkpoints may not fit; free some space, or set logging.folder to another disk";
        }
        if (!has_locks)
        {
            finding.verdict = Verdict::slows;
            finding.remedy += std::string(finding.remedy.empty() ? "" : "; ") +
                              "nothing keeps two runs from writing to one logging.folder there: give each its own";
        }
        return finding;
    }
    catch (const io::Error& failure)
    {
        fs::remove(place, error);
        return {what, fmt::format("{}: no file can be made there ({})", shown, failure.what()), Verdict::hinders,
                "start runs from a folder that you may write to, or set logging.folder to one"};
    }
}

Finding examine_scratch()
{
    for (const char* variable : {"SLURM_TMPDIR", "TMPDIR"})
    {
        if (const auto folder = session::environment_variable(variable); !folder.empty())
        {
            auto finding = examine_folder("scratch", folder);
            finding.text = fmt::format("${}={}; data.copy_data copies there", variable, finding.text);
            if (finding.verdict == Verdict::hinders)
            {
                finding.verdict = Verdict::slows;
                finding.remedy = fmt::format("correct {}, or set data.scratch where data.copy_data is used", variable);
            }
            return finding;
        }
    }
    return {
        "scratch", "neither $SLURM_TMPDIR nor $TMPDIR is set; data.copy_data needs data.scratch", Verdict::fine, {}};
}

std::vector<Finding> examine_machine()
{
    std::error_code gone;
    const auto here = fs::current_path(gone);
    auto temporary = examine_folder("temporary", fs::path("/tmp"));
    if (temporary.verdict == Verdict::hinders)
    {
        temporary.remedy = "MPI keeps its files there; make it writable, or set TMPDIR";
    }
    return {examine_cores(),
            examine_load(),
            examine_processor(),
            examine_blas(),
            examine_gpus(),
            examine_mpi(),
            examine_shared_memory(),
            examine_slurm(),
            examine_memory(),
            examine_threads(),
            examine_configs(),
            examine_folder("working folder", gone ? fs::path(".") : here),
            temporary,
            examine_scratch()};
}

std::string format_finding(const Finding& finding)
{
    const char* const verdict = finding.verdict == Verdict::fine    ? "fine"
                                : finding.verdict == Verdict::slows ? "note"
                                                                    : "HINDERS";
    return fmt::format("{:<8} {:<15} {}{}", verdict, finding.what, io::printable(finding.text),
                       finding.remedy.empty() ? "" : " -> " + io::printable(finding.remedy));
}

Summary doctor()
{
    Summary summary{{"task", "doctor"}};
    std::vector<std::string> hindering;
    for (const auto& finding : examine_machine())
    {
        fmt::print("{}\n", format_finding(finding));
        summary["findings"].push_back({{"what", finding.what}, {"text", finding.text}, {"remedy", finding.remedy}});
        if (finding.verdict == Verdict::hinders)
        {
            hindering.push_back(finding.what);
        }
    }
    if (!hindering.empty())
    {
        throw config::Error(fmt::format("doctor: {} would keep a run from working: {}; see above",
                                        hindering.size() == 1 ? "this" : "these", fmt::join(hindering, ", ")));
    }
    fmt::print("Nothing here keeps a run from working.\n");
    return summary;
}
}  // namespace paws::commands

#include "src/checkpoint/checkpoint_writer.hpp"

#include <fmt/format.h>

#include <chrono>
#include <utility>

#include "io/base/error.hpp"
#include "io/base/quantity.hpp"
#include "io/files/atomic_file.hpp"
#include "io/files/hard_link.hpp"
#include "io/files/landing_place.hpp"
#include "io/files/local_copy.hpp"

namespace paws::checkpoint
{
namespace
{
namespace fs = std::filesystem;

std::uint64_t bytes_of(const io::Checkpoint& checkpoint)
{
    std::uint64_t bytes = checkpoint.config.size();
    for (const auto* const arrays : {&checkpoint.encoder, &checkpoint.momentum})
    {
        for (const auto& [name, array] : *arrays)
        {
            bytes += array.bytes.size();
        }
    }
    return bytes;
}

/// The files that the names lead to, where symbolic links do.
struct Places
{
    explicit Places(const CheckpointJob& job) : latest(io::landing_place(job.latest).path)
    {
        for (const auto& path : job.older)
        {
            older.push_back(io::landing_place(path).path);
        }
    }

    fs::path latest;
    std::vector<fs::path> older;
};

void require_room(const CheckpointJob& job, const fs::path& latest)
{
    // Names, shapes and the tables of HDF5 come on top.
    const auto needed = bytes_of(job.content) + (std::uint64_t{1} << 20);
    if (const auto free = io::free_space(io::folder_of(latest)); free < needed)
    {
        throw io::Error(fmt::format("{}: needs {} and the disk has {}; free some space", job.latest.string(),
                                    io::size_in_words(needed), io::size_in_words(free)));
    }
}

void put_in_place(const fs::path& from, const fs::path& to)
{
    std::error_code error;
    fs::rename(from, to, error);
    if (error == std::errc::cross_device_link)
    {
        io::AtomicFile copy(to);
        fs::copy_file(from, copy.temporary(), fs::copy_options::overwrite_existing, error);
        if (!error)
        {
            copy.commit();
            fs::remove(from, error);
        }
    }
    if (error)
    {
        throw io::SystemError(to.string(), "rename failed: " + error.message());
    }
}

/// Whoever looks finds a whole checkpoint under one of the names at any time.
void make_older(const Places& places)
{
    for (auto i = places.older.size(); i-- > 1;)
    {
        if (fs::exists(places.older[i - 1]))
        {
            put_in_place(places.older[i - 1], places.older[i]);
        }
    }
    if (!places.older.empty() && fs::exists(places.latest) && !io::hard_link(places.latest, places.older.front()))
    {
        put_in_place(places.latest, places.older.front());
    }
}

void write_whole(const CheckpointJob& job)
{
    const Places places(job);
    require_room(job, places.latest);
    // What is there stays as it is until the new one is whole.
    const auto next =
        places.latest.parent_path() / (places.latest.stem().string() + "-next" + places.latest.extension().string());
    io::write_checkpoint(next, job.content);
    make_older(places);
    put_in_place(next, places.latest);
    for (const auto& copy : job.copies)
    {
        if (!io::hard_link(places.latest, io::landing_place(copy).path))
        {
            io::write_checkpoint(copy, job.content);
        }
    }
}
}  // namespace

void write_job(const CheckpointJob& job)
{
    if (!job.restore_folder)
    {
        write_whole(job);
        return;
    }
    job.restore_folder();
    try
    {
        write_whole(job);
    }
    catch (const std::exception&)
    {
        if (!job.restore_folder())
        {
            throw;
        }
        write_whole(job);
    }
}

CheckpointWriter::CheckpointWriter() : thread_([this] { run(); }) {}

CheckpointWriter::~CheckpointWriter()
{
    {
        const std::lock_guard lock(mutex_);
        ends_ = true;
    }
    changed_.notify_all();
    thread_.join();
}

bool CheckpointWriter::is_busy() const
{
    const std::lock_guard lock(mutex_);
    return job_.has_value();
}

void CheckpointWriter::submit(CheckpointJob job)
{
    {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return !job_; });
        job_ = std::move(job);
    }
    changed_.notify_all();
}

void CheckpointWriter::wait()
{
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !job_; });
}

io::Checkpoint CheckpointWriter::recycled()
{
    const std::lock_guard lock(mutex_);
    return std::exchange(recycled_, {});
}

std::optional<std::string> CheckpointWriter::take_problem()
{
    const std::lock_guard lock(mutex_);
    return std::exchange(problem_, std::nullopt);
}

bool CheckpointWriter::last_failed() const
{
    const std::lock_guard lock(mutex_);
    return last_failed_;
}

double CheckpointWriter::slowest_seconds() const
{
    const std::lock_guard lock(mutex_);
    return slowest_;
}

void CheckpointWriter::run()
{
    std::unique_lock lock(mutex_);
    while (true)
    {
        changed_.wait(lock, [this] { return job_ || ends_; });
        if (!job_)
        {
            return;
        }
        std::optional<std::string> problem;
        lock.unlock();
        const auto start = std::chrono::steady_clock::now();
        try
        {
            // Only this thread takes the job away.
            write_job(*job_);
        }
        catch (const std::exception& error)
        {
            problem = error.what();
        }
        const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
        lock.lock();
        last_failed_ = problem.has_value();
        if (problem)
        {
            problem_ = problem;
        }
        slowest_ = std::max(slowest_, took.count());
        recycled_ = std::move(job_->content);
        job_.reset();
        changed_.notify_all();
    }
}
}  // namespace paws::checkpoint

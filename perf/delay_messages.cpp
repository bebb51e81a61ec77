// A slower network than there is: preloaded into a program under mpirun, it lets collective calls seem to end no
// earlier than a given time after they began. Calls go on meanwhile as ever, and ranks that wait may give their cores
// away.
//
//     PAWS_DELAY_LATENCY_US=200 PAWS_DELAY_MB_PER_S=500 mpirun -x LD_PRELOAD=build/cpu/perf/libdelay_messages.so ...
//
// A call of n bytes ends at start + latency + n / bandwidth, n being what a rank receives. Calls of one communicator
// take turns on the link, as those of one NCCL communicator do; other communicators have links of their own. Only the
// non-blocking collectives with MPI_Test and MPI_Wait, by which src/comm talks, are delayed; a world of one never is.

#include <mpi.h>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <mutex>

namespace
{
using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

double number_of(const char* variable)
{
    const char* const text = std::getenv(variable);
    return text != nullptr ? std::atof(text) : 0;
}

class Delays
{
public:
    /// Of a call that has just been started, on a link that may still carry earlier ones.
    void add(MPI_Request request, MPI_Comm comm, Clock::time_point start, double bytes)
    {
        int size = 1;
        PMPI_Comm_size(comm, &size);
        if (size == 1)
        {
            return;
        }
        const std::lock_guard lock(mutex_);
        auto& free = link_free_[comm];
        free = std::max(free, start) + std::chrono::duration_cast<Clock::duration>(Seconds(bytes * seconds_per_byte_));
        due_[request] = free + std::chrono::duration_cast<Clock::duration>(Seconds(latency_));
    }

    bool is_due(MPI_Request request)
    {
        const std::lock_guard lock(mutex_);
        const auto found = due_.find(request);
        return found == due_.end() || Clock::now() >= found->second;
    }

    /// When MPI has ended the call, and may give its handle to another.
    void remove(MPI_Request request)
    {
        const std::lock_guard lock(mutex_);
        due_.erase(request);
    }

private:
    double latency_ = 1e-6 * number_of("PAWS_DELAY_LATENCY_US");
    double seconds_per_byte_ = number_of("PAWS_DELAY_MB_PER_S") > 0 ? 1e-6 / number_of("PAWS_DELAY_MB_PER_S") : 0;
    std::mutex mutex_;
    std::map<MPI_Comm, Clock::time_point> link_free_;
    std::map<MPI_Request, Clock::time_point> due_;
};

Delays& delays()
{
    static Delays all;
    return all;
}

double bytes_of(int count, MPI_Datatype type)
{
    int size = 0;
    PMPI_Type_size(type, &size);
    return static_cast<double>(count) * size;
}

/// What a rank receives where each of the others sends it `bytes`.
double from_others(double bytes, MPI_Comm comm)
{
    int size = 1;
    PMPI_Comm_size(comm, &size);
    return bytes * (size - 1);
}
}  // namespace

extern "C"
{
    int MPI_Iallreduce(const void* in, void* out, int count, MPI_Datatype type, MPI_Op operation, MPI_Comm comm,
                       MPI_Request* request)
    {
        const auto start = Clock::now();
        const int code = PMPI_Iallreduce(in, out, count, type, operation, comm, request);
        delays().add(*request, comm, start, bytes_of(count, type));
        return code;
    }

    int MPI_Iallgather(const void* in, int in_count, MPI_Datatype in_type, void* out, int out_count,
                       MPI_Datatype out_type, MPI_Comm comm, MPI_Request* request)
    {
        const auto start = Clock::now();
        const int code = PMPI_Iallgather(in, in_count, in_type, out, out_count, out_type, comm, request);
        delays().add(*request, comm, start, from_others(bytes_of(out_count, out_type), comm));
        return code;
    }

    int MPI_Ireduce_scatter_block(const void* in, void* out, int count, MPI_Datatype type, MPI_Op operation,
                                  MPI_Comm comm, MPI_Request* request)
    {
        const auto start = Clock::now();
        const int code = PMPI_Ireduce_scatter_block(in, out, count, type, operation, comm, request);
        delays().add(*request, comm, start, from_others(bytes_of(count, type), comm));
        return code;
    }

    int MPI_Ibcast(void* values, int count, MPI_Datatype type, int root, MPI_Comm comm, MPI_Request* request)
    {
        const auto start = Clock::now();
        const int code = PMPI_Ibcast(values, count, type, root, comm, request);
        delays().add(*request, comm, start, bytes_of(count, type));
        return code;
    }

    int MPI_Ibarrier(MPI_Comm comm, MPI_Request* request)
    {
        const auto start = Clock::now();
        const int code = PMPI_Ibarrier(comm, request);
        delays().add(*request, comm, start, 0);
        return code;
    }

    int MPI_Test(MPI_Request* request, int* ended, MPI_Status* status)
    {
        const MPI_Request before = *request;
        if (!delays().is_due(before))
        {
            // Lets MPI go on with its calls, and leaves the request as it is.
            const int code = PMPI_Request_get_status(before, ended, MPI_STATUS_IGNORE);
            *ended = 0;
            return code;
        }
        const int code = PMPI_Test(request, ended, status);
        if (*ended != 0)
        {
            delays().remove(before);
        }
        return code;
    }

    int MPI_Wait(MPI_Request* request, MPI_Status* status)
    {
        int ended = 0;
        int code = MPI_SUCCESS;
        while (code == MPI_SUCCESS && ended == 0)
        {
            code = MPI_Test(request, &ended, status);
        }
        return code;
    }
}

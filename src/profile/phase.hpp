#pragma once

#include <string>

namespace paws::profile
{
/// Is told where phases begin and end, by the thread that trains.
class PhaseObserver
{
public:
    virtual ~PhaseObserver() = default;
    virtual void enter(const std::string& phase) = 0;
    virtual void leave(const std::string& phase) = 0;

    /// The one who is told; usually null. Set between steps.
    static inline PhaseObserver* active = nullptr;
};

/// A named stretch of a training step, shown by Kokkos Tools and whatever profiler they feed, and to the observer.
class Phase
{
public:
    explicit Phase(std::string name);
    ~Phase();
    Phase(const Phase&) = delete;
    Phase& operator=(const Phase&) = delete;

private:
    std::string name_;
    PhaseObserver* observer_;
};
}  // namespace paws::profile

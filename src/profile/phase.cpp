#include "src/profile/phase.hpp"

#include <Kokkos_Core.hpp>

namespace paws::profile
{
Phase::Phase(std::string name) : name_(std::move(name)), observer_(PhaseObserver::active)
{
    Kokkos::Profiling::pushRegion("paws::train::" + name_);
    if (observer_)
    {
        observer_->enter(name_);
    }
}

Phase::~Phase()
{
    if (observer_)
    {
        observer_->leave(name_);
    }
    Kokkos::Profiling::popRegion();
}
}  // namespace paws::profile

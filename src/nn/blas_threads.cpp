#include "src/nn/blas_threads.hpp"

#include <ATen/Parallel.h>
#include <dlfcn.h>

namespace paws::nn
{
namespace
{
/// From here on a second thread gains more than it costs (a millisecond of one core's work).
constexpr std::int64_t large_product = std::int64_t{1} << 27;

void set_threads(int threads)
{
    using Setter = void (*)(int);
    static auto* const setter = reinterpret_cast<Setter>(dlsym(RTLD_DEFAULT, "openblas_set_num_threads"));
    if (setter != nullptr)
    {
        setter(threads);
    }
}
}  // namespace

BlasThreads::BlasThreads(std::int64_t rows, std::int64_t columns, std::int64_t depth)
    : raised_(rows * columns * depth >= large_product)
{
    if (raised_)
    {
        set_threads(at::get_num_threads());
    }
}

BlasThreads::~BlasThreads()
{
    if (raised_)
    {
        set_threads(1);
    }
}

void use_one_blas_thread()
{
    set_threads(1);
}
}  // namespace paws::nn

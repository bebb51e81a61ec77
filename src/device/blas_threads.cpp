#include "src/device/blas_threads.hpp"

#include <dlfcn.h>

namespace paws::device
{
void use_one_blas_thread()
{
    using Setter = void (*)(int);
    auto* const setter = reinterpret_cast<Setter>(dlsym(RTLD_DEFAULT, "openblas_set_num_threads"));
    if (setter != nullptr)
    {
        setter(1);
    }
}
}  // namespace paws::device

#pragma once

#include <torch/types.h>

#include <Kokkos_Core.hpp>
#include <stdexcept>
#include <string>

#include "src/device/execution.hpp"

namespace paws::device
{
namespace detail
{
template <class T, int Rank>
struct DataType
{
    using type = typename DataType<T, Rank - 1>::type*;
};
template <class T>
struct DataType<T, 0>
{
    using type = T;
};
}  // namespace detail

/// An unmanaged, row-major View of a tensor's memory, for kernels on Exec: how LibTorch's tensors enter our kernels.
template <class T, int Rank, class Exec = HostExec>
using TensorView = Kokkos::View<typename detail::DataType<T, Rank>::type, Kokkos::LayoutRight,
                                typename Exec::memory_space, Kokkos::MemoryTraits<Kokkos::Unmanaged>>;

/// The View of `tensor`, which must stay alive as long as the View, lie where Exec works, be contiguous, and have this
/// rank and element type; std::invalid_argument says which of these it misses.
template <class T, int Rank, class Exec>
TensorView<T, Rank, Exec> view_of(const Exec&, const torch::Tensor& tensor)
{
    using Value = std::remove_const_t<T>;
    const auto fail = [&](const char* reason)
    { throw std::invalid_argument(std::string("view_of: the tensor ") + reason); };
    if (tensor.dim() != Rank)
    {
        fail("has another rank than the kernel takes");
    }
    if (!tensor.is_contiguous())
    {
        fail("is not contiguous");
    }
    if (tensor.device().is_cpu() != std::is_same_v<Exec, HostExec>)
    {
        fail("is in the memory of another device than the kernel works on");
    }
    if (tensor.scalar_type() != c10::CppTypeToScalarType<Value>::value)
    {
        fail("has another element type than the kernel takes");
    }
    auto* data = tensor.data_ptr<Value>();
    if constexpr (Rank == 0)
    {
        return TensorView<T, 0, Exec>(data);
    }
    else
    {
        Kokkos::LayoutRight layout;
        for (int d = 0; d < Rank; ++d)
        {
            layout.dimension[d] = static_cast<std::size_t>(tensor.size(d));
        }
        return TensorView<T, Rank, Exec>(data, layout);
    }
}
}  // namespace paws::device

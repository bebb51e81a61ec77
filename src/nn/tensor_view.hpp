#pragma once

#include <torch/torch.h>

#include <Kokkos_Core.hpp>
#include <stdexcept>
#include <string>

namespace paws::nn
{
/// The execution space that works on tensors in host memory.
using HostExec = Kokkos::DefaultHostExecutionSpace;

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

/// An unmanaged, row-major View of a tensor's memory: how LibTorch's tensors enter our kernels.
template <class T, int Rank>
using TensorView = Kokkos::View<typename detail::DataType<T, Rank>::type, Kokkos::LayoutRight, Kokkos::HostSpace,
                                Kokkos::MemoryTraits<Kokkos::Unmanaged>>;

/// The View of `tensor`, which must stay alive as long as the View, lie in host memory, be contiguous, and have this
/// rank and element type; std::invalid_argument says which of these it misses.
template <class T, int Rank>
TensorView<T, Rank> view_of(const torch::Tensor& tensor)
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
    if (!tensor.device().is_cpu())
    {
        fail("is not in host memory");
    }
    if (tensor.scalar_type() != c10::CppTypeToScalarType<Value>::value)
    {
        fail("has another element type than the kernel takes");
    }
    auto* data = tensor.data_ptr<Value>();
    if constexpr (Rank == 0)
    {
        return TensorView<T, 0>(data);
    }
    else
    {
        Kokkos::LayoutRight layout;
        for (int d = 0; d < Rank; ++d)
        {
            layout.dimension[d] = static_cast<std::size_t>(tensor.size(d));
        }
        return TensorView<T, Rank>(data, layout);
    }
}
}  // namespace paws::nn

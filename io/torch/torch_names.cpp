#include "io/torch/torch_names.hpp"

#include <algorithm>
#include <array>

namespace paws::io
{
namespace
{
constexpr std::array<OtherTensor, 12> other_tensors = {{
    {"torch._utils _rebuild_qtensor", "is quantised", "save its dequantize()"},
    {"torch._utils _rebuild_sparse_tensor", "is sparse", "save its to_dense()"},
    {"torch._utils _rebuild_sparse_csr_tensor", "is sparse", "save its to_dense()"},
    {"torch._utils _rebuild_nested_tensor", "is nested", "save its parts (unbind)"},
    {"torch._utils _rebuild_meta_tensor_no_storage", "has no numbers (it lies on the device 'meta')",
     "save the weights themselves"},
    {"torch._utils _rebuild_wrapper_subclass", "is of a class of its own", "save it as a plain torch.Tensor"},
    {"torch._utils _rebuild_device_tensor_from_numpy", "is of a device that keeps tensors in its own way",
     "save its cpu()"},
    {"torch._utils _rebuild_device_tensor_from_cpu_tensor", "is of a device that keeps tensors in its own way",
     "save its cpu()"},
    {"torch._utils _rebuild_xla_tensor", "is of a device that keeps tensors in its own way", "save its cpu()"},
    {"torch._utils _rebuild_mlc_tensor", "is of a device that keeps tensors in its own way", "save its cpu()"},
    {"torch.nn.parameter UninitializedParameter", "has no numbers yet", "save it after a first forward pass"},
    {"torch.nn.parameter UninitializedBuffer", "has no numbers yet", "save it after a first forward pass"},
}};

constexpr std::array<std::string_view, 82> globals = {
    "torch._utils _rebuild_tensor",
    "torch._utils _rebuild_tensor_v2",
    "torch._utils _rebuild_parameter",
    "torch._utils _rebuild_parameter_with_state",
    "torch._tensor _rebuild_from_type",
    "torch._tensor _rebuild_from_type_v2",
    "collections OrderedDict",
    "torch Size",
    "torch Tensor",
    "torch.nn.parameter Parameter",
    "torch.nn.parameter Buffer",
    "torch FloatStorage",
    "torch DoubleStorage",
    "torch HalfStorage",
    "torch BFloat16Storage",
    "torch LongStorage",
    "torch IntStorage",
    "torch ShortStorage",
    "torch CharStorage",
    "torch ByteStorage",
    "torch BoolStorage",
    // What follows is refused with the name of the tensor that uses it.
    "torch._utils _rebuild_tensor_v3",
    "torch.storage UntypedStorage",
    "torch ComplexFloatStorage",
    "torch ComplexDoubleStorage",
    "torch ComplexHalfStorage",
    "torch QInt8Storage",
    "torch QUInt8Storage",
    "torch QInt32Storage",
    "torch QUInt4x2Storage",
    "torch QUInt2x4Storage",
    "torch per_tensor_affine",
    "torch per_channel_affine",
    "torch per_tensor_symmetric",
    "torch per_channel_symmetric",
    "torch per_channel_affine_float_qparams",
    "torch.serialization _get_layout",
    "torch._utils _rebuild_qtensor",
    "torch._utils _rebuild_sparse_tensor",
    "torch._utils _rebuild_sparse_csr_tensor",
    "torch._utils _rebuild_nested_tensor",
    "torch._utils _rebuild_meta_tensor_no_storage",
    "torch._utils _rebuild_wrapper_subclass",
    "torch._utils _rebuild_device_tensor_from_numpy",
    "torch._utils _rebuild_device_tensor_from_cpu_tensor",
    "torch._utils _rebuild_xla_tensor",
    "torch._utils _rebuild_mlc_tensor",
    "torch.nn.parameter UninitializedParameter",
    "torch.nn.parameter UninitializedBuffer",
    "torch device",
    "torch float32",
    "torch float64",
    "torch float16",
    "torch bfloat16",
    "torch int64",
    "torch int32",
    "torch int16",
    "torch int8",
    "torch uint8",
    "torch bool",
    "torch uint16",
    "torch uint32",
    "torch uint64",
    "torch complex32",
    "torch complex64",
    "torch complex128",
    "torch float8_e4m3fn",
    "torch float8_e5m2",
    "torch float8_e4m3fnuz",
    "torch float8_e5m2fnuz",
    "torch float8_e8m0fnu",
    "torch float4_e2m1fn_x2",
    "torch quint8",
    "torch qint8",
    "torch qint32",
    "torch quint4x2",
    "torch quint2x4",
    "numpy.core.multiarray _reconstruct",
    "numpy._core.multiarray _reconstruct",
    "numpy ndarray",
    "numpy dtype",
    "torch strided",
};
}  // namespace

const OtherTensor* other_tensor(std::string_view callee)
{
    const auto* const found = std::find_if(other_tensors.begin(), other_tensors.end(),
                                           [&](const OtherTensor& other) { return other.callee == callee; });
    return found == other_tensors.end() ? nullptr : found;
}

std::span<const std::string_view> torch_globals()
{
    return globals;
}
}  // namespace paws::io

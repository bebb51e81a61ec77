#include "io/torch/torch_storage.hpp"

#include <algorithm>
#include <cstring>
#include <limits>
#include <stdexcept>
#include <utility>

#include "io/base/error.hpp"

namespace paws::io
{
namespace
{
/// How many times the size of its storages a file's tensors may have together: the same one may have several names.
constexpr std::uint64_t proportion = 8;
/// For small files in which one number stands for many.
constexpr std::uint64_t small_change = std::uint64_t{32} << 20;

bool is_row_major(const TensorPlace& place)
{
    std::uint64_t expected = 1;
    for (std::size_t d = place.shape.size(); d-- > 0;)
    {
        if (place.shape[d] != 1 && place.strides[d] != expected)
        {
            return false;
        }
        expected *= place.shape[d];
    }
    return true;
}

/// Copies elements one by one, the last dimension fastest.
void gather(const TensorPlace& place, const std::byte* from, std::size_t size, std::vector<std::byte>& out)
{
    std::vector<std::size_t> index(place.shape.size(), 0);
    std::uint64_t element = place.offset;
    for (std::size_t i = 0; i < out.size(); i += size)
    {
        std::memcpy(out.data() + i, from + element * size, size);
        for (std::size_t d = place.shape.size(); d-- > 0;)
        {
            element += place.strides[d];
            if (++index[d] < place.shape[d])
            {
                break;
            }
            element -= place.strides[d] * place.shape[d];
            index[d] = 0;
        }
    }
}
/// Changes the sign of all numbers, as PyTorch does: of floating-point numbers the bit, NaN included; of whole ones the
/// two's complement.
void negate(TorchTensor& tensor)
{
    const std::size_t size = element_size(tensor.type);
    const bool is_real = tensor.type == TorchType::float32 || tensor.type == TorchType::float64 ||
                         tensor.type == TorchType::float16 || tensor.type == TorchType::bfloat16;
    for (std::size_t begin = 0; begin < tensor.bytes.size(); begin += size)
    {
        if (is_real)
        {
            tensor.bytes[begin + size - 1] ^= std::byte{0x80};
            continue;
        }
        unsigned carry = 1;
        for (std::size_t i = begin; i < begin + size; ++i)
        {
            carry += std::to_integer<unsigned>(~tensor.bytes[i]);
            tensor.bytes[i] = static_cast<std::byte>(carry & 0xff);
            carry >>= 8;
        }
    }
}

std::string called(const TensorPlace& place)
{
    return place.name.empty() ? "a tensor" : "the tensor '" + place.name + "'";
}

/// Bytes of a tensor, at most `limit` + 1. Throws Error if it reaches beyond the storage that it names.
std::uint64_t bytes_of(const TensorPlace& place, std::uint64_t limit, const std::string& source)
{
    if (std::find(place.shape.begin(), place.shape.end(), std::size_t{0}) != place.shape.end())
    {
        return 0;
    }
    const std::size_t size = element_size(place.type);
    const auto beyond = [&]
    {
        throw Error(source + ": " + called(place) + " reaches beyond its storage '" + place.storage +
                    "'; it is damaged, take another copy");
    };
    // No product or sum overflows: each factor is held against what is left.
    std::uint64_t count = 1, last = place.offset;
    for (std::size_t d = 0; d < place.shape.size(); ++d)
    {
        const std::uint64_t steps = place.shape[d] - 1;
        if (last > place.elements || (steps > 0 && place.strides[d] > (place.elements - last) / steps))
        {
            beyond();
        }
        if (place.shape[d] > limit / size / count)
        {
            return limit + 1;
        }
        count *= place.shape[d];
        last += steps * place.strides[d];
    }
    if (last >= place.elements)
    {
        beyond();
    }
    return count * size;
}
}  // namespace

TensorMaker::TensorMaker(std::string source, std::uint64_t content_size, ReadStorage read)
    : source_(std::move(source)), budget_(proportion * content_size + small_change), read_(std::move(read))
{
}

void TensorMaker::plan(const TensorPlace& place)
{
    const std::uint64_t bytes = bytes_of(place, budget_, source_);
    if (bytes > budget_)
    {
        throw Error(source_ + ": with " + called(place) +
                    ", its tensors are larger than the file can make them; it is damaged, take another copy");
    }
    budget_ -= bytes;
    Storage& storage = storages_[place.storage];
    if (storage.uses++ > 0 && storage.type != place.type)
    {
        throw Error(source_ + ": " + called(place) + " is of another type than others in its storage '" +
                    place.storage + "'; it is damaged, take another copy");
    }
    storage.type = place.type;
}

const std::vector<std::byte>& TensorMaker::read_storage(const TensorPlace& place, Storage& storage)
{
    if (!storage.is_read)
    {
        storage.bytes = read_(place);
        storage.is_read = true;
    }
    if (place.elements > storage.bytes.size() / element_size(place.type))
    {
        throw Error(source_ + ": its storage '" + place.storage + "' has " + std::to_string(storage.bytes.size()) +
                    " bytes, too few for its " + std::to_string(place.elements) +
                    " elements; it is damaged, take another copy");
    }
    return storage.bytes;
}

TorchTensor TensorMaker::make(const TensorPlace& place)
{
    const auto found = storages_.find(place.storage);
    if (found == storages_.end() || found->second.uses == 0)
    {
        throw std::logic_error("a tensor that was not planned");
    }
    const auto& bytes = read_storage(place, found->second);
    const std::size_t size = element_size(place.type);
    TorchTensor tensor{place.type, place.shape, {}};
    tensor.bytes.resize(bytes_of(place, std::numeric_limits<std::uint64_t>::max() - 1, source_));
    if (!tensor.bytes.empty() && is_row_major(place))
    {
        std::memcpy(tensor.bytes.data(), bytes.data() + place.offset * size, tensor.bytes.size());
    }
    else if (!tensor.bytes.empty())
    {
        gather(place, bytes.data(), size, tensor.bytes);
    }
    if (place.negated)
    {
        negate(tensor);
    }
    if (--found->second.uses == 0)
    {
        storages_.erase(found);
    }
    return tensor;
}

void plan_tensors(const pickle::Value& root, const std::string& source, TensorMaker& maker)
{
    const TorchReader planner{[&](const TensorPlace& place)
                              {
                                  maker.plan(place);
                                  return TorchValue();
                              },
                              [&](const pickle::Value&) -> TorchValue
                              { throw Error(source + ": holds a storage without a tensor; save tensors instead"); }};
    from_pickle(root, source, planner);
}

TorchValue make_value(const pickle::Value& root, const std::string& source, TensorMaker& maker)
{
    const TorchReader reader{[&](const TensorPlace& place) { return TorchValue::of(maker.make(place)); },
                             [](const pickle::Value&) -> TorchValue
                             { throw std::logic_error("tensors that were not planned"); }};
    return from_pickle(root, source, reader);
}
}  // namespace paws::io

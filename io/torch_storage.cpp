#include "io/torch_storage.hpp"

#include <cstring>
#include <utility>

#include "io/error.hpp"

namespace paws::io
{
namespace
{
/// How many times a file's size its tensors may have together: the same one may have several names.
constexpr std::uint64_t proportion = 8;
constexpr std::uint64_t small_change = std::uint64_t{1} << 20;

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
}  // namespace

TensorMaker::TensorMaker(std::string source, std::uint64_t file_size, ReadStorage read)
    : source_(std::move(source)), budget_(proportion * file_size + small_change), read_(std::move(read))
{
}

void TensorMaker::spend(std::uint64_t bytes)
{
    if (bytes > budget_)
    {
        throw Error(source_ + ": its tensors are larger than the file can make them; it is damaged, take another copy");
    }
    budget_ -= bytes;
}

const std::vector<std::byte>& TensorMaker::storage(const TensorPlace& place)
{
    const std::size_t size = element_size(place.type);
    if (!has_last_ || last_key_ != place.storage)
    {
        has_last_ = false;
        last_ = read_(place);
        last_key_ = place.storage;
        has_last_ = true;
        spend(last_.size());
    }
    if (place.elements > last_.size() / size)
    {
        throw Error(source_ + ": its storage '" + place.storage + "' has " + std::to_string(last_.size()) +
                    " bytes, too few for its " + std::to_string(place.elements) +
                    " elements; it is damaged, take another copy");
    }
    return last_;
}

TorchTensor TensorMaker::make(const TensorPlace& place)
{
    const std::size_t size = element_size(place.type);
    const auto& bytes = storage(place);
    const auto beyond = [&]
    {
        throw Error(source_ + ": a tensor reaches beyond its storage '" + place.storage +
                    "'; it is damaged, take another copy");
    };
    // No product or sum below overflows: each factor is held against what is left.
    std::uint64_t count = 1, last = place.offset;
    bool is_empty = false;
    for (const std::size_t length : place.shape)
    {
        is_empty = is_empty || length == 0;
    }
    for (std::size_t d = 0; d < place.shape.size() && !is_empty; ++d)
    {
        const std::uint64_t steps = place.shape[d] - 1;
        if (last > place.elements || (steps > 0 && place.strides[d] > (place.elements - last) / steps))
        {
            beyond();
        }
        if (place.shape[d] > budget_ / size / count + 1)
        {
            spend(budget_ + 1);
        }
        count *= place.shape[d];
        last += steps * place.strides[d];
    }
    if (!is_empty && last >= place.elements)
    {
        beyond();
    }
    TorchTensor tensor{place.type, place.shape, {}};
    if (is_empty)
    {
        return tensor;
    }
    spend(count * size);
    if (is_row_major(place))
    {
        const auto first = bytes.begin() + static_cast<std::ptrdiff_t>(place.offset * size);
        tensor.bytes.assign(first, first + static_cast<std::ptrdiff_t>(count * size));
        return tensor;
    }
    tensor.bytes.resize(count * size);
    gather(place, bytes.data(), size, tensor.bytes);
    return tensor;
}
}  // namespace paws::io

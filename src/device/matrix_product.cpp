#include "src/device/matrix_product.hpp"

#include <ATen/Parallel.h>

#include <algorithm>

namespace paws::device
{
namespace
{
/// Below this many multiply-adds a thread (tens of microseconds), waking another one gains nothing.
constexpr std::int64_t smallest_share = std::int64_t{1} << 21;

template <class Product>
void by_rows(const torch::Tensor& a, const torch::Tensor& b, const torch::Tensor& out, const Product& product)
{
    if (!out.is_cpu())
    {
        auto whole = out;
        product(whole, a);
        return;
    }
    const auto rows = out.size(0);
    const auto work_of_row = std::max<std::int64_t>(1, b.size(0) * b.size(1));
    at::parallel_for(0, rows, std::max<std::int64_t>(1, smallest_share / work_of_row),
                     [&](std::int64_t begin, std::int64_t end)
                     {
                         // Whether gradients are recorded is a setting of each thread, on unless said otherwise.
                         const torch::NoGradGuard no_gradient;
                         auto slice = out.narrow(0, begin, end - begin);
                         product(slice, a.narrow(0, begin, end - begin));
                     });
}
}  // namespace

void multiply(const torch::Tensor& a, const torch::Tensor& b, const torch::Tensor& out)
{
    by_rows(a, b, out, [&](torch::Tensor& slice, const torch::Tensor& rows) { torch::mm_out(slice, rows, b); });
}

void multiply_add(const torch::Tensor& a, const torch::Tensor& b, const torch::Tensor& out)
{
    by_rows(a, b, out, [&](torch::Tensor& slice, const torch::Tensor& rows) { slice.addmm_(rows, b); });
}
}  // namespace paws::device

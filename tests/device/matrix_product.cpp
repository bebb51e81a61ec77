#include "src/device/matrix_product.hpp"

#include "tests/support/catch.hpp"
#include "tests/support/golden_tensors.hpp"

using namespace paws;

TEST_CASE("products by rows agree with LibTorch's, transposed or not, added or not", "[nn]")
{
    torch::manual_seed(5);
    // One element, fewer rows than threads, and a product that every thread has a share of.
    const std::vector<std::array<std::int64_t, 3>> sizes{{1, 1, 1}, {1, 300, 700}, {3, 65, 33}, {513, 257, 129}};
    for (const auto& [rows, depth, columns] : sizes)
    {
        INFO(rows << " x " << depth << " x " << columns);
        const auto a = torch::randn({rows, depth}, torch::kFloat64);
        const auto b = torch::randn({depth, columns}, torch::kFloat64);
        const auto a_by_columns = a.t().contiguous().t();
        const auto b_by_columns = b.t().contiguous().t();
        const auto product = torch::mm(a, b);
        const auto out = torch::full({rows, columns}, std::nan(""), torch::kFloat64);
        device::multiply(a, b, out);
        CHECK(test::relative_error(out, product) < 1e-13);
        device::multiply_add(a_by_columns, b_by_columns, out);
        CHECK(test::relative_error(out, 2 * product) < 1e-13);
    }
}

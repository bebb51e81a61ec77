#include "src/loss/simclr_loss.hpp"

#include <cmath>

#include "tests/loss/finite_differences.hpp"
#include "tests/loss/plain_paws.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/golden_tensors.hpp"
#include "tests/support/goldens.hpp"
#include "tests/support/world.hpp"

namespace
{
using namespace paws;
using test::relative_error;

/// The loss of the searching views `queries`, which are rows first, first + 1, ... of `all`, as plain loops in double.
double plain_nt_xent(const torch::Tensor& queries, const torch::Tensor& all, std::size_t first, double temperature)
{
    const auto q = test::to_rows(queries);
    const auto keys = test::to_rows(all);
    const auto similarity = [&](std::size_t n, std::size_t j)
    {
        const auto a = test::unit(q[n]), b = test::unit(keys[j]);
        double cosine = 0;
        for (std::size_t d = 0; d < a.size(); ++d)
        {
            cosine += a[d] * b[d];
        }
        return cosine / temperature;
    };
    double loss = 0;
    for (std::size_t n = 0; n < q.size(); ++n)
    {
        double total = 0;
        for (std::size_t j = 0; j < keys.size(); ++j)
        {
            total += j == first + n ? 0 : std::exp(similarity(n, j));
        }
        const auto partner = first + (n + q.size() / 2) % q.size();
        loss += (std::log(total) - similarity(n, partner)) / static_cast<double>(q.size());
    }
    return loss;
}

struct SimclrResult
{
    torch::Tensor loss, gradient;
};

SimclrResult simclr_of(const torch::Tensor& z, const loss::ContrastiveSettings& settings, double factor = 1)
{
    const auto views = z.detach().clone().requires_grad_();
    const auto value = loss::simclr_loss(views, settings);
    (factor * value).backward();
    return {value.detach(), views.grad()};
}

/// Every rank's own views, the same on each run.
torch::Tensor random_views(std::int64_t images, std::int64_t dims, int rank = 0)
{
    torch::manual_seed(static_cast<std::uint64_t>(11 + rank));
    return torch::randn({2 * images, dims}, torch::kFloat64);
}

void check_simclr(const torch::Tensor& z, double temperature)
{
    CHECK(simclr_of(z, {temperature}).loss.item<double>() ==
          Approx(plain_nt_xent(z, z, 0, temperature)).epsilon(1e-11));
}
}  // namespace

TEST_CASE("the SimCLR loss and its gradient agree with the published numbers, on any number of ranks",
          "[loss][ranks][golden]")
{
    const auto world = test::world();
    const auto file = io::h5::File::open(test::golden_path("losses.h5"));
    int checked = 0;
    for (const auto& name : file.group("simclr").group_names())
    {
        const auto group = file.group("simclr/" + name);
        if (group.attribute<std::int64_t>("world_size") != world->world_size())
        {
            continue;
        }
        INFO(name);
        const auto rank = group.group("rank" + std::to_string(world->rank()));
        const auto z = test::read_tensor(rank, "z");
        const auto golden_loss = test::read_tensor(rank, "loss"), golden_grad = test::read_tensor(rank, "grad_z");
        REQUIRE(z.size(0) == 2 * group.attribute<std::int64_t>("batch_size"));
        loss::ContrastiveSettings settings{group.attribute<double>("temperature")};
        settings.communicator = world;
        for (const auto& [type, tolerance] :
             {std::pair(torch::kFloat64, test::double_tolerance), std::pair(torch::kFloat32, test::float_tolerance)})
        {
            const auto ours = simclr_of(z.to(type), settings);
            CHECK(relative_error(ours.loss, golden_loss) < tolerance);
            CHECK(relative_error(ours.gradient, golden_grad) < tolerance);
        }
        // Wrong answers don't pass: another temperature, and views in another order.
        auto warmer = settings;
        warmer.temperature *= 1.001;
        CHECK(relative_error(simclr_of(z, warmer).gradient, golden_grad) > test::float_tolerance);
        const auto paired_as_neighbours = z.view({-1, 2, z.size(1)}).transpose(0, 1).reshape_as(z).contiguous();
        CHECK(relative_error(simclr_of(paired_as_neighbours, settings).loss, golden_loss) > test::float_tolerance);
        ++checked;
    }
    REQUIRE(checked > 0);
}

TEST_CASE("the SimCLR loss over ranks agrees with plain loops over all views", "[loss][ranks]")
{
    const auto world = test::world();
    std::vector<torch::Tensor> views;
    for (int r = 0; r < world->world_size(); ++r)
    {
        views.push_back(random_views(5, 7, r));
    }
    const auto& own = views[static_cast<std::size_t>(world->rank())];
    const auto all = torch::cat(views);
    const auto first = static_cast<std::size_t>(own.size(0) * world->rank());
    loss::ContrastiveSettings settings{0.2};
    settings.communicator = world;
    const auto ours = simclr_of(own, settings);
    CHECK(ours.loss.item<double>() == Approx(plain_nt_xent(own, all, first, 0.2)).epsilon(1e-11));
    // The gradient is that of the searching views alone: those that are searched among stay as they are.
    const auto queries = own.clone();
    const auto numeric = test::finite_differences(queries, [&] { return plain_nt_xent(queries, all, first, 0.2); });
    CHECK(relative_error(ours.gradient, numeric) < 1e-8);
}

TEST_CASE("the SimCLR loss agrees with plain loops", "[loss]")
{
    SECTION("odd sizes")
    {
        check_simclr(random_views(43, 19), 0.1);
    }
    SECTION("more columns than a vector holds, a sharp temperature")
    {
        check_simclr(random_views(33, 5), 0.01);
    }
    SECTION("one image: the other view is all there is")
    {
        const auto z = random_views(1, 3);
        CHECK(simclr_of(z, {0.1}).loss.item<double>() == Approx(0).margin(1e-12));
        CHECK(simclr_of(z, {0.1}).gradient.abs().max().item<double>() < 1e-12);
    }
    SECTION("a zero vector, and two images with the same view")
    {
        auto z = random_views(4, 6);
        z[2].zero_();
        z[3] = z[1];
        check_simclr(z, 0.1);
        CHECK(torch::isfinite(simclr_of(z, {0.1}).gradient).all().item<bool>());
    }
}

TEST_CASE("the SimCLR loss is the same when its similarities do not fit the memory allowed", "[loss]")
{
    const auto z = random_views(10, 9);
    const auto whole = simclr_of(z, {0.1}, 0.7);
    // One row a block, blocks of seven with a rest, and all but the last row.
    for (const std::int64_t rows : {0, 7, 19})
    {
        INFO(rows << " rows a block");
        const auto ours = simclr_of(z, {0.1, rows * 20 * 8}, 0.7);
        CHECK(relative_error(ours.loss, whole.loss) < 1e-12);
        CHECK(relative_error(ours.gradient, whole.gradient) < 1e-12);
    }
}

TEST_CASE("the SimCLR loss' gradient scales with what comes after it, and is left out where no one asks", "[loss]")
{
    const auto z = random_views(3, 4);
    CHECK(relative_error(simclr_of(z, {0.1}, -2.5).gradient, -2.5 * simclr_of(z, {0.1}).gradient) < 1e-14);
    CHECK_FALSE(loss::simclr_loss(z, {0.1}).requires_grad());
    CHECK(loss::simclr_loss(z, {0.1}).item<double>() == simclr_of(z, {0.1}).loss.item<double>());
}

TEST_CASE("shapes that do not fit the SimCLR loss are refused", "[loss]")
{
    const auto z = random_views(3, 4);
    CHECK_THROWS_WITH(loss::simclr_loss(z.slice(0, 1), {}), Catch::Contains("5 rows are not two views"));
    CHECK_THROWS_WITH(loss::simclr_loss(z.slice(0, 0, 0), {}), Catch::Contains("0 rows are not two views"));
    CHECK_THROWS_WITH(loss::simclr_loss(z.flatten(), {}), Catch::Contains("[2B, D]"));
    CHECK_THROWS_WITH(loss::simclr_loss(z.to(torch::kInt64), {}), Catch::Contains("float32 or float64"));
}

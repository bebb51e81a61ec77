#include "src/loss/suncet_loss.hpp"

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
using Classes = std::vector<std::int64_t>;

std::shared_ptr<const loss::SupportLabels> labels_of(const Classes& classes_of, std::int64_t classes, double smoothing)
{
    return std::make_shared<const loss::SupportLabels>(torch::tensor(classes_of, torch::kInt64), classes, smoothing);
}

/// The loss of rows first … first + rows − 1 of `all` as plain loops in double.
double plain_suncet(const torch::Tensor& all, std::size_t first, std::size_t rows, const Classes& classes_of,
                    std::size_t classes, double smoothing, double temperature)
{
    const auto z = test::to_rows(all);
    const volatile float off = static_cast<float>(smoothing / static_cast<double>(classes));
    const float on = static_cast<float>(1 - smoothing + smoothing / static_cast<double>(classes));
    double loss = 0;
    for (std::size_t n = first; n < first + rows; ++n)
    {
        auto others = z;
        auto classes_of_others = classes_of;
        others.erase(others.begin() + static_cast<std::ptrdiff_t>(n));
        classes_of_others.erase(classes_of_others.begin() + static_cast<std::ptrdiff_t>(n));
        const auto p = test::plain_snn({z[n]}, others, classes_of_others, classes, smoothing, temperature).front();
        for (std::size_t k = 0; k < classes; ++k)
        {
            const double label = static_cast<double>(static_cast<std::size_t>(classes_of[n]) == k ? on : off);
            loss -= label > 0 ? label * std::log(p[k]) / static_cast<double>(rows) : 0;
        }
    }
    return loss;
}

struct SuncetResult
{
    torch::Tensor loss, gradient;
};

SuncetResult suncet_of(const torch::Tensor& z, const std::shared_ptr<const loss::SupportLabels>& labels,
                       const loss::ContrastiveSettings& settings, double factor = 1)
{
    const auto rows = z.detach().clone().requires_grad_();
    const auto value = loss::suncet_loss(rows, labels, settings);
    (factor * value).backward();
    return {value.detach(), rows.grad()};
}

torch::Tensor random_rows(std::int64_t rows, std::int64_t dims, int rank = 0)
{
    torch::manual_seed(static_cast<std::uint64_t>(5 + rank));
    return torch::randn({rows, dims}, torch::kFloat64);
}

Classes scattered_classes(std::int64_t rows, std::int64_t classes)
{
    Classes result;
    for (std::int64_t j = 0; j < rows; ++j)
    {
        result.push_back((j * 7 + j / 3) % classes);
    }
    return result;
}

void check_suncet(const torch::Tensor& z, const Classes& classes_of, std::int64_t classes, double smoothing,
                  double temperature)
{
    const auto ours = suncet_of(z, labels_of(classes_of, classes, smoothing), {temperature});
    const auto rows = static_cast<std::size_t>(z.size(0));
    CHECK(ours.loss.item<double>() ==
          Approx(plain_suncet(z, 0, rows, classes_of, static_cast<std::size_t>(classes), smoothing, temperature))
              .epsilon(1e-11));
    CHECK(torch::isfinite(ours.gradient).all().item<bool>());
}
}  // namespace

TEST_CASE("the SuNCEt loss and its gradient agree with the published numbers, on any number of ranks",
          "[loss][ranks][golden]")
{
    const auto world = test::world();
    const auto file = io::h5::File::open(test::golden_path("losses.h5"));
    int checked = 0;
    for (const auto& name : file.group("suncet").group_names())
    {
        const auto group = file.group("suncet/" + name);
        const auto ranks = group.attribute<std::int64_t>("world_size");
        if (ranks != world->world_size())
        {
            continue;
        }
        INFO(name);
        const auto rank = group.group("rank" + std::to_string(world->rank()));
        const auto z = test::read_tensor(rank, "z"), matrix = test::read_tensor(rank, "labels");
        const auto classes = group.attribute<std::int64_t>("classes");
        const auto labels = std::make_shared<const loss::SupportLabels>(loss::SupportLabels::stratified(
            classes, group.attribute<std::int64_t>("batch_size") * ranks, 1, group.attribute<double>("smoothing")));
        // The layout that the product makes is the golden's, in its first columns. The published matrix has more, which
        // no row belongs to: every row predicts and wants `off` there, which adds −off log off each, and no gradient.
        const double on = labels->on(), off = labels->off();
        REQUIRE(labels->supports() == matrix.size(0));
        const auto class_of = torch::arange(labels->supports()).remainder(classes);
        const auto expected = torch::full_like(matrix, off).scatter_(1, class_of.unsqueeze(1), on);
        REQUIRE(matrix.equal(expected));
        const auto golden_loss = test::read_tensor(rank, "loss") +
                                 static_cast<double>(matrix.size(1) - classes) * (off > 0 ? off * std::log(off) : 0.0);
        const auto golden_grad = test::read_tensor(rank, "grad_z");
        loss::ContrastiveSettings settings{group.attribute<double>("temperature")};
        settings.communicator = world;
        for (const auto& [type, tolerance] :
             {std::pair(torch::kFloat64, test::double_tolerance), std::pair(torch::kFloat32, test::float_tolerance)})
        {
            const auto ours = suncet_of(z.to(type), labels, settings);
            CHECK(relative_error(ours.loss, golden_loss) < tolerance);
            CHECK(relative_error(ours.gradient, golden_grad) < tolerance);
        }
        // Wrong answers don't pass: another temperature, and labels that belong to the next row.
        auto warmer = settings;
        warmer.temperature *= 1.001;
        CHECK(relative_error(suncet_of(z, labels, warmer).gradient, golden_grad) > test::float_tolerance);
        const auto shifted = (class_of + torch::arange(labels->supports()).eq(0)).remainder(classes).to(torch::kInt64);
        const auto wrong =
            std::make_shared<const loss::SupportLabels>(shifted, classes, group.attribute<double>("smoothing"));
        CHECK(relative_error(suncet_of(z, wrong, settings).gradient, golden_grad) > test::float_tolerance);
        ++checked;
    }
    REQUIRE(checked > 0);
}

TEST_CASE("the SuNCEt loss over ranks agrees with plain loops over all rows", "[loss][ranks]")
{
    const auto world = test::world();
    const auto ranks = static_cast<std::size_t>(world->world_size());
    std::vector<torch::Tensor> parts;
    for (int r = 0; r < world->world_size(); ++r)
    {
        parts.push_back(random_rows(7, 5, r));
    }
    auto all = torch::cat(parts);
    // Classes that differ from rank to rank in number and order.
    const auto classes_of = scattered_classes(all.size(0), 3);
    loss::ContrastiveSettings settings{0.2};
    settings.communicator = world;
    const auto own = static_cast<std::size_t>(world->rank());
    const auto ours = suncet_of(parts[own], labels_of(classes_of, 3, 0.1), settings);
    const auto plain = [&](std::size_t r) { return plain_suncet(all, 7 * r, 7, classes_of, 3, 0.1, 0.2); };
    CHECK(ours.loss.item<double>() == Approx(plain(own)).epsilon(1e-11));
    // A rank's rows have the gradient of the sum of all ranks' losses.
    const auto numeric = test::finite_differences(all,
                                                  [&]
                                                  {
                                                      double sum = 0;
                                                      for (std::size_t r = 0; r < ranks; ++r)
                                                      {
                                                          sum += plain(r);
                                                      }
                                                      return sum;
                                                  });
    CHECK(relative_error(ours.gradient, numeric.narrow(0, 7 * world->rank(), 7)) < 1e-8);
}

TEST_CASE("the SuNCEt loss agrees with plain loops", "[loss]")
{
    SECTION("odd sizes, smoothed labels")
    {
        check_suncet(random_rows(97, 19), scattered_classes(97, 5), 5, 0.1, 0.1);
    }
    SECTION("hard labels, a sharp temperature")
    {
        check_suncet(random_rows(30, 6), scattered_classes(30, 4), 4, 0, 0.02);
    }
    SECTION("more classes than a vector holds")
    {
        check_suncet(random_rows(111, 6), scattered_classes(111, 37), 37, 0.2, 0.3);
    }
    SECTION("two rows of one class")
    {
        check_suncet(random_rows(2, 3), {0, 0}, 1, 0, 0.1);
    }
    SECTION("a class with one row, another with none, smoothed labels")
    {
        check_suncet(random_rows(6, 4), {0, 0, 3, 1, 1, 0}, 4, 0.1, 0.1);
    }
    SECTION("a zero vector, and two rows alike")
    {
        auto z = random_rows(10, 6);
        z[2].zero_();
        z[3] = z[7];
        check_suncet(z, scattered_classes(10, 3), 3, 0, 0.1);
    }
}

TEST_CASE("the SuNCEt loss' gradient agrees with finite differences", "[loss]")
{
    for (const double smoothing : {0.0, 0.15})
    {
        auto z = random_rows(11, 5);
        const auto labels = labels_of(scattered_classes(11, 3), 3, smoothing);
        const auto numeric =
            test::finite_differences(z, [&] { return 0.7 * loss::suncet_loss(z, labels, {0.2}).item<double>(); });
        CHECK(relative_error(suncet_of(z, labels, {0.2}, 0.7).gradient, numeric) < 1e-8);
    }
}

TEST_CASE("the SuNCEt loss is the same when its similarities do not fit the memory allowed", "[loss]")
{
    const auto z = random_rows(20, 9);
    const auto labels = labels_of(scattered_classes(20, 3), 3, 0.1);
    const auto whole = suncet_of(z, labels, {0.1}, 0.7);
    // One row a block, blocks of seven with a rest, and all but the last row.
    for (const std::int64_t rows : {0, 7, 19})
    {
        INFO(rows << " rows a block");
        const auto ours = suncet_of(z, labels, {0.1, rows * 20 * 8}, 0.7);
        CHECK(relative_error(ours.loss, whole.loss) < 1e-12);
        CHECK(relative_error(ours.gradient, whole.gradient) < 1e-12);
    }
}

TEST_CASE("batches that the SuNCEt loss cannot take are refused", "[loss]")
{
    const auto z = random_rows(4, 3);
    const auto labels = labels_of({0, 1, 0, 1}, 2, 0);
    CHECK_THROWS_WITH(loss::suncet_loss(z.slice(0, 1), labels, {}), Catch::Contains("3 rows on each of 1 ranks"));
    CHECK_THROWS_WITH(loss::suncet_loss(z.flatten(), labels, {}), Catch::Contains("[N, D]"));
    CHECK_THROWS_WITH(loss::suncet_loss(z.to(torch::kInt64), labels, {}), Catch::Contains("float32 or float64"));
    CHECK_THROWS_WITH(loss::suncet_loss(z, labels_of({0, 1, 0, 0}, 2, 0), {}),
                      Catch::Contains("class 1 has one image"));
    CHECK_THROWS_WITH(loss::suncet_loss(z.slice(0, 0, 1), labels_of({0}, 1, 0.1), {}),
                      Catch::Contains("no neighbours"));
}

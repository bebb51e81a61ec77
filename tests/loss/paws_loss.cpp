#include "src/loss/paws_loss.hpp"

#include <numeric>

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

std::shared_ptr<const loss::SupportLabels> shared(loss::SupportLabels labels)
{
    return std::make_shared<const loss::SupportLabels>(std::move(labels));
}

struct Problem
{
    torch::Tensor anchors, anchor_supports, targets, target_supports;
    std::vector<std::int64_t> classes_of;
    std::int64_t classes;
};

Problem random_problem(std::int64_t images, std::int64_t multicrop, std::int64_t supports, std::int64_t classes,
                       std::int64_t dims)
{
    torch::manual_seed(7);
    const auto random = [&](std::int64_t rows) { return torch::randn({rows, dims}, torch::kFloat64); };
    Problem problem{
        random(images * (2 + multicrop)), random(supports), random(2 * images), random(supports), {}, classes};
    for (std::int64_t j = 0; j < supports; ++j)
    {
        problem.classes_of.push_back((j * 7 + j / 3) % classes);
    }
    return problem;
}

loss::PawsLoss loss_of(const Problem& p, const loss::PawsLossSettings& settings, double smoothing)
{
    return loss::paws_loss(p.anchors, p.anchor_supports, p.targets, p.target_supports,
                           shared({torch::tensor(p.classes_of, torch::kInt64), p.classes, smoothing}), settings);
}

void check_paws(const Problem& p, const loss::PawsLossSettings& settings, double smoothing)
{
    const auto plain =
        test::plain_paws(test::to_rows(p.anchors), test::to_rows(p.anchor_supports), test::to_rows(p.targets),
                         test::to_rows(p.target_supports), p.classes_of, static_cast<std::size_t>(p.classes), smoothing,
                         settings.temperature, settings.sharpen);
    const auto ours = loss_of(p, settings, smoothing);
    CHECK(ours.cross_entropy.item<double>() == Approx(plain.cross_entropy).epsilon(1e-10));
    CHECK(ours.me_max.item<double>() == Approx(settings.me_max ? plain.me_max : 0).epsilon(1e-10).margin(1e-12));
}

/// The labels of the gathered supports as the golden's matrix has them. With classes that ranks share, it has more
/// columns than there are classes and a sum above one, which the product's own layout does not repeat.
std::shared_ptr<const loss::SupportLabels> golden_labels(const io::h5::Group& group, const torch::Tensor& matrix)
{
    const auto class_of = matrix.argmax(1);
    const auto ranks = group.attribute<std::int64_t>("world_size");
    const bool unique = group.attribute<bool>("unique_classes");
    const auto product = loss::SupportLabels::stratified(
        group.attribute<std::int64_t>("classes_per_batch"), group.attribute<std::int64_t>("imgs_per_class"),
        group.attribute<std::int64_t>("supervised_views"), group.attribute<double>("label_smoothing"), ranks, unique);
    loss::SupportLabels labels(class_of, matrix.size(1), matrix.max().item<float>(), matrix.min().item<float>());
    // The layout that the product makes is the golden's: which support is where, class by class.
    REQUIRE(product.supports() == labels.supports());
    REQUIRE(product.members().equal(labels.members()));
    if (unique || ranks == 1)
    {
        REQUIRE(product.classes() == labels.classes());
        REQUIRE(product.on() == labels.on());
        REQUIRE(product.off() == labels.off());
    }
    return shared(std::move(labels));
}

void check_golden(const io::h5::Group& group, const std::shared_ptr<comm::Communicator>& world, torch::ScalarType type,
                  double tolerance)
{
    const auto rank = group.group("rank" + std::to_string(world->rank()));
    const loss::PawsLossSettings settings{group.attribute<std::int64_t>("multicrop"),
                                          group.attribute<double>("temperature"),
                                          group.attribute<double>("sharpen"),
                                          group.attribute<bool>("me_max"),
                                          std::int64_t{1} << 30,
                                          world};
    const auto labels = golden_labels(group, test::read_tensor(rank, "labels"));
    const auto tensor = [&](const char* name) { return test::read_tensor(rank, name).to(type); };
    auto views = tensor("anchor_views").requires_grad_();
    auto supports = tensor("anchor_supports").requires_grad_();
    const auto value =
        loss::paws_loss(views, supports, tensor("target_views"), tensor("target_supports"), labels, settings);
    (value.cross_entropy + value.me_max).backward();
    CHECK(relative_error(value.cross_entropy, test::read_tensor(rank, "loss")) < tolerance);
    CHECK(relative_error(value.me_max, test::read_tensor(rank, "me_max")) < tolerance);
    CHECK(relative_error(views.grad(), test::read_tensor(rank, "grad_anchor_views")) < tolerance);
    CHECK(relative_error(supports.grad(), test::read_tensor(rank, "grad_anchor_supports")) < tolerance);
}
}  // namespace

TEST_CASE("the PAWS loss and its gradients agree with the published numbers, on any number of ranks",
          "[loss][ranks][golden]")
{
    const auto world = test::world();
    const auto file = io::h5::File::open(test::golden_path("losses.h5"));
    int checked = 0;
    for (const auto& name : file.group("paws").group_names())
    {
        const auto group = file.group("paws/" + name);
        if (group.attribute<std::int64_t>("world_size") != world->world_size())
        {
            continue;
        }
        INFO(name);
        check_golden(group, world, torch::kFloat64, test::double_tolerance);
        check_golden(group, world, torch::kFloat32, test::float_tolerance);
        ++checked;
    }
    REQUIRE(checked > 0);
}

TEST_CASE("the PAWS loss agrees with plain loops", "[loss]")
{
    SECTION("odd sizes")
    {
        check_paws(random_problem(7, 3, 43, 5, 19), {3, 0.1, 0.25, true}, 0.1);
    }
    SECTION("no small crops, hard labels")
    {
        check_paws(random_problem(5, 0, 12, 3, 8), {0, 0.3, 0.5, true}, 0);
    }
    SECTION("one image, one support, one class")
    {
        check_paws(random_problem(1, 1, 1, 1, 4), {1, 0.1, 0.25, true}, 0);
    }
    SECTION("without me-max, T = 1")
    {
        check_paws(random_problem(4, 2, 9, 4, 6), {2, 0.1, 1, false}, 0.2);
    }
    SECTION("a sharp T")
    {
        check_paws(random_problem(4, 2, 9, 4, 6), {2, 0.1, 0.13, true}, 0.1);
    }
    SECTION("a class without support")
    {
        auto problem = random_problem(3, 1, 10, 4, 6);
        for (auto& k : problem.classes_of)
        {
            k = k == 2 ? 0 : k;
        }
        check_paws(problem, {1, 0.1, 0.25, true}, 0.1);
    }
    SECTION("a zero vector and a support equal to a query")
    {
        auto problem = random_problem(3, 1, 10, 4, 6);
        problem.anchors[1].zero_();
        problem.targets[0].zero_();
        problem.anchor_supports[3] = problem.anchors[2];
        check_paws(problem, {1, 0.05, 0.25, true}, 0.1);
    }
}

TEST_CASE("the PAWS loss' gradients agree with finite differences", "[loss]")
{
    for (const bool me_max : {true, false})
    {
        const loss::PawsLossSettings settings{2, 0.2, 0.4, me_max};
        auto problem = random_problem(3, 2, 11, 4, 5);
        problem.anchors.requires_grad_();
        problem.anchor_supports.requires_grad_();
        const auto total = [&]
        {
            const auto value = loss_of(problem, settings, 0.1);
            return value.cross_entropy + 0.7 * value.me_max;
        };
        total().backward();
        for (auto* const input : {&problem.anchors, &problem.anchor_supports})
        {
            const auto gradient = input->grad().clone();
            const auto numeric = test::finite_differences(*input, [&] { return total().item<double>(); });
            CHECK(relative_error(gradient, numeric) < 1e-8);
        }
    }
}

TEST_CASE("the gradient of a row of zeros is finite", "[loss]")
{
    auto problem = random_problem(2, 0, 6, 3, 4);
    problem.anchors[0].zero_();
    problem.anchors.requires_grad_();
    const auto value = loss_of(problem, {0, 0.1, 0.25, true}, 0.1);
    (value.cross_entropy + value.me_max).backward();
    CHECK(torch::isfinite(problem.anchors.grad()).all().item<bool>());
}

TEST_CASE("the loss of an encoding swaps the large views' targets", "[loss]")
{
    const auto problem = random_problem(3, 1, 6, 3, 4);
    const auto labels = shared({torch::tensor(problem.classes_of, torch::kInt64), 3, 0.0});
    const auto h = torch::randn({6 + 9, 4}, torch::kFloat64);
    const auto z = torch::randn({6 + 9, 4}, torch::kFloat64);
    const loss::PawsLossSettings settings{1, 0.1, 0.25, true};
    const auto whole = loss::paws_loss_of_encoding(h, z, 3, labels, settings);
    const auto swapped = torch::cat({h.slice(0, 9, 12), h.slice(0, 6, 9)});
    const auto parts = loss::paws_loss(z.slice(0, 6), z.slice(0, 0, 6), swapped, h.slice(0, 0, 6), labels, settings);
    CHECK(whole.cross_entropy.item<double>() == parts.cross_entropy.item<double>());
    CHECK(whole.me_max.item<double>() == parts.me_max.item<double>());
}

TEST_CASE("without a prediction head the anchors' similarities serve the targets", "[loss]")
{
    const auto problem = random_problem(3, 1, 7, 3, 4);
    const auto labels = shared({torch::tensor(problem.classes_of, torch::kInt64), 3, 0.1});
    const loss::PawsLossSettings settings{1, 0.1, 0.25, true};
    const auto h = torch::randn({7 + 9, 4}, torch::kFloat64);
    const auto gradient_of = [&](const torch::Tensor& z, const torch::Tensor& targets)
    {
        const auto value = loss::paws_loss_of_encoding(targets, z, 3, labels, settings);
        (value.cross_entropy + value.me_max).backward();
        return std::make_pair(value.cross_entropy.item<double>(), z.grad());
    };
    const auto alone = h.clone().requires_grad_();
    const auto with_copy = h.clone().requires_grad_();
    const auto [shared_loss, shared_gradient] = gradient_of(alone, alone);
    const auto [loss, gradient] = gradient_of(with_copy, h);
    CHECK(shared_loss == Approx(loss).epsilon(1e-12));
    CHECK(relative_error(shared_gradient, gradient) < 1e-12);
}

TEST_CASE("the PAWS loss is the same when its similarities do not fit the memory allowed", "[loss]")
{
    auto problem = random_problem(5, 2, 43, 5, 9);
    problem.anchors.requires_grad_();
    problem.anchor_supports.requires_grad_();
    const auto run = [&](std::int64_t bytes)
    {
        problem.anchors.mutable_grad() = torch::Tensor();
        problem.anchor_supports.mutable_grad() = torch::Tensor();
        const auto value = loss_of(problem, {2, 0.1, 0.25, true, bytes}, 0.1);
        const auto sum = value.cross_entropy + 0.7 * value.me_max;
        sum.backward();
        return torch::cat(
            {sum.detach().view({1}), problem.anchors.grad().flatten(), problem.anchor_supports.grad().flatten()});
    };
    const auto whole = run(std::int64_t{1} << 20);
    // One row a block, blocks of seven with a rest, and all but the last row.
    for (const std::int64_t rows : {0, 7, 19})
    {
        INFO(rows << " rows a block");
        CHECK(relative_error(run(rows * 43 * 8), whole) < 1e-12);
    }
}

TEST_CASE("the PAWS loss in float32 agrees with float64 at odd sizes", "[loss]")
{
    // Segments below, at and above a vector's width; more than one vector of classes.
    for (const std::int64_t supports : {31, 33, 321})
    {
        for (const std::int64_t classes : {1, 2, 17, 37})
        {
            INFO(supports << " supports, " << classes << " classes");
            auto problem = random_problem(3, 2, supports, classes, 33);
            const auto gradients = [&](torch::ScalarType type)
            {
                Problem p{problem.anchors.to(type).clone().requires_grad_(),
                          problem.anchor_supports.to(type).clone().requires_grad_(),
                          problem.targets.to(type),
                          problem.target_supports.to(type),
                          problem.classes_of,
                          classes};
                const auto value = loss_of(p, {2, 0.1, 0.25, true}, 0.1);
                (value.cross_entropy + value.me_max).backward();
                return torch::cat({value.cross_entropy.detach().view({1}), p.anchors.grad().flatten(),
                                   p.anchor_supports.grad().flatten()})
                    .to(torch::kFloat64);
            };
            const auto exact = gradients(torch::kFloat64);
            CHECK((gradients(torch::kFloat32) - exact).abs().max().item<double>() <
                  1e-5 * exact.abs().max().item<double>() + 1e-7);
        }
    }
}

TEST_CASE("shapes that do not fit the PAWS loss are refused", "[loss]")
{
    const auto p = random_problem(3, 1, 6, 3, 4);
    const auto labels = shared({torch::tensor(p.classes_of, torch::kInt64), 3, 0.0});
    const loss::PawsLossSettings settings{1, 0.1, 0.25, true};
    CHECK_THROWS_WITH(
        loss::paws_loss(p.anchors.slice(0, 1), p.anchor_supports, p.targets, p.target_supports, labels, settings),
        Catch::Contains("not a multiple of 3 views"));
    CHECK_THROWS_WITH(
        loss::paws_loss(p.anchors, p.anchor_supports, p.targets.slice(0, 1), p.target_supports, labels, settings),
        Catch::Contains("5 target rows"));
    CHECK_THROWS_WITH(
        loss::paws_loss(p.anchors, p.anchor_supports.slice(0, 1), p.targets, p.target_supports, labels, settings),
        Catch::Contains("supports for 6 labels"));
    CHECK_THROWS_WITH(
        loss::paws_loss(p.anchors.to(torch::kInt64), p.anchor_supports, p.targets, p.target_supports, labels, settings),
        Catch::Contains("float32 or float64"));
    CHECK_THROWS_WITH(loss::SupportLabels(torch::tensor({0, 3}, torch::kInt64), 3), Catch::Contains("class 3"));
}

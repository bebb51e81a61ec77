#include "src/loss/snn_classifier.hpp"

#include "tests/loss/plain_paws.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/golden_tensors.hpp"
#include "tests/support/goldens.hpp"

using namespace paws;

TEST_CASE("soft nearest-neighbour evaluation agrees with the published numbers", "[loss][golden]")
{
    const auto file = io::h5::File::open(test::golden_path("traces.h5"));
    const auto group = file.group("snn_eval");
    const auto support_labels = group.dataset("support_labels").read<std::int64_t>();
    const auto query_labels = group.dataset("query_labels").read<std::int64_t>();
    for (const auto type : {torch::kFloat64, torch::kFloat32})
    {
        const auto probabilities = loss::snn_probabilities(
            test::read_tensor(group, "queries").to(type), test::read_tensor(group, "supports").to(type), support_labels,
            group.attribute<std::int64_t>("num_classes"), group.attribute<double>("temperature"));
        CHECK(test::relative_error(probabilities, test::read_tensor(group, "probs")) <
              (type == torch::kFloat64 ? test::double_tolerance : test::float_tolerance));
        const auto accuracy = loss::accuracy(probabilities, query_labels);
        CHECK(accuracy.top1 == Approx(group.attribute<double>("top1")));
        CHECK(accuracy.top5 == Approx(group.attribute<double>("top5")));
    }
}

TEST_CASE("soft nearest neighbours agree with plain loops over several blocks of queries", "[loss]")
{
    torch::manual_seed(3);
    const auto queries = torch::randn({2051, 7}, torch::kFloat64);
    const auto supports = torch::randn({13, 7}, torch::kFloat64);
    std::vector<std::int64_t> labels;
    for (std::int64_t j = 0; j < 13; ++j)
    {
        labels.push_back(j % 4);
    }
    const auto plain = test::plain_snn(test::to_rows(queries), test::to_rows(supports), labels, 5, 0, 0.1);
    const auto ours = test::to_rows(loss::snn_probabilities(queries, supports, labels, 5, 0.1));
    double worst = 0;
    for (std::size_t n = 0; n < plain.size(); ++n)
    {
        for (std::size_t k = 0; k < 5; ++k)
        {
            worst = std::max(worst, std::abs(plain[n][k] - ours[n][k]));
        }
    }
    CHECK(worst < 1e-12);
}

TEST_CASE("accuracy counts the best and the five best classes", "[loss]")
{
    const auto scores = torch::tensor({{0.1, 0.9, 0.0, 0.2, 0.3, 0.4, 0.5}, {0.7, 0.1, 0.6, 0.5, 0.4, 0.3, 0.2}});
    CHECK(loss::accuracy(scores, {1, 0}).top1 == 1.0);
    CHECK(loss::accuracy(scores, {6, 0}).top1 == 0.5);
    CHECK(loss::accuracy(scores, {2, 6}).top5 == 0.0);
    CHECK(loss::accuracy(scores, {3, 5}).top5 == 1.0);
    // With fewer than five classes every label is among the five best.
    CHECK(loss::accuracy(torch::tensor({{0.1, 0.9}}), {0}).top5 == 1.0);
}

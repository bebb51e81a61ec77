#pragma once

#include <torch/types.h>

#include <cmath>
#include <vector>

namespace paws::test
{
/// The PAWS loss as plain loops over doubles, written from the method's formulas: what the kernels are compared with.
struct PlainPaws
{
    double cross_entropy = 0;
    double me_max = 0;
};

using Rows = std::vector<std::vector<double>>;

inline Rows to_rows(const torch::Tensor& tensor)
{
    const auto values = tensor.detach().to(torch::kFloat64).contiguous();
    Rows rows(static_cast<std::size_t>(values.size(0)));
    for (std::size_t n = 0; n < rows.size(); ++n)
    {
        const auto* const data = values.data_ptr<double>() + static_cast<std::int64_t>(n) * values.size(1);
        rows[n].assign(data, data + values.size(1));
    }
    return rows;
}

inline std::vector<double> unit(std::vector<double> row)
{
    double squares = 0;
    for (const double value : row)
    {
        squares += value * value;
    }
    const double norm = std::max(std::sqrt(squares), 1e-12);
    for (double& value : row)
    {
        value /= norm;
    }
    return row;
}

/// Class probabilities of each query; on and off are the smoothed one-hot values.
inline Rows plain_snn(const Rows& queries, const Rows& supports, const std::vector<std::int64_t>& classes_of,
                      std::size_t classes, double smoothing, double temperature)
{
    const double exact_off = smoothing / static_cast<double>(classes);
    // Labels are float32; volatile, since GCC 12 drops pairs of conversions (double to float to double) that it
    // vectorises.
    const volatile float off = static_cast<float>(exact_off);
    const float on = static_cast<float>(1 - smoothing + exact_off);
    Rows probabilities;
    for (const auto& query : queries)
    {
        const auto q = unit(query);
        std::vector<double> weights;
        double total = 0;
        for (const auto& support : supports)
        {
            const auto s = unit(support);
            double cosine = 0;
            for (std::size_t d = 0; d < q.size(); ++d)
            {
                cosine += q[d] * s[d];
            }
            weights.push_back(std::exp(cosine / temperature));
            total += weights.back();
        }
        std::vector<double> row(classes, 0.0);
        for (std::size_t j = 0; j < supports.size(); ++j)
        {
            for (std::size_t k = 0; k < classes; ++k)
            {
                const bool own = static_cast<std::size_t>(classes_of[j]) == k;
                row[k] += weights[j] / total * (static_cast<double>(own ? on : off));
            }
        }
        probabilities.push_back(row);
    }
    return probabilities;
}

inline std::vector<double> plain_sharpen(std::vector<double> row, double temperature)
{
    double total = 0;
    for (double& value : row)
    {
        value = std::pow(value, 1 / temperature);
        total += value;
    }
    for (double& value : row)
    {
        value /= total;
    }
    return row;
}

inline PlainPaws plain_paws(const Rows& anchors, const Rows& anchor_supports, const Rows& targets,
                            const Rows& target_supports, const std::vector<std::int64_t>& classes_of,
                            std::size_t classes, double smoothing, double temperature, double sharpening)
{
    const auto p = plain_snn(anchors, anchor_supports, classes_of, classes, smoothing, temperature);
    auto t = plain_snn(targets, target_supports, classes_of, classes, smoothing, temperature);
    for (auto& row : t)
    {
        row = plain_sharpen(row, sharpening);
    }
    const std::size_t images = t.size() / 2;
    std::vector<double> mean(classes, 0.0);
    PlainPaws result;
    for (std::size_t n = 0; n < p.size(); ++n)
    {
        const auto sharp = plain_sharpen(p[n], sharpening);
        for (std::size_t k = 0; k < classes; ++k)
        {
            double target = n < t.size() ? t[n][k] : (t[n % images][k] + t[images + n % images][k]) / 2;
            if (target < 1e-4)
            {
                target = 0;
            }
            if (target > 0)
            {
                result.cross_entropy -= target * std::log(p[n][k]) / static_cast<double>(p.size());
            }
            mean[k] += sharp[k] / static_cast<double>(p.size());
        }
    }
    for (const double a : mean)
    {
        result.me_max += a > 0 ? a * std::log(a) : 0;
    }
    return result;
}
}  // namespace paws::test

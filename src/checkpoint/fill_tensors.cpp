#include "src/checkpoint/fill_tensors.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>

#include "io/base/error.hpp"
#include "io/base/quantity.hpp"

namespace paws::checkpoint
{
namespace
{
torch::ScalarType scalar_type(io::ElementType type)
{
    switch (type)
    {
        case io::ElementType::float32:
            return torch::kFloat32;
        case io::ElementType::float64:
            return torch::kFloat64;
        case io::ElementType::int64:
            return torch::kInt64;
        case io::ElementType::uint8:
            return torch::kUInt8;
    }
    return torch::kFloat32;
}

std::int64_t count_not_finite(const torch::Tensor& tensor)
{
    if (!tensor.is_floating_point())
    {
        return 0;
    }
    const auto finite = torch::isfinite(tensor);
    return finite.all().item<bool>() ? 0 : tensor.numel() - finite.sum().item<std::int64_t>();
}

/// The first few.
std::string shortened(const std::vector<std::string>& names)
{
    constexpr std::size_t most = 4;
    const auto shown = std::min(names.size(), most);
    auto text = fmt::format("{}", fmt::join(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(shown), ", "));
    return names.size() > most ? text + fmt::format(" and {} more", names.size() - most) : text;
}
}  // namespace

std::string FillReport::text() const
{
    std::vector<std::string> parts;
    for (const auto& [title, names] : {std::pair{"missing", &missing}, std::pair{"unexpected", &unexpected},
                                       std::pair{"of another shape", &other_shape}})
    {
        if (!names->empty())
        {
            parts.push_back(fmt::format("{}: {}", title, shortened(*names)));
        }
    }
    return fmt::format("{}", fmt::join(parts, "; "));
}

FillReport fill_tensors(const io::NamedArrays& arrays, const NamedTensors& tensors)
{
    const torch::NoGradGuard no_gradient;
    std::map<std::string, torch::Tensor> by_name(tensors.begin(), tensors.end());
    FillReport report;
    for (const auto& [name, array] : arrays)
    {
        const auto found = by_name.find(name);
        if (found == by_name.end())
        {
            report.unexpected.push_back(name);
            continue;
        }
        const std::vector<std::int64_t> shape(array.shape.begin(), array.shape.end());
        if (torch::IntArrayRef(shape) == found->second.sizes())
        {
            auto* const bytes = const_cast<std::byte*>(array.bytes.data());
            found->second.copy_(torch::from_blob(bytes, shape, scalar_type(array.type)));
            ++report.filled;
            if (const auto count = count_not_finite(found->second); count > 0)
            {
                report.not_finite.push_back(
                    fmt::format("{} of the {} numbers of '{}'", count, found->second.numel(), name));
            }
        }
        else
        {
            report.other_shape.push_back(fmt::format("{} [{}], here [{}]", name, fmt::join(shape, ", "),
                                                     fmt::join(found->second.sizes(), ", ")));
        }
        by_name.erase(found);
    }
    for (const auto& [name, tensor] : tensors)
    {
        if (by_name.contains(name))
        {
            report.missing.push_back(name);
        }
    }
    return report;
}

void require_finite(const FillReport& report, const std::string& source)
{
    if (report.not_finite.empty())
    {
        return;
    }
    const auto others = report.not_finite.size() - 1;
    throw io::Error(fmt::format(
        "{}: {}{} are NaN or infinite; the run that wrote it had gone wrong: take a checkpoint from before", source,
        report.not_finite.front(), others == 0 ? "" : " and some of " + io::plural(others, "other tensor")));
}

void fill_all_tensors(const io::NamedArrays& arrays, const NamedTensors& tensors, const std::string& what,
                      const std::string& source)
{
    const auto report = fill_tensors(arrays, tensors);
    if (!report.is_complete())
    {
        throw io::Error(
            fmt::format("{}: its {} is not that of this network ({}); is it a checkpoint of another network "
                        "or output_dim?",
                        source, what, report.text()));
    }
    require_finite(report, source);
}
}  // namespace paws::checkpoint

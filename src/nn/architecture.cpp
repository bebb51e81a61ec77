#include "src/nn/architecture.hpp"

namespace paws::nn
{
const std::map<std::string, Architecture>& architectures()
{
    // The blocks of 151 and 200 are the published ones (3, 8, 36, 3 and 3, 24, 36, 3).
    static const std::map<std::string, Architecture> known{
        {"resnet18", {Family::basic, {2, 2, 2, 2}, 1}},
        {"resnet34", {Family::basic, {3, 4, 6, 3}, 1}},
        {"resnet50", {Family::bottleneck, {3, 4, 6, 3}, 1}},
        {"resnet50w2", {Family::bottleneck, {3, 4, 6, 3}, 2}},
        {"resnet50w4", {Family::bottleneck, {3, 4, 6, 3}, 4}},
        {"resnet101", {Family::bottleneck, {3, 4, 23, 3}, 1}},
        {"resnet101w2", {Family::bottleneck, {3, 4, 23, 3}, 2}},
        {"resnet151", {Family::bottleneck, {3, 8, 36, 3}, 1}},
        {"resnet151w2", {Family::bottleneck, {3, 8, 36, 3}, 2}},
        {"resnet200", {Family::bottleneck, {3, 24, 36, 3}, 1}},
        {"resnet200w2", {Family::bottleneck, {3, 24, 36, 3}, 2}},
        {"wide_resnet16w1", {Family::wide, {2, 2, 2}, 1}},
        {"wide_resnet28w2", {Family::wide, {4, 4, 4}, 2}},
    };
    return known;
}
}  // namespace paws::nn

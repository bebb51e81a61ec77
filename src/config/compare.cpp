#include "src/config/compare.hpp"

#include <yaml-cpp/yaml.h>

#include <filesystem>
#include <map>
#include <set>

namespace paws::config
{
namespace
{
using Values = std::map<std::string, std::string>;

/// "section.key" and what it says.
Values flattened(const std::string& yaml)
{
    Values values;
    for (const auto& section : YAML::Load(yaml))
    {
        const auto name = section.first.as<std::string>();
        if (!section.second.IsMap())
        {
            values[name] = YAML::Dump(section.second);
            continue;
        }
        for (const auto& entry : section.second)
        {
            values[name + "." + entry.first.as<std::string>()] = YAML::Dump(entry.second);
        }
    }
    return values;
}

/// What decides on the numbers of a run.
Values meaning_of(const Config& config)
{
    static const std::set<std::string> irrelevant{
        "meta.device", "meta.threads", "meta.emulate_world", "meta.bucket_mb", "meta.reduce_precision",
        "meta.cuda_graph", "meta.load_checkpoint", "meta.read_checkpoint", "meta.comm_timeout",
        // Where the data lie: what they are is compared by their content.
        "data.file", "data.root_path", "data.image_folder", "data.subset", "data.subset_path",
        "data.evaluation_batch_size", "data.cache_gb", "data.prefetch_batches", "data.workers", "data.copy_data",
        "data.scratch", "criterion.snn_temperature", "criterion.similarity_memory_gb", "criterion.embedding"};
    auto values = flattened(config.to_yaml());
    std::erase_if(values, [](const auto& value)
                  { return irrelevant.contains(value.first) || value.first.starts_with("logging."); });
    if (config.meta.init_backbone)
    {
        // The same file may have moved.
        values["meta.init_backbone"] = std::filesystem::path(*config.meta.init_backbone).filename().string();
    }
    return values;
}

std::vector<std::string> differing(const Values& left, const Values& right)
{
    std::vector<std::string> keys;
    for (const auto& [key, value] : left)
    {
        const auto found = right.find(key);
        if (found == right.end() || found->second != value)
        {
            keys.push_back(key);
        }
    }
    for (const auto& [key, value] : right)
    {
        if (!left.contains(key))
        {
            keys.push_back(key);
        }
    }
    return keys;
}
}  // namespace

std::vector<std::string> differing_keys(const Config& a, const Config& b)
{
    return differing(meaning_of(a), meaning_of(b));
}

std::vector<std::string> differing_settings(const std::string& yaml, const std::string& other)
{
    return differing(flattened(yaml), flattened(other));
}
}  // namespace paws::config

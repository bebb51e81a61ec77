#include "src/config/compare.hpp"

#include <yaml-cpp/yaml.h>

#include <map>
#include <set>

namespace paws::config
{
namespace
{
std::map<std::string, std::string> flattened(const Config& config)
{
    static const std::set<std::string> irrelevant{"meta.device",
                                                  "meta.threads",
                                                  "meta.emulate_world",
                                                  "meta.bucket_mb",
                                                  "meta.reduce_precision",
                                                  "meta.load_checkpoint",
                                                  "meta.read_checkpoint",
                                                  "data.evaluation_batch_size",
                                                  "data.cache_gb",
                                                  "data.prefetch_batches",
                                                  "data.workers",
                                                  "data.copy_data",
                                                  "data.scratch",
                                                  "criterion.snn_temperature",
                                                  "criterion.similarity_memory_gb",
                                                  "criterion.embedding"};
    std::map<std::string, std::string> values;
    for (const auto& section : YAML::Load(config.to_yaml()))
    {
        const auto name = section.first.as<std::string>();
        if (!section.second.IsMap())
        {
            values[name] = YAML::Dump(section.second);
            continue;
        }
        if (name == "logging")
        {
            continue;
        }
        for (const auto& entry : section.second)
        {
            const auto key = name + "." + entry.first.as<std::string>();
            if (!irrelevant.contains(key))
            {
                values[key] = YAML::Dump(entry.second);
            }
        }
    }
    return values;
}
}  // namespace

std::vector<std::string> differing_keys(const Config& a, const Config& b)
{
    const auto left = flattened(a);
    const auto right = flattened(b);
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
}  // namespace paws::config

#pragma once

// A YAML file as a list of keys and values that remember where they stand, and strict conversions of the values:
// a number is a number, a truth value is true or false, text in quotes is neither.

#include <yaml-cpp/yaml.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "src/config/config.hpp"

namespace paws::config
{
/// One value and where it stands.
struct Entry
{
    std::string key;  // "section.key", or "key" at the top level
    YAML::Node value;
    std::string where;  // "FILE:LINE", or "--set"
};

/// Throws Error "where: key: message".
[[noreturn]] void fail(const std::string& where, const std::string& key, const std::string& message);

class Document
{
public:
    /// Throws Error when the file cannot be read or is not the YAML of sections with keys.
    static Document from_file(const std::string& path);
    static Document from_text(const std::string& text, const std::string& name);

    /// Adds an entry, or puts it in the place of the one with that key.
    void set(Entry entry);

    /// Gives an entry another key. Throws Error if both are given.
    void move(const std::string& from, const std::string& to);

    const std::string& name() const { return name_; }
    const std::vector<Entry>& entries() const { return entries_; }
    /// Null when the key is not given.
    const Entry* find(const std::string& key) const;
    bool has(const std::string& key) const { return find(key) != nullptr; }
    /// The place of a key for messages: that of the value, or the file's name when it is not given.
    std::string where(const std::string& key) const;

private:
    void add_section(const std::string& section, const YAML::Node& values);
    void add(Entry entry);

    std::string name_;
    std::vector<Entry> entries_;
};

// Conversions. Each throws Error that says what was expected and what is there.
void read_value(const Entry& entry, bool& value);
void read_value(const Entry& entry, std::int64_t& value);
void read_value(const Entry& entry, double& value);
void read_value(const Entry& entry, std::string& value);
void read_value(const Entry& entry, Task& value);
void read_value(const Entry& entry, Precision& value);
void read_value(const Entry& entry, Dataset& value);
void read_value(const Entry& entry, Embedding& value);
void read_value(const Entry& entry, Convolution& value);
void read_value(const Entry& entry, AugmentOn& value);

/// null stands for none.
template <typename T>
void read_value(const Entry& entry, std::optional<T>& value)
{
    if (entry.value.IsNull())
    {
        value.reset();
        return;
    }
    T given{};
    read_value(entry, given);
    value = std::move(given);
}

/// A list of any length.
template <typename T>
void read_value(const Entry& entry, std::vector<T>& value)
{
    if (!entry.value.IsSequence())
    {
        fail(entry.where, entry.key, "expected a list, such as [backbone, projection]");
    }
    value.clear();
    for (const auto& item : entry.value)
    {
        read_value(Entry{entry.key, item, entry.where}, value.emplace_back());
    }
}

/// A list of exactly N values.
template <typename T, std::size_t N>
void read_value(const Entry& entry, std::array<T, N>& value)
{
    if (!entry.value.IsSequence() || entry.value.size() != N)
    {
        fail(entry.where, entry.key, "expected a list of " + std::to_string(N) + " values, such as [0.5, 1.0]");
    }
    for (std::size_t i = 0; i < N; ++i)
    {
        read_value(Entry{entry.key, entry.value[i], entry.where}, value[i]);
    }
}
}  // namespace paws::config

#pragma once

// Reads Python pickles as plain data. Nothing is ever executed or looked up: what a pickle wants to call or construct
// becomes a value that says so, and only names that the caller allows may appear at all.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "io/base/error.hpp"

namespace paws::io::pickle
{
enum class Kind
{
    none,
    boolean,  ///< integer: 0 or 1
    integer,  ///< integer
    real,     ///< real
    text,     ///< text: UTF-8
    bytes,    ///< text: the bytes; also Python 2's str
    list,     ///< items
    tuple,    ///< items
    dict,     ///< entries
    global,   ///< text: "module name"
    object,   ///< callee, arguments, state: what callee(*arguments) gave; items and entries: what was then put into it
    persistent,  ///< arguments: what stands for something stored outside the pickle
};

/// What torch.save pickles state dicts as.
inline constexpr std::string_view ordered_dict = "collections OrderedDict";

/// One value; which members count is said at its kind. Values may be shared, and lists and dicts may contain
/// themselves.
struct Value
{
    Kind kind = Kind::none;
    std::int64_t integer = 0;
    double real = 0;
    std::string text;
    std::vector<const Value*> items;
    std::vector<std::pair<const Value*, const Value*>> entries;
    const Value* callee = nullptr;
    const Value* arguments = nullptr;
    const Value* state = nullptr;

    bool is_string() const { return kind == Kind::text || kind == Kind::bytes; }
    bool is_string(std::string_view wanted) const { return is_string() && text == wanted; }
    bool is_global(std::string_view wanted) const { return kind == Kind::global && text == wanted; }

    /// The value of a dict's entry, which text or bytes name; null if there is none.
    const Value* find(std::string_view key) const;
};

/// A pickle that was read: owns its values.
class Document
{
public:
    const Value& root() const { return *root_; }
    /// All of them, in the order in which they were made.
    const std::deque<Value>& values() const { return values_; }

private:
    friend class Machine;

    std::deque<Value> values_;  // a deque, since values point to each other
    const Value* root_ = nullptr;
};

/// Whether bytes are text as Python 3 decodes it, surrogates included.
bool is_utf8(std::string_view text);

/// A pickle that wants to use a name that it may not.
class ForeignName : public Error
{
public:
    ForeignName(const std::string& message, std::string name) : Error(message), name_(std::move(name)) {}

    /// "module.name", without control characters.
    const std::string& name() const { return name_; }

private:
    std::string name_;
};

/// Reads one pickle of protocol 2 to 5. `allowed_globals`: the names ("module name") that may appear.
/// `source`: what to call the pickle in messages.
/// Throws Error, naming the offset, for anything else: another name (ForeignName), an instruction that is not data,
/// bytes missing or left, values out of all proportion to the bytes.
Document read(std::string_view bytes, std::span<const std::string_view> allowed_globals, const std::string& source);

/// The same for the first of several pickles; takes its bytes away from the front of `bytes`.
Document read_first(std::string_view& bytes, std::span<const std::string_view> allowed_globals,
                    const std::string& source);
}  // namespace paws::io::pickle

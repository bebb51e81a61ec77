#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace paws::io::pickle
{
/// Writes a pickle of protocol 2, value after value, each as Python's pickle does but without a memo:
///
///     Writer writer;
///     writer.open_dict();          // {"epoch": 17}
///     writer.text("epoch");
///     writer.integer(17);
///     writer.close_dict();
///     const std::string pickle = writer.finish();
class Writer
{
public:
    Writer();

    void none();
    void boolean(bool value);
    void integer(std::int64_t value);
    void real(double value);
    /// `value` is UTF-8. Throws std::length_error if it has 4 GiB or more.
    void text(std::string_view value);
    void bytes(std::string_view value);
    void global(std::string_view module, std::string_view name);

    void open_list();
    void close_list();
    void open_tuple();
    void close_tuple();
    /// Of keys and values in turn.
    void open_dict();
    void close_dict();
    /// Entries for the object that was written last.
    void open_entries();
    void close_entries();

    /// The call of a global with a tuple, which were written last.
    void call();
    /// The attributes of an object, which were written last.
    void set_state();
    /// What was written last stands for something outside of the pickle.
    void persistent();

    std::string finish();

private:
    void number(std::uint64_t value, std::size_t width);

    std::string out_;
};
}  // namespace paws::io::pickle

#include "io/results/event_file.hpp"

#include <array>
#include <bit>
#include <cstring>

namespace paws::io
{
namespace
{
static_assert(std::endian::native == std::endian::little, "records and numbers in them are little-endian");

constexpr std::array<std::uint32_t, 256> make_table()
{
    constexpr std::uint32_t reversed_polynomial = 0x82f63b78;
    std::array<std::uint32_t, 256> table{};
    for (std::uint32_t byte = 0; byte < 256; ++byte)
    {
        std::uint32_t sum = byte;
        for (int bit = 0; bit < 8; ++bit)
        {
            sum = (sum >> 1) ^ ((sum & 1) != 0 ? reversed_polynomial : 0);
        }
        table[byte] = sum;
    }
    return table;
}

constexpr auto table = make_table();

/// A checksum of data that hold checksums themselves, as the format has it.
std::uint32_t masked(std::uint32_t sum)
{
    return ((sum >> 15) | (sum << 17)) + 0xa282ead8;
}

template <typename T>
std::string bytes_of(T value)
{
    std::string bytes(sizeof(T), '\0');
    std::memcpy(bytes.data(), &value, sizeof(T));
    return bytes;
}

/// A message of Protocol Buffers that grows field by field.
class Message
{
public:
    Message& varint(unsigned field, std::uint64_t value)
    {
        begin(field, 0);
        put(value);
        return *this;
    }
    Message& real(unsigned field, double value)
    {
        begin(field, 1);
        bytes_ += bytes_of(value);
        return *this;
    }
    Message& real(unsigned field, float value)
    {
        begin(field, 5);
        bytes_ += bytes_of(value);
        return *this;
    }
    Message& text(unsigned field, std::string_view value)
    {
        begin(field, 2);
        put(value.size());
        bytes_ += value;
        return *this;
    }
    Message& message(unsigned field, const Message& value) { return text(field, value.bytes_); }

    const std::string& bytes() const { return bytes_; }

private:
    void begin(unsigned field, unsigned wire_type) { put(field << 3 | wire_type); }
    /// Seven bits a byte, the lowest first.
    void put(std::uint64_t value)
    {
        for (; value >= 128; value >>= 7)
        {
            bytes_ += static_cast<char>((value & 127) | 128);
        }
        bytes_ += static_cast<char>(value);
    }

    std::string bytes_;
};

/// Length, its checksum, contents, their checksum.
std::string record(const std::string& contents)
{
    const std::string length = bytes_of(static_cast<std::uint64_t>(contents.size()));
    return length + bytes_of(masked(crc32c(length))) + contents + bytes_of(masked(crc32c(contents)));
}

// Field numbers of tensorflow.Event.
constexpr unsigned event_wall_time = 1;
constexpr unsigned event_step = 2;
constexpr unsigned event_file_version_text = 3;
constexpr unsigned event_summary = 5;
constexpr unsigned event_session_log = 7;
constexpr unsigned session_log_status = 1;
constexpr std::uint64_t status_start = 1;
constexpr unsigned summary_value = 1;
constexpr unsigned value_tag = 1;
constexpr unsigned value_simple_value = 2;
}  // namespace

std::uint32_t crc32c(std::string_view bytes)
{
    std::uint32_t sum = ~std::uint32_t{0};
    for (const char c : bytes)
    {
        sum = (sum >> 8) ^ table[(sum ^ static_cast<unsigned char>(c)) & 255];
    }
    return ~sum;
}

std::string event_file_version(double wall_time)
{
    return record(Message().real(event_wall_time, wall_time).text(event_file_version_text, "brain.Event:2").bytes());
}

std::string event_of_start(double wall_time, std::int64_t step)
{
    return record(Message()
                      .real(event_wall_time, wall_time)
                      .varint(event_step, static_cast<std::uint64_t>(step))
                      .message(event_session_log, Message().varint(session_log_status, status_start))
                      .bytes());
}

std::string event_of_scalars(double wall_time, std::int64_t step, const std::vector<Scalar>& scalars)
{
    Message summary;
    for (const Scalar& scalar : scalars)
    {
        summary.message(summary_value, Message().text(value_tag, scalar.tag).real(value_simple_value, scalar.value));
    }
    return record(Message()
                      .real(event_wall_time, wall_time)
                      .varint(event_step, static_cast<std::uint64_t>(step))
                      .message(event_summary, summary)
                      .bytes());
}
}  // namespace paws::io

#include "io/results/event_file.hpp"

#include <cstring>

#include "tests/io/files.hpp"

using namespace paws::io;

TEST_CASE("CRC-32C gives the values that its standard lists", "[io]")
{
    // RFC 3720, appendix B.4, and the check value of every catalogue of checksums.
    CHECK(crc32c("123456789") == 0xe3069283);
    CHECK(crc32c(std::string(32, '\0')) == 0x8a9136aa);
    CHECK(crc32c(std::string(32, '\xff')) == 0x62a8ab43);
    std::string rising;
    for (char c = 0; c < 32; ++c)
    {
        rising += c;
    }
    CHECK(crc32c(rising) == 0x46dd794e);
    CHECK(crc32c("") == 0);
}

// That other programs read whole files, tests/outputs/read_outputs.py checks with a library of Protocol Buffers.
TEST_CASE("records hold their length and the messages of Protocol Buffers", "[io]")
{
    const std::string bytes = event_of_scalars(2.0, 300, {{"lr", 0.5F}});
    std::uint64_t length = 0;
    std::memcpy(&length, bytes.data(), 8);
    REQUIRE(bytes.size() == 8 + 4 + length + 4);
    // wall_time 1: fixed 64; step 2: varint 300 is ac 02; summary 5: a value 1 with tag 1 and simple_value 2.
    const std::string wanted("\x09\0\0\0\0\0\0\0\x40\x10\xac\x02\x2a\x0b\x0a\x09\x0a\x02lr\x15\0\0\0\x3f", 25);
    CHECK(bytes.substr(12, length) == wanted);
    CHECK(event_file_version(0).find("brain.Event:2") == 12 + 9 + 2);
    CHECK(event_of_start(0, 7).substr(12 + 9, 6) == std::string("\x10\x07\x3a\x02\x08\x01", 6));
}

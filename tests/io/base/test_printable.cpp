#include "io/base/printable.hpp"

#include <string>

#include "tests/support/catch.hpp"

using paws::io::as_utf8;
using paws::io::printable;
using namespace std::string_literals;

TEST_CASE("text stays as it is, in every script", "[io]")
{
    for (const auto* text : {"", "plain name.jpg", "back\\slash", "Grüße", "猫", "🐈", "e\xcc\x81", "quote\"s'"})
    {
        CHECK(printable(text) == text);
        CHECK(as_utf8(text) == text);
    }
}

TEST_CASE("bytes that are no UTF-8 are written as numbers", "[io]")
{
    // A lone byte, Latin-1, a start without its end, an end without a start, too long forms, a surrogate, beyond
    // Unicode.
    CHECK(printable("x\xff.jpg") == "x\\xff.jpg");
    CHECK(printable("caf\xe9") == "caf\\xe9");
    CHECK(printable("a\xe7\x8c") == "a\\xe7\\x8c");
    CHECK(printable("\x80z") == "\\x80z");
    CHECK(printable("\xc0\xaf") == "\\xc0\\xaf");
    CHECK(printable("\xe0\x80\xaf") == "\\xe0\\x80\\xaf");
    CHECK(printable("\xed\xa0\x80") == "\\xed\\xa0\\x80");
    CHECK(printable("\xf4\x90\x80\x80") == "\\xf4\\x90\\x80\\x80");
    CHECK(printable("\xf5\x80\x80\x80") == "\\xf5\\x80\\x80\\x80");
    CHECK(printable("\xe7\x8c\xab\xff") == "猫\\xff");
    CHECK(as_utf8("x\xff\ny") == "x\\xff\ny");
}

TEST_CASE("nothing that a terminal obeys is left", "[io]")
{
    CHECK(printable("x\ny\r\tz") == "x\\ny\\r\\tz");
    CHECK(printable("\x1b[2J") == "\\x1b[2J");
    CHECK(printable("a\0b"s) == "a\\x00b");
    CHECK(printable("\x7f") == "\\x7f");
    // C1's control sequence introducer and next line, the separator of lines, a change of direction.
    CHECK(printable("\xc2\x9b"
                    "31m") == "\\xc2\\x9b31m");
    CHECK(printable("\xc2\x85") == "\\xc2\\x85");
    CHECK(printable("\xe2\x80\xa8") == "\\xe2\\x80\\xa8");
    CHECK(printable("\xe2\x80\xaegpj.exe") == "\\xe2\\x80\\xaegpj.exe");
    CHECK(as_utf8("\x1b[2J\n") == "\x1b[2J\n");
}

TEST_CASE("doing it twice changes nothing", "[io]")
{
    for (const auto* text : {"x\xff\n", "\\xff", "a\x1b"})
    {
        const auto once = printable(text);
        CHECK(printable(once) == once);
        CHECK(as_utf8(once) == once);
    }
    CHECK(printable(std::vector<std::string>{"a", "b\n"}) == std::vector<std::string>{"a", "b\\n"});
}

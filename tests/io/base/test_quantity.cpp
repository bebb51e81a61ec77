#include "io/base/quantity.hpp"

#include "tests/support/catch.hpp"

using namespace paws::io;

TEST_CASE("sizes are written for people", "[io]")
{
    CHECK(size_in_words(0) == "0 B");
    CHECK(size_in_words(999) == "999 B");
    CHECK(size_in_words(1000) == "1.0 kB");
    CHECK(size_in_words(999'960) == "1.0 MB");
    CHECK(size_in_words(147'897'477'120) == "147.9 GB");
    CHECK(size_in_words(2'500'000'000'000'000) == "2500.0 TB");
}

TEST_CASE("one of a thing is written otherwise than several", "[io]")
{
    CHECK(plural(1, "image") == "1 image");
    CHECK(plural(0, "class", "es") == "0 classes");
}

#include "src/logging/work_progress.hpp"

#include "tests/support/catch.hpp"

using paws::logging::format_work;
using paws::logging::WorkDone;

TEST_CASE("the progress of work shows amounts, speeds and the time left", "[train]")
{
    WorkDone images;
    images.verb = "embedded";
    images.all_items = 10000;
    images.seconds = 0;
    CHECK(format_work(images) == "embedded 0 of 10000 images");
    images.items = 2500;
    images.seconds = 10;
    CHECK(format_work(images) == "embedded 2500 of 10000 images  250 images/s  30 s left");
    images.items = 10000;
    CHECK(format_work(images) == "embedded 10000 of 10000 images  1000 images/s  0 s left");

    WorkDone bytes;
    bytes.verb = "copied";
    bytes.bytes = 1'000'000'000;
    bytes.all_bytes = 10'000'000'000;
    bytes.seconds = 10;
    CHECK(format_work(bytes) == "copied 1.0 GB of 10.0 GB  100.0 MB/s  1 min 30 s left");

    // Bytes tell the time left: the first half of the images may be the small ones.
    images.verb = "packed";
    images.items = 5000;
    images.bytes = 1'000'000;
    images.all_bytes = 4'000'000;
    CHECK(format_work(images) == "packed 5000 of 10000 images  500 images/s  100.0 kB/s  30 s left");
}

#include <fcntl.h>
#include <sys/stat.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "io/image/image.hpp"
#include "io/image/stored_image.hpp"
#include "tests/io/files.hpp"

using namespace paws::test;
using namespace paws::io;

TEST_CASE("what is no regular file is no image, and is not opened", "[io]")
{
    const TemporaryFolder folder;
    const auto refuse = [&](const std::string& name, const std::string& reason)
    {
        check_refused([&] { read_image_file(folder / name, "train/a/" + name); },
                      {"train/a/" + name + ": cannot be decoded (" + reason});
    };
    std::filesystem::create_symlink("/dev/zero", folder / "device.jpg");
    refuse("device.jpg", "it is not a regular file");
    std::filesystem::create_directory(folder / "folder.jpg");
    refuse("folder.jpg", "it is not a regular file");
    std::filesystem::create_symlink("nowhere", folder / "link.jpg");
    refuse("link.jpg", "");

    const auto pipe = folder / "pipe.jpg";
    REQUIRE(mkfifo(pipe.c_str(), 0600) == 0);
    refuse("pipe.jpg", "it is not a regular file");
    // Somebody who waits for a reader of the pipe goes on waiting.
    std::atomic<bool> has_reader = false;
    std::thread writer(
        [&]
        {
            const int descriptor = ::open(pipe.c_str(), O_WRONLY);
            has_reader = true;
            ::close(descriptor);
        });
    constexpr std::chrono::milliseconds moment(50);
    std::this_thread::sleep_for(moment);
    refuse("pipe.jpg", "it is not a regular file");
    std::this_thread::sleep_for(moment);
    CHECK_FALSE(has_reader);
    const int reader = ::open(pipe.c_str(), O_RDONLY | O_NONBLOCK);
    writer.join();
    ::close(reader);
}

#include <algorithm>
#include <cstdlib>

#include "io/h5.hpp"
#include "io/picture.hpp"
#include "tests/io/files.hpp"
#include "tests/support/goldens.hpp"

using namespace paws::test;
using namespace paws::io;

namespace
{
using Bytes = std::vector<std::uint8_t>;

Bytes bytes_of(const std::filesystem::path& path)
{
    const std::string text = contents(path);
    return {text.begin(), text.end()};
}

void check_equal(const Picture& picture, const h5::Dataset& expected, int tolerance)
{
    REQUIRE(h5::Shape{picture.height, picture.width, 3} == expected.shape());
    const Bytes pixels = expected.read<std::uint8_t>();
    REQUIRE(picture.pixels.size() == pixels.size());
    int worst = 0;
    for (std::size_t i = 0; i < pixels.size(); ++i)
    {
        worst = std::max(worst, std::abs(int{pixels[i]} - int{picture.pixels[i]}));
    }
    CHECK(worst <= tolerance);
}

void refuse(const Bytes& bytes, std::initializer_list<std::string> parts)
{
    check_refused([&] { decode_picture(bytes, "some.png"); }, parts);
}
}  // namespace

TEST_CASE("pictures of every kind are decoded as Pillow does", "[io][golden]")
{
    const h5::File file = h5::File::open(golden_path("pictures.h5"));
    for (const std::string& name : file.group("rgb").dataset_names())
    {
        INFO(name);
        const Picture picture = decode_picture(bytes_of(golden_path("pictures/" + name)), name);
        check_equal(picture, file.dataset("rgb/" + name), name.find("cmyk") != std::string::npos ? 1 : 0);
    }
}

TEST_CASE("broken pictures are refused by name", "[io][golden]")
{
    const h5::File file = h5::File::open(golden_path("pictures.h5"));
    for (const std::string& name : file.dataset("broken").read<std::string>())
    {
        INFO(name);
        check_refused([&] { decode_picture(bytes_of(golden_path("pictures/" + name)), name); },
                      {name + ": cannot be decoded", "replace the picture"});
    }
}

TEST_CASE("rare kinds of pictures are decoded as Pillow does", "[io]")
{
    const h5::File file = h5::File::open(data_path("more_pictures.h5"));
    for (const std::string& name : file.group("encoded").dataset_names())
    {
        INFO(name);
        const Bytes bytes = file.dataset("encoded/" + name).read<std::uint8_t>();
        check_equal(decode_picture(bytes, name), file.dataset("rgb/" + name), 0);
    }
}

TEST_CASE("pictures that are cut off anywhere are refused", "[io][golden]")
{
    for (const char* name : {"grey.png", "odd_1x1.jpg", "progressive.jpg", "baseline_420.jpg"})
    {
        const Bytes whole = bytes_of(golden_path(std::string("pictures/") + name));
        for (std::size_t size = 0; size < whole.size() - 20; size += 1 + whole.size() / 100)
        {
            INFO(name << " cut off at " << size);
            const Bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
            check_refused([&] { decode_picture(cut, name); }, {name});
        }
    }
}

TEST_CASE("what is no picture is refused with the reason", "[io]")
{
    refuse({}, {"some.png", "it is empty"});
    refuse({'G', 'I', 'F', '8', '9', 'a', 0, 0, 0}, {"some.png", "neither JPEG nor PNG"});
    refuse({0xff, 0xd8, 0xff, 0xd9}, {"some.png", "cannot be decoded"});
    refuse({0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n', 0, 0}, {"some.png", "it is cut off"});
    // A start of frame that claims 65500x65500 pixels.
    refuse({0xff, 0xd8, 0xff, 0xc0, 0, 11, 8, 0xff, 0xdc, 0xff, 0xdc, 1,    1,   0x11,
            0,    0xff, 0xda, 0,    8, 1,  1, 0,    0,    63,   0,    0xff, 0xd9},
           {"some.png", "65500x65500 pixels"});
}

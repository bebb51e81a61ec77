#include "src/commands/view_sheet.hpp"

#include <fstream>
#include <iterator>

#include "io/base/error.hpp"
#include "io/files/read_file.hpp"
#include "io/image/image.hpp"
#include "src/data/augmentation.hpp"
#include "src/data/dataset.hpp"
#include "src/data/samplers.hpp"
#include "tests/support/small_run.hpp"
#include "tests/support/wave_images.hpp"

using namespace paws;

namespace
{
io::Image read_png(const std::filesystem::path& path)
{
    const auto bytes = io::read_file(path);
    return io::decode_image({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()}, path.string());
}
}  // namespace

TEST_CASE("the sheet shows the views that training sees", "[tasks]")
{
    const test::SmallRun small;
    const auto config = small.config("run");
    const auto path = small.folder / "sheet.png";
    const auto summary = commands::view_sheet(config, 3, path);
    CHECK(summary["pictures"] == 3);
    CHECK(summary["views"] == 3);
    const auto sheet = read_png(path);
    // Each pixel of a view of 16 × 16 is 6 × 6 of the sheet, between gaps of 4: the image, two large, one small.
    REQUIRE(sheet.height == 4 + 3 * (96 + 4));
    REQUIRE(sheet.width == 4 + 3 * (96 + 4) + 48 + 4);

    auto data = config.data;
    data.normalize = false;
    const auto dataset = data::load_dataset(config, data::Splits::train);
    const auto row = data::random_permutation(26, 0)[1];
    const auto view = data::make_views(dataset.train.pixels, data::large_view_spec(data), {0, 0}, {row}, {1});
    int wrong = 0;
    for (std::size_t y = 0; y < 96; ++y)
    {
        for (std::size_t x = 0; x < 96; ++x)
        {
            for (std::size_t c = 0; c < 3; ++c)
            {
                const auto at = ((4 + 100 + y) * sheet.width + 4 + 2 * 100 + x) * 3 + c;
                const auto value = view[0][static_cast<std::int64_t>(c)][static_cast<std::int64_t>(y / 6)]
                                       [static_cast<std::int64_t>(x / 6)]
                                           .item<float>();
                wrong += sheet.pixels[at] == std::lround(255 * value) ? 0 : 1;
            }
        }
    }
    CHECK(wrong == 0);
    // More rows than there are images.
    CHECK(commands::view_sheet(config, 30, path)["pictures"] == 26);
}

TEST_CASE("the sheet is drawn from encoded images, without the corrupt ones where that is allowed", "[tasks]")
{
    const test::SmallRun small;
    test::write_encoded(small.folder / "file.h5",
                        {test::jpeg_of(test::wave(60, 80, 20), 60, 80), {'n', 'o', 'n', 'e'}});
    const auto config = [&](const std::string& skip)
    {
        return small.config("run", {"data.file=" + (small.folder / "file.h5").string(), "data.subset=null",
                                    "data.unlabeled_frac=0", "data.skip_broken=" + skip});
    };
    const auto path = small.folder / "sheet.png";
    CHECK_THROWS_WITH(commands::view_sheet(config("false"), 2, path), Catch::Contains("picture1.jpg"));
    CHECK_FALSE(std::filesystem::exists(path));
    CHECK(commands::view_sheet(config("true"), 2, path)["pictures"] == 2);
    CHECK(read_png(path).height == 4 + 2 * 100);
}

TEST_CASE("sheets that cannot be drawn are refused in words", "[tasks]")
{
    const test::SmallRun small;
    const auto path = small.folder / "sheet.png";
    CHECK_THROWS_WITH(commands::view_sheet(small.config("run"), 0, path), Catch::Contains("--images: 0"));
    CHECK_THROWS_WITH(commands::view_sheet(small.config("run"), 101, path), Catch::Contains("1 to 100"));
    auto config = small.config("run");
    config.task = config::Task::embed;
    CHECK_THROWS_WITH(commands::view_sheet(config, 1, path), Catch::Contains("task: embed"));
    CHECK_THROWS_AS(commands::view_sheet(small.config("run"), 1, "/nowhere/sheet.png"), io::Error);
}

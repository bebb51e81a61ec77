// How fast JPEGs become training views on one core, decoding included, through the code that training uses.

#include <benchmark/benchmark.h>
#include <turbojpeg.h>
#include <unistd.h>

#include <Kokkos_Core.hpp>
#include <algorithm>
#include <filesystem>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "io/files/read_file.hpp"
#include "io/hdf5/h5.hpp"
#include "src/data/view_maker.hpp"

namespace
{
using namespace paws;
namespace fs = std::filesystem;

constexpr int large_size = 224;
constexpr int small_size = 96;
constexpr int large_views = 2;
constexpr int small_views = 6;
constexpr std::size_t all_values =
    3 * (std::size_t{large_views} * large_size * large_size + std::size_t{small_views} * small_size * small_size);

/// The published transform for ImageNet with a jitter of strength 1.
kernels::AugmentSpec imagenet_spec(int size, double scale_min, double scale_max)
{
    kernels::AugmentSpec spec;
    spec.size = size;
    spec.scale_min = scale_min;
    spec.scale_max = scale_max;
    spec.flip_p = 0.5;
    spec.jitter_p = 0.8;
    spec.brightness = spec.contrast = spec.saturation = 0.8;
    spec.hue = 0.2;
    spec.grey_p = 0.2;
    spec.blur_p = 0.5;
    spec.blur_sigma_min = 0.1;
    spec.blur_sigma_max = 2;
    const float mean[] = {0.485F, 0.456F, 0.406F};
    const float std[] = {0.229F, 0.224F, 0.225F};
    std::copy_n(mean, 3, spec.mean);
    std::copy_n(std, 3, spec.std);
    return spec;
}

std::vector<std::uint8_t> photograph()
{
    const auto bytes = io::read_file(PAWS_SOURCE_DIR "/perf/data/photograph_500x375.jpg");
    return {bytes.begin(), bytes.end()};
}

constexpr int big_height = 1125;
constexpr int big_width = 1500;

/// The same enlarged three times, bilinearly.
std::vector<std::uint8_t> big_photograph()
{
    const auto small = io::decode_image(photograph(), "photograph_500x375.jpg");
    const auto height = static_cast<int>(small.height);
    const auto width = static_cast<int>(small.width);
    std::vector<std::uint8_t> pixels;
    for (int y = 0; y < big_height; ++y)
    {
        for (int x = 0; x < big_width; ++x)
        {
            // Pixel 3 i + 1 lies on pixel i, its neighbours a third of the way to the next ones.
            const int down = y % 3 - 1;
            const int across = x % 3 - 1;
            const auto at = [&](int row, int column, int channel)
            {
                row = std::clamp(row, 0, height - 1);
                column = std::clamp(column, 0, width - 1);
                return int{small.pixels[static_cast<std::size_t>((row * width + column) * 3 + channel)]};
            };
            for (int c = 0; c < 3; ++c)
            {
                const int here =
                    (down == 0 ? 3 : 2) * at(y / 3, x / 3, c) + (down == 0 ? 0 : at(y / 3 + down, x / 3, c));
                const int beside = (down == 0 ? 3 : 2) * at(y / 3, x / 3 + across, c) +
                                   (down == 0 ? 0 : at(y / 3 + down, x / 3 + across, c));
                pixels.push_back(static_cast<std::uint8_t>((across == 0 ? 3 * here : 2 * here + beside) / 9));
            }
        }
    }
    const std::unique_ptr<void, int (*)(void*)> compressor(tjInitCompress(), tjDestroy);
    unsigned char* bytes = nullptr;
    unsigned long size = 0;
    if (tjCompress2(compressor.get(), pixels.data(), big_width, 0, big_height, TJPF_RGB, &bytes, &size, TJSAMP_420, 90,
                    TJFLAG_ACCURATEDCT) != 0)
    {
        throw std::runtime_error(tjGetErrorStr2(compressor.get()));
    }
    std::vector<std::uint8_t> result(bytes, bytes + size);
    tjFree(bytes);
    return result;
}

/// A packed file of one image, for as long as this lives, and the image's bytes as the reading thread gives them.
class OneImage
{
public:
    explicit OneImage(const std::vector<std::uint8_t>& bytes)
        : path_(fs::temp_directory_path() / ("paws-bench-" + std::to_string(getpid()) + ".h5"))
    {
        auto file = io::h5::File::create(path_);
        file.set_attribute<std::string>("format", "paws-dataset");
        file.set_attribute<std::int64_t>("version", 1);
        file.write_strings("class_names", {"photograph"});
        file.write<std::int64_t>("train/labels", std::vector<std::int64_t>{0}, {1});
        file.write_strings("train/names", {"photograph_500x375.jpg"});
        file.write<std::uint8_t>("train/encoded", bytes, {bytes.size()});
        file.write<std::uint64_t>("train/offsets", std::vector<std::uint64_t>{0, bytes.size()}, {2});
        file.save();
        const auto opened = std::make_shared<const io::DatasetFile>(path_);
        images.labels = {0};
        images.names = {"photograph_500x375.jpg"};
        images.stored = std::make_shared<data::StoredSplit>(opened, "train", 0);
        stored = images.stored->read(std::vector<std::int64_t>{0}).front();
    }
    ~OneImage()
    {
        std::error_code ignored;
        fs::remove(path_, ignored);
    }
    OneImage(const OneImage&) = delete;
    OneImage& operator=(const OneImage&) = delete;

    data::Images images;
    data::StoredSplit::Bytes stored;

private:
    fs::path path_;
};

/// One image becomes 2 views of 224 × 224 and 6 of 96 × 96, other ones each time.
void imagenet_jpeg(benchmark::State& state)
{
    const OneImage image(photograph());
    std::vector<float> out(all_values);
    const std::vector<float*> begins{out.data(), out.data() + 3 * large_views * large_size * large_size};
    data::ImageOrder order;
    for (std::uint32_t v = 0; v < large_views + small_views; ++v)
    {
        order.views.push_back({v < large_views ? 0U : 1U, v, v < large_views ? v : v - large_views});
    }
    data::ViewMaker maker(image.images, false, true);
    std::set<std::string> corrupt;
    kernels::AugmentKey key{17, 0};
    for (auto _ : state)
    {
        ++key.epoch;
        const std::vector<data::ViewKind> kinds = {data::RandomView{imagenet_spec(large_size, 0.14, 1), key},
                                                   data::RandomView{imagenet_spec(small_size, 0.05, 0.14), key}};
        maker.make(order, kinds, begins, image.stored, corrupt);
        benchmark::ClobberMemory();
    }
    state.SetItemsProcessed(state.iterations());
}

/// An image of 1500 × 1125 pixels becomes the view of evaluation: shorter side 256, centre 224 × 224.
void evaluation_view(benchmark::State& state, bool reduced)
{
    const OneImage image(big_photograph());
    std::vector<float> out(std::size_t{3} * large_size * large_size);
    data::CenterView center;
    center.resize = 256;
    center.crop = large_size;
    const data::ImageOrder order{0, {{0, 0, 0}}};
    data::ViewMaker maker(image.images, false, reduced);
    std::set<std::string> corrupt;
    for (auto _ : state)
    {
        maker.make(order, {center}, {out.data()}, image.stored, corrupt);
        benchmark::ClobberMemory();
    }
    state.SetItemsProcessed(state.iterations());
}

/// libjpeg-turbo alone, into memory that is kept, and one write of all values of the views as floats.
void bare_decoding(benchmark::State& state, const std::vector<std::uint8_t>& bytes, int width, int height,
                   std::size_t values)
{
    const std::unique_ptr<void, int (*)(void*)> decompressor(tjInitDecompress(), tjDestroy);
    std::vector<std::uint8_t> pixels(std::size_t{3} * static_cast<std::size_t>(width) *
                                     static_cast<std::size_t>(height));
    std::vector<float> out(values);
    for (auto _ : state)
    {
        if (tjDecompress2(decompressor.get(), bytes.data(), bytes.size(), pixels.data(), width, 0, height, TJPF_RGB,
                          TJFLAG_ACCURATEDCT) != 0)
        {
            state.SkipWithError(tjGetErrorStr2(decompressor.get()));
            break;
        }
        for (std::size_t done = 0; done < out.size();)
        {
            const auto count = std::min(pixels.size(), out.size() - done);
            for (std::size_t i = 0; i < count; ++i)
            {
                out[done + i] = (static_cast<float>(pixels[i]) - 125.0F) * 0.02F;
            }
            done += count;
        }
        benchmark::ClobberMemory();
    }
    state.SetItemsProcessed(state.iterations());
}
}  // namespace

int main(int argc, char** argv)
{
    const Kokkos::ScopeGuard kokkos(argc, argv);
    const auto add = [](const char* name, auto body, auto... arguments)
    { benchmark::RegisterBenchmark(name, body, arguments...)->Unit(benchmark::kMicrosecond); };
    constexpr std::size_t evaluation_values = std::size_t{3} * large_size * large_size;
    add("augment/imagenet_jpeg", imagenet_jpeg);
    add("augment_floor/imagenet_jpeg", bare_decoding, photograph(), 500, 375, all_values);
    add("evaluation_view/1500x1125", evaluation_view, true);
    add("evaluation_view/1500x1125_whole", evaluation_view, false);
    add("evaluation_view_floor/1500x1125", bare_decoding, big_photograph(), big_width, big_height, evaluation_values);
    benchmark::Initialize(&argc, argv);
    benchmark::RunSpecifiedBenchmarks();
    return 0;
}

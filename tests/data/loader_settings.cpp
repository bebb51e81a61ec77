#include "src/data/loader_settings.hpp"

#include "tests/support/catch.hpp"
#include "tests/support/encoded_images.hpp"

using namespace paws;

namespace
{
constexpr std::int64_t gibibyte = std::int64_t{1} << 30;

config::Config with(const std::vector<std::string>& overrides)
{
    return test::photographs_config("dataset: folder, root_path: x, unlabeled_frac: 0", overrides);
}

data::ViewPipeline::Settings settings_of_loader(const std::vector<std::string>& overrides, std::int64_t batch_bytes,
                                                std::int64_t cores, torch::Device device = torch::kCPU)
{
    return data::pipeline_settings(with(overrides), batch_bytes, {cores, 8 * gibibyte}, device);
}
}  // namespace

TEST_CASE("a quarter of the cores prepares images for a CPU, and all but one for a GPU", "[data]")
{
    CHECK(settings_of_loader({}, 1, 16).workers == 4);
    CHECK(settings_of_loader({}, 1, 2).workers == 1);
    CHECK(settings_of_loader({}, 1, 16, torch::kCUDA).workers == 15);
    CHECK(settings_of_loader({}, 1, 1, torch::kCUDA).workers == 1);
    CHECK(settings_of_loader({"data.workers=7"}, 1, 16).workers == 7);
    CHECK(settings_of_loader({"data.workers=7"}, 1, 2, torch::kCUDA).workers == 7);
}

TEST_CASE("four batches are prepared ahead, or as many as an eighth of the memory holds", "[data]")
{
    CHECK(settings_of_loader({}, 1000, 4).batches_ahead == 4);
    CHECK(settings_of_loader({}, gibibyte / 2, 4).batches_ahead == 2);
    CHECK(settings_of_loader({}, 5 * gibibyte, 4).batches_ahead == 1);
    CHECK(settings_of_loader({"data.prefetch_batches=9"}, 5 * gibibyte, 4).batches_ahead == 9);
    CHECK(settings_of_loader({}, 0, 4).batches_ahead == 4);
}

TEST_CASE("corrupt images are skipped only when the configuration says so", "[data]")
{
    CHECK_FALSE(settings_of_loader({}, 1, 1).skip_broken);
    CHECK(settings_of_loader({"data.skip_broken=true"}, 1, 1).skip_broken);
}

TEST_CASE("images take half of a rank's memory, or what the configuration says", "[data]")
{
    const ranks::Resources node{4, 8 * gibibyte};
    CHECK(data::cache_bytes(with({}).data, node) == 4 * gibibyte);
    CHECK(data::cache_bytes(with({"data.cache_gb=1.5"}).data, node) == gibibyte * 3 / 2);
    CHECK(data::cache_bytes(with({"data.cache_gb=0"}).data, node) == 0);
}

TEST_CASE("the bytes of a batch are those of its views", "[data]")
{
    // 2 classes × 2 images, 2 × 4 large views of 16², 4 small ones of 8².
    const auto config = with({});
    CHECK(data::training_batch_bytes(config) == ((4 + 8) * 16 * 16 + 4 * 8 * 8) * 3 * 4);
    CHECK(data::evaluation_batch_bytes(config.data) == 256 * 16 * 16 * 3 * 4);
}

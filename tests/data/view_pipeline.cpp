#include "src/data/view_pipeline.hpp"

#include <atomic>
#include <chrono>
#include <thread>

#include "tests/support/catch.hpp"
#include "tests/support/encoded_images.hpp"

using namespace paws;

namespace
{
/// `count` images of 6×5 in memory, all pixels of image n with the value n.
data::Images numbered(std::int64_t count)
{
    data::Images images;
    images.pixels = torch::arange(count, torch::kUInt8).view({count, 1, 1, 1}).expand({count, 6, 5, 3}).contiguous();
    images.labels.assign(static_cast<std::size_t>(count), 0);
    images.names.assign(static_cast<std::size_t>(count), "in memory");
    return images;
}

/// The centre views of some rows as one batch: [n, 3, 4, 4].
data::BatchPlan center_views(const std::vector<std::int64_t>& rows)
{
    data::BatchPlan plan;
    data::CenterView view;
    view.crop = 4;
    plan.kinds = {view};
    plan.counts = {static_cast<std::int64_t>(rows.size())};
    for (std::size_t i = 0; i < rows.size(); ++i)
    {
        plan.images.push_back({rows[i], {{0, 0, static_cast<std::int64_t>(i)}}});
    }
    return plan;
}

/// Batches of given rows, one after another; what is there after them.
class Batches
{
public:
    explicit Batches(std::vector<std::vector<std::int64_t>> rows) : rows_(std::move(rows)) {}

    std::optional<data::BatchPlan> next()
    {
        ++planned;
        if (given_ == rows_.size())
        {
            return std::nullopt;
        }
        return center_views(rows_[given_++]);
    }

    std::atomic<int> planned = 0;

private:
    std::vector<std::vector<std::int64_t>> rows_;
    std::size_t given_ = 0;
};

data::ViewPipeline::Settings pipeline_settings(std::size_t workers, std::size_t batches_ahead, bool skip_broken = false)
{
    data::ViewPipeline::Settings result;
    result.workers = workers;
    result.batches_ahead = batches_ahead;
    result.skip_broken = skip_broken;
    return result;
}

/// A split in which image 2 of class a is cut off, and class b has nothing but one cut-off image.
struct CorruptImages
{
    test::Folder folder;
    data::Images images;

    CorruptImages()
    {
        auto split = test::encoded_split({"a"}, 4);
        split.images[2] = test::truncated_image();
        split.add("b", 1, "only.jpg", test::truncated_image());
        test::write_encoded(folder / "corrupt.h5", {"a", "b"}, {{"train", split}});
        const auto file = std::make_shared<io::DatasetFile>(folder / "corrupt.h5");
        images.labels = file->labels("train");
        images.names = file->names("train");
        images.stored = std::make_shared<data::StoredSplit>(file, "train", 0);
    }
};
}  // namespace

TEST_CASE("batches come in the order of their plans, whatever the number of workers", "[data]")
{
    const auto images = numbered(200);
    std::vector<std::vector<std::int64_t>> rows;
    for (std::int64_t n = 0; n < 50; ++n)
    {
        // Batches of very different sizes overtake each other while they are made.
        rows.emplace_back(n % 2 == 0 ? std::vector<std::int64_t>(100, n) : std::vector<std::int64_t>{n});
    }
    for (const std::size_t workers : {1, 3})
    {
        Batches batches(rows);
        data::ViewPipeline pipeline(images, pipeline_settings(workers, 4), [&] { return batches.next(); });
        for (std::int64_t n = 0; n < 50; ++n)
        {
            const auto batch = pipeline.next();
            REQUIRE(batch);
            const auto& views = batch->views.front();
            CHECK(views.sizes() == torch::IntArrayRef({n % 2 == 0 ? 100 : 1, 3, 4, 4}));
            CHECK(views.is_contiguous(torch::MemoryFormat::ChannelsLast));
            CHECK_FALSE(batch->classes.defined());
            CHECK((views - static_cast<double>(n) / 255).abs().max().item<float>() < 1e-6);
        }
        CHECK_FALSE(pipeline.next());
        CHECK_FALSE(pipeline.next());
        CHECK(pipeline.seconds_waited() >= 0);
    }
}

TEST_CASE("no more batches are planned ahead than memory is meant for", "[data]")
{
    const auto images = numbered(4);
    Batches batches(std::vector<std::vector<std::int64_t>>(20, {1, 2}));
    data::ViewPipeline pipeline(images, pipeline_settings(2, 3), [&] { return batches.next(); });
    const auto settle = [&](int wanted)
    {
        for (int i = 0; i < 500 && batches.planned < wanted; ++i)
        {
            std::this_thread::sleep_for(std::chrono::milliseconds(2));
        }
        // Time enough for a batch too many.
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
        return batches.planned.load();
    };
    CHECK(settle(3) == 3);
    REQUIRE(pipeline.next());
    CHECK(settle(4) == 4);
}

TEST_CASE("a pipeline may be left at any time", "[data]")
{
    const auto images = numbered(4);
    {
        Batches none({});
        const data::ViewPipeline pipeline(images, pipeline_settings(2, 2), [&] { return none.next(); });
    }
    {
        Batches many(std::vector<std::vector<std::int64_t>>(1000, std::vector<std::int64_t>(64, 3)));
        data::ViewPipeline pipeline(images, pipeline_settings(2, 2), [&] { return many.next(); });
        REQUIRE(pipeline.next());
    }
    const CorruptImages corrupt;
    Batches fails({{2}, {2}, {2}});
    const data::ViewPipeline pipeline(corrupt.images, pipeline_settings(2, 2), [&] { return fails.next(); });
}

TEST_CASE("what goes wrong while a batch is made is thrown where it is waited for", "[data]")
{
    const auto images = numbered(4);
    int planned = 0;
    data::ViewPipeline pipeline(images, pipeline_settings(1, 1),
                                [&]() -> std::optional<data::BatchPlan>
                                {
                                    if (++planned == 3)
                                    {
                                        throw std::runtime_error("no third plan");
                                    }
                                    return center_views({0});
                                });
    CHECK(pipeline.next());
    CHECK(pipeline.next());
    CHECK_THROWS_WITH(pipeline.next(), Catch::Contains("no third plan"));
    CHECK_THROWS_WITH(pipeline.next(), Catch::Contains("no third plan"));
}

TEST_CASE("a corrupt image ends the pipeline by name, after the batches before it", "[data]")
{
    const CorruptImages corrupt;
    Batches batches({{0, 1}, {3, 0}, {1, 2}, {3}});
    data::ViewPipeline pipeline(corrupt.images, pipeline_settings(1, 1), [&] { return batches.next(); });
    CHECK(pipeline.next());
    CHECK(pipeline.next());
    CHECK_THROWS_WITH(pipeline.next(), Catch::Contains("a/a_2.JPEG") && Catch::Contains("data.skip_broken: true"));
}

TEST_CASE("with skip_broken the next image of the class stands in for a corrupt one, and is named once", "[data]")
{
    const CorruptImages corrupt;
    Batches batches({{2, 0}, {3, 2}});
    data::ViewPipeline pipeline(corrupt.images, pipeline_settings(2, 2, true), [&] { return batches.next(); });
    const auto first = pipeline.next();
    const auto second = pipeline.next();
    REQUIRE((first && second));
    // Image 3 in place of image 2, twice.
    CHECK(first->views.front()[0].equal(second->views.front()[0]));
    CHECK(second->views.front()[0].equal(second->views.front()[1]));
    CHECK_FALSE(first->views.front()[0].equal(first->views.front()[1]));
    const auto named = pipeline.corrupt();
    REQUIRE(named.size() == 1);
    CHECK_THAT(*named.begin(), Catch::Contains("a/a_2.JPEG"));
}

TEST_CASE("a class of nothing but corrupt images cannot be replaced", "[data]")
{
    const CorruptImages corrupt;
    Batches batches(std::vector<std::vector<std::int64_t>>{{4}});
    data::ViewPipeline pipeline(corrupt.images, pipeline_settings(1, 1, true), [&] { return batches.next(); });
    CHECK_THROWS_WITH(pipeline.next(), Catch::Contains("b/only.jpg"));
}

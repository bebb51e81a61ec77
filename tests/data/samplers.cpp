#include "src/data/samplers.hpp"

#include <algorithm>
#include <numeric>
#include <set>

#include "tests/support/catch.hpp"

namespace
{
using namespace paws::data;
using Batch = std::vector<std::int64_t>;

constexpr std::int64_t num_classes = 6;

/// `per_class` images of each of num_classes classes, class after class in turn.
Batch make_targets(std::int64_t per_class)
{
    Batch targets(per_class * num_classes);
    for (std::size_t i = 0; i < targets.size(); ++i)
    {
        targets[i] = static_cast<std::int64_t>(i) % num_classes;
    }
    return targets;
}

template <typename Sampler>
std::vector<Batch> take(Sampler& sampler, std::int64_t batches)
{
    std::vector<Batch> taken(batches);
    std::generate(taken.begin(), taken.end(), [&] { return sampler.next_batch(); });
    return taken;
}

template <typename Action>
void refuses(Action&& action, const std::string& part)
{
    CHECK_THROWS_WITH(action(), Catch::Contains(part));
    CHECK_THROWS_AS(action(), SamplerError);
}
}  // namespace

TEST_CASE("an epoch gives every image once, padded to equal shares", "[samplers]")
{
    std::vector<int> seen(10);
    for (std::int64_t rank = 0; rank < 4; ++rank)
    {
        const DistributedSampler sampler({.size = 10, .world_size = 4, .rank = rank});
        CHECK(sampler.order().size() == 3);
        for (const auto i : sampler.order())
        {
            ++seen[i];
        }
    }
    CHECK(std::accumulate(seen.begin(), seen.end(), 0) == 12);
    CHECK(*std::min_element(seen.begin(), seen.end()) == 1);
}

TEST_CASE("more ranks than images wrap around more than once", "[samplers]")
{
    for (std::int64_t rank = 0; rank < 7; ++rank)
    {
        const DistributedSampler sampler({.size = 2, .world_size = 7, .rank = rank});
        CHECK(sampler.order() == Batch{DistributedSampler({.size = 2}).order()[rank % 2]});
    }
}

TEST_CASE("the last batch is dropped or short", "[samplers]")
{
    DistributedSampler dropping({.size = 10, .batch_size = 4});
    CHECK(dropping.batches_per_epoch() == 2);
    DistributedSampler keeping({.size = 10, .batch_size = 4, .drop_last = false});
    CHECK(keeping.batches_per_epoch() == 3);

    const auto batches = take(keeping, 4);
    CHECK(batches[0] == dropping.next_batch());
    CHECK(batches[1] == dropping.next_batch());
    CHECK(dropping.next_batch().empty());
    CHECK(batches[2].size() == 2);
    CHECK(batches[3].empty());
    CHECK(take(keeping, 1)[0].empty());
    keeping.set_epoch(1);
    CHECK(keeping.next_batch() != batches[0]);
}

TEST_CASE("an epoch resumes where it was left", "[samplers]")
{
    const DistributedSampler::Settings settings{.size = 23, .world_size = 2, .rank = 1, .batch_size = 3};
    DistributedSampler whole(settings);
    whole.set_epoch(5);
    take(whole, 2);
    DistributedSampler resumed(settings);
    resumed.restore(whole.state());
    CHECK(resumed.state() == whole.state());
    CHECK(take(resumed, 3) == take(whole, 3));
}

TEST_CASE("a support batch has each of its classes equally often, in turn", "[samplers]")
{
    const auto targets = make_targets(5);
    ClassStratifiedSampler sampler(targets, num_classes,
                                   {.classes_per_batch = 3, .images_per_class = 4, .inner_epochs = 2});
    CHECK(sampler.batches_per_pass() == 2);
    CHECK(sampler.batches_per_sequence() == 4);
    for (std::int64_t pass = 0; pass < 10; ++pass)
    {
        std::set<std::int64_t> classes;
        for (const auto& batch : take(sampler, 2))
        {
            REQUIRE(batch.size() == 12);
            CHECK(std::set(batch.begin(), batch.end()).size() == 12);
            for (std::size_t i = 0; i < batch.size(); ++i)
            {
                CHECK(targets[batch[i]] == targets[batch[i % 3]]);
                classes.insert(targets[batch[i]]);
            }
        }
        CHECK(classes.size() == num_classes);
    }
}

TEST_CASE("ranks share classes and split images, or the other way round", "[samplers]")
{
    const auto targets = make_targets(8);
    for (const bool unique : {false, true})
    {
        ClassStratifiedSampler::Settings settings{
            .world_size = 2, .classes_per_batch = 3, .images_per_class = 4, .unique_classes = unique};
        ClassStratifiedSampler first(targets, num_classes, settings);
        settings.rank = 1;
        ClassStratifiedSampler second(targets, num_classes, settings);
        for (int i = 0; i < 5; ++i)
        {
            const auto a = first.next_batch();
            const auto b = second.next_batch();
            for (std::size_t k = 0; k < a.size(); ++k)
            {
                CHECK((targets[a[k]] == targets[b[k]]) == !unique);
                CHECK(std::find(b.begin(), b.end(), a[k]) == b.end());
            }
        }
    }
}

TEST_CASE("a sequence keeps the epoch that it began in", "[samplers]")
{
    const ClassStratifiedSampler::Settings settings{.classes_per_batch = 2, .images_per_class = 2, .inner_epochs = 3};
    ClassStratifiedSampler disturbed(make_targets(5), num_classes, settings);
    ClassStratifiedSampler plain(make_targets(5), num_classes, settings);
    CHECK(disturbed.next_batch() == plain.next_batch());
    disturbed.set_epoch(1);
    CHECK(take(disturbed, 8) == take(plain, 8));
    // Here the next sequence begins, in epoch 1 and epoch 0.
    CHECK(take(disturbed, 9) != take(plain, 9));
}

TEST_CASE("support batches go on where they were left, wherever that is", "[samplers]")
{
    for (const bool unique : {false, true})
    {
        const ClassStratifiedSampler::Settings settings{.world_size = 2,
                                                        .rank = 1,
                                                        .classes_per_batch = unique ? 1 : 2,
                                                        .images_per_class = 2,
                                                        .inner_epochs = 2,
                                                        .unique_classes = unique};
        const auto targets = make_targets(5);
        for (int given = 0; given <= 20; ++given)
        {
            CAPTURE(unique, given);
            ClassStratifiedSampler whole(targets, num_classes, settings);
            for (int i = 0; i < given; ++i)
            {
                whole.set_epoch(i / 5);
                whole.next_batch();
            }
            ClassStratifiedSampler resumed(targets, num_classes, settings);
            resumed.restore(whole.state());
            CHECK(resumed.state() == whole.state());
            CHECK(take(resumed, 20) == take(whole, 20));
        }
    }
}

TEST_CASE("a sequence is as long as the unlabelled images need", "[samplers]")
{
    CHECK(inner_epochs_for(195, 10, {.classes_per_batch = 10}) == 195);
    CHECK(inner_epochs_for(10, 10, {.classes_per_batch = 4, .unique_classes = true}) == 5);
    CHECK(inner_epochs_for(10, 9, {.classes_per_batch = 3}) == 4);
    CHECK(inner_epochs_for(312, 1000, {.world_size = 64, .classes_per_batch = 15, .unique_classes = true}) == 312);
    CHECK(inner_epochs_for(0, 10, {.classes_per_batch = 10}) == 1);
}

TEST_CASE("samplers refuse what cannot work", "[samplers]")
{
    const auto targets = make_targets(4);
    const auto make = [&](ClassStratifiedSampler::Settings settings)
    { return [=] { ClassStratifiedSampler(targets, num_classes, settings); }; };
    refuses(make({.world_size = 2, .rank = 2}), "rank 2 of 2 does not exist");
    refuses(make({.images_per_class = 0}), "must be at least 1");
    refuses(make({.classes_per_batch = 0}), "must be at least 1");
    refuses(make({.inner_epochs = 0}), "must be at least 1");
    refuses(make({.classes_per_batch = 4}), "criterion.classes_per_batch: 4 does not divide the 6 classes");
    refuses(make({.classes_per_batch = 7}), "is more than the 6 classes");
    refuses(make({.world_size = 4, .classes_per_batch = 2, .unique_classes = true}), "lower it to at most 1");
    refuses(make({.classes_per_batch = 2, .images_per_class = 5}),
            "class 0 has 4 labelled images, 4 of them on each of 1 rank, fewer than the 5 a batch takes; lower "
            "criterion.supervised_imgs_per_class");
    refuses(make({.world_size = 2, .classes_per_batch = 2, .images_per_class = 3}), "2 of them on each of 2 ranks");
    refuses([&] { ClassStratifiedSampler(targets, 5, {}); },
            "labelled image 5 has class 5, but the classes are 0 to 4");
    refuses([&] { inner_epochs_for(1, 4, {.classes_per_batch = 3}); }, "does not divide");

    ClassStratifiedSampler sampler(targets, num_classes, {.classes_per_batch = 2, .images_per_class = 2});
    for (const auto& state :
         {ClassStratifiedSampler::State{.batches_given = 3}, ClassStratifiedSampler::State{.batches_given = -1},
          ClassStratifiedSampler::State{.next_epoch = -1}, ClassStratifiedSampler::State{.epoch = -1},
          ClassStratifiedSampler::State{.permutation_seed = -1}})
    {
        refuses([&] { sampler.restore(state); }, "support sampler state");
    }

    refuses([] { DistributedSampler({.size = 0}); }, "there are no images");
    refuses([] { DistributedSampler({.size = 1, .world_size = 0}); }, "does not exist");
    refuses([] { DistributedSampler({.size = 1, .batch_size = 0}); }, "at least 1");
    refuses([] { DistributedSampler({.size = 7, .world_size = 2, .batch_size = 5}); },
            "a batch of 5 images on each of 2 ranks is more than the 7 images");
    DistributedSampler plain({.size = 7, .batch_size = 2});
    refuses([&] { plain.restore({0, 4}); }, "4 batches of epoch 0 were given, but an epoch has 3");
    refuses([&] { plain.restore({-1, 0}); }, "sampler state");
}

TEST_CASE("a class of fewer images than ranks lends all of them to every rank", "[samplers]")
{
    // Class 0 has two images, class 1 has six; three ranks.
    const Batch targets{0, 1, 1, 1, 0, 1, 1, 1};
    std::set<std::int64_t> seen;
    for (std::int64_t rank = 0; rank < 3; ++rank)
    {
        ClassStratifiedSampler sampler(targets, 2,
                                       {.world_size = 3, .rank = rank, .classes_per_batch = 2, .images_per_class = 2});
        std::set<std::int64_t> of_class_0;
        for (const auto i : sampler.next_batch())
        {
            (targets[i] == 0 ? of_class_0 : seen).insert(i);
        }
        CHECK(of_class_0 == std::set<std::int64_t>{0, 4});
    }
    CHECK(seen.size() == 6);
}

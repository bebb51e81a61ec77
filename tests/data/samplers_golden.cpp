// The samplers against index sequences of the published implementation.
#include <algorithm>

#include "io/hdf5/h5.hpp"
#include "src/data/samplers.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/goldens.hpp"

namespace
{
using namespace paws::data;
namespace h5 = paws::io::h5;

/// The epochs that a group has data sets "epochE" for, in the order of their numbers.
std::vector<std::int64_t> epochs_of(const h5::Group& group)
{
    std::vector<std::int64_t> epochs;
    for (const auto& name : group.dataset_names())
    {
        epochs.push_back(std::stoll(name.substr(std::string("epoch").size())));
    }
    std::sort(epochs.begin(), epochs.end());
    REQUIRE_FALSE(epochs.empty());
    return epochs;
}

ClassStratifiedSampler::Settings read_settings(const h5::Group& group, std::int64_t rank)
{
    return {.world_size = group.attribute<std::int64_t>("world_size"),
            .rank = rank,
            .classes_per_batch = group.attribute<std::int64_t>("classes_per_batch"),
            .images_per_class = group.attribute<std::int64_t>("batch_size"),
            .inner_epochs = group.attribute<std::int64_t>("inner_epochs"),
            .unique_classes = group.attribute<bool>("unique_classes"),
            .seed = group.attribute<std::int64_t>("seed")};
}
}  // namespace

TEST_CASE("support batches are the published ones", "[samplers][golden]")
{
    const auto file = h5::File::open(paws::test::golden_path("samplers.h5"));
    const auto cases = file.group("class_stratified");
    REQUIRE_FALSE(cases.group_names().empty());
    for (const auto& name : cases.group_names())
    {
        const auto group = cases.group(name);
        const auto targets = group.dataset("targets").read<std::int64_t>();
        for (std::int64_t rank = 0; rank < group.attribute<std::int64_t>("world_size"); ++rank)
        {
            const auto of_rank = group.group("rank" + std::to_string(rank));
            ClassStratifiedSampler sampler(targets, group.attribute<std::int64_t>("num_classes"),
                                           read_settings(group, rank));
            for (const auto epoch : epochs_of(of_rank))
            {
                CAPTURE(name, rank, epoch);
                const auto golden = of_rank.dataset("epoch" + std::to_string(epoch));
                REQUIRE(golden.shape().size() == 2);
                sampler.set_epoch(epoch);
                const auto batches = static_cast<std::int64_t>(golden.shape()[0]);
                CHECK(batches == sampler.batches_per_sequence());
                std::vector<std::int64_t> all;
                for (std::int64_t i = 0; i < batches; ++i)
                {
                    const auto batch = sampler.next_batch();
                    CHECK(batch.size() == golden.shape()[1]);
                    all.insert(all.end(), batch.begin(), batch.end());
                }
                CHECK(all == golden.read<std::int64_t>());
            }
        }
    }
}

TEST_CASE("each rank's order of the unlabelled images is the published one", "[samplers][golden]")
{
    const auto file = h5::File::open(paws::test::golden_path("samplers.h5"));
    const auto cases = file.group("distributed");
    REQUIRE_FALSE(cases.group_names().empty());
    for (const auto& name : cases.group_names())
    {
        const auto group = cases.group(name);
        const auto world_size = group.attribute<std::int64_t>("world_size");
        for (std::int64_t rank = 0; rank < world_size; ++rank)
        {
            const auto of_rank = group.group("rank" + std::to_string(rank));
            DistributedSampler sampler({.size = group.attribute<std::int64_t>("size"),
                                        .world_size = world_size,
                                        .rank = rank,
                                        .seed = group.attribute<std::int64_t>("seed")});
            for (const auto epoch : epochs_of(of_rank))
            {
                CAPTURE(name, rank, epoch);
                sampler.set_epoch(epoch);
                CHECK(sampler.order() == of_rank.dataset("epoch" + std::to_string(epoch)).read<std::int64_t>());
            }
        }
    }
}

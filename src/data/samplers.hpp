#pragma once

// Which images make a batch. The sequences are those of the published implementation (torch.utils.data's
// DistributedSampler and its class-stratified sampler), number for number: both draw from LibTorch's mt19937 randperm.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "io/ranks/bad_input.hpp"

namespace paws::data
{
/// The settings and the data do not fit together; the message says what to change.
struct SamplerError : ranks::BadInput
{
    using ranks::BadInput::BadInput;
};

/// Where samplers stand, as named integers for a checkpoint. Empty: at the start, as published checkpoints, which hold
/// no such thing, go on.
using SamplerState = std::map<std::string, std::int64_t>;

/// The images of a training step, as rows of the training split, by what they are for ("supports", "unlabelled").
using StepRows = std::map<std::string, std::vector<std::int64_t>>;

/// A permutation of 0 .. size-1 as torch.randperm gives it after manual_seed(seed).
std::vector<std::int64_t> random_permutation(std::int64_t size, std::uint64_t seed);

/// This rank's share of a shuffled data set, padded by wrapping around so that all ranks have equally many.
class DistributedSampler
{
public:
    struct Settings
    {
        std::int64_t size = 0;  // images
        std::int64_t world_size = 1;
        std::int64_t rank = 0;
        std::int64_t batch_size = 1;
        bool drop_last = true;  // leave out the last batch when it is not full
        std::int64_t seed = 0;
    };

    struct State
    {
        std::int64_t epoch = 0;
        std::int64_t batches_given = 0;
        bool operator==(const State&) const = default;
    };

    /// Throws SamplerError when a setting is out of range or no batch can be filled.
    explicit DistributedSampler(Settings settings);

    std::int64_t batches_per_epoch() const;

    /// The whole epoch in order, [ceil(size / world_size)] indices, the ones that no batch holds included.
    const std::vector<std::int64_t>& order() const { return order_; }

    /// Starts epoch `epoch` (from 0) at its first batch.
    void set_epoch(std::int64_t epoch);

    /// The indices of the next batch; empty when the epoch is over.
    std::vector<std::int64_t> next_batch();

    State state() const { return {epoch_, batches_given_}; }
    /// Goes on right after the batch that `state` was taken after. Throws SamplerError for a state of no such sampler.
    void restore(const State& state);

private:
    Settings settings_;
    std::int64_t epoch_ = 0;
    std::int64_t batches_given_ = 0;
    std::vector<std::int64_t> order_;
};

/// Support batches: `images_per_class` images of each of `classes_per_batch` classes drawn at random, in the order
/// a, b, c, ..., a, b, c, ... It never ends: after `inner_epochs` passes over the classes it starts anew by itself.
///
/// As published: the permutation of the classes comes from a seed that counts on over restarts and is the same on all
/// ranks; the order of the images in a class is drawn anew in every pass from (seed, pass, rank, epoch). A sequence,
/// once begun, keeps the epoch it began in, even when set_epoch is called before it is used up.
class ClassStratifiedSampler
{
public:
    struct Settings
    {
        std::int64_t world_size = 1;
        std::int64_t rank = 0;
        std::int64_t classes_per_batch = 1;  // per rank
        std::int64_t images_per_class = 1;   // per rank
        std::int64_t inner_epochs = 1;
        bool unique_classes = false;  // true: each rank draws other classes; false: all the same, of other images
        std::int64_t seed = 0;
    };

    /// Everything that a later batch depends on; integers, to be written into a checkpoint.
    struct State
    {
        std::int64_t next_epoch = 0;        // given by set_epoch, for the next sequence
        std::int64_t epoch = 0;             // of the running sequence
        std::int64_t batches_given = 0;     // of the running sequence; 0: the next batch starts one
        std::int64_t permutation_seed = 0;  // the last one used up for an order of the classes
        bool operator==(const State&) const = default;
    };

    /// `targets`: class of each image of the labelled subset, in [0, num_classes). Throws SamplerError.
    ClassStratifiedSampler(const std::vector<std::int64_t>& targets, std::int64_t num_classes, Settings settings);

    /// Batches of one pass over the classes.
    std::int64_t batches_per_pass() const;
    /// Batches between two restarts.
    std::int64_t batches_per_sequence() const { return batches_per_pass() * settings_.inner_epochs; }

    /// The epoch (from 0) that the next sequence draws with.
    void set_epoch(std::int64_t epoch) { next_epoch_ = epoch; }

    /// Indices into the labelled subset, [images_per_class * classes_per_batch].
    std::vector<std::int64_t> next_batch();

    State state() const;
    /// Goes on right after the batch that `state` was taken after. Throws SamplerError for a state of no such sampler.
    void restore(const State& state);

private:
    void prepare_pass();

    Settings settings_;
    std::int64_t num_classes_;
    std::vector<std::vector<std::int64_t>> images_of_class_;  // this rank's share

    std::int64_t next_epoch_ = 0;
    std::int64_t epoch_ = 0;
    std::int64_t batches_given_ = 0;
    std::int64_t permutation_seed_;
    std::vector<std::int64_t> class_order_;
    std::vector<std::vector<std::int64_t>> shuffled_;  // images_of_class_ in the order of the current pass
};

SamplerState to_sampler_state(const ClassStratifiedSampler::State& state);
/// Throws SamplerError where a name is missing.
ClassStratifiedSampler::State from_sampler_state(const SamplerState& state);

/// How many passes over the classes supply at least `batches` batches: what the published training loop sets
/// inner_epochs to, with the number of unlabelled batches of an epoch.
std::int64_t inner_epochs_for(std::int64_t batches, std::int64_t num_classes,
                              const ClassStratifiedSampler::Settings& settings);
}  // namespace paws::data

#pragma once

#include "kernels/augment/one_view.hpp"

namespace paws::kernels
{
namespace augment
{
/// One team makes one view.
template <class Images, class Rows, class Indices, class Numbers, class Out>
struct AugmentViews
{
    AugmentSpec spec;
    AugmentKey key;
    Normalisation normalisation;
    Workspace workspace;
    Images images;
    Rows row;
    Indices index;
    Numbers view;
    Out out;

    template <class Team>
    KOKKOS_INLINE_FUNCTION void operator()(const Team& team) const
    {
        const int n = team.league_rank();
        const Source source = source_of(images, row(n));
        const Workspace::Slice scratch = workspace.slice(team);
        once(team,
             [&]()
             {
                 const ViewRandom random(key.seed, key.epoch, static_cast<std::uint64_t>(index(n)),
                                         static_cast<std::uint32_t>(view(n)));
                 *scratch.params = draw_params(spec, source.height, source.width, random);
             });
        const ViewParams params = *scratch.params;
        make_view(team, spec, params, normalisation, source, scratch, &out(n, 0, 0, 0));
    }
};
}  // namespace augment

/// Random training views of images. What a view looks like depends on `spec`, `key`, the image, its index and the
/// view's number alone: not on where it is in the batch, nor on the number of threads, ranks or the device.
/// images: uint8 [P, H, W, 3], row-major; row: int64 [n], below P: which of `images` to take; index: int64 [n], the
/// image's place in its data set, and view: [n] of any integers below 2²⁴, the view's number: both for the random
/// key; out: [n, size, size, 3], row-major, of float, a storage type, or any type that a float can be cast to. Throws
/// std::invalid_argument if the spec or a shape is impossible. Uses `exec` alone and does not wait for it.
template <class Exec, class Images, class Rows, class Indices, class Numbers, class Out>
void augment_views(const Exec& exec, const AugmentSpec& spec, const AugmentKey& key, const Images& images,
                   const Rows& row, const Indices& index, const Numbers& view, const Out& out)
{
    augment::check_images<Exec, Images, Rows, Out>();
    check_view<Exec, Indices, 1>();
    check_view<Exec, Numbers, 1>();
    augment::validate(spec);
    const std::size_t views = out.extent(0);
    augment::require(row.extent(0) == views && index.extent(0) == views && view.extent(0) == views,
                     "row, index, view and out must be of the same length");
    augment::validate_shapes(images, out, spec.size);
    if (views == 0)
    {
        return;
    }
    const augment::Axis vertical{static_cast<int>(images.extent(1)), spec.size, 0, spec.size};
    const augment::Axis horizontal{static_cast<int>(images.extent(2)), spec.size, 0, spec.size};
    augment::Workspace workspace(vertical, horizontal, spec.blur_p > 0);
    const auto policy = augment::view_policy(exec, views, workspace);
    Kokkos::parallel_for(
        "paws::augment::views", policy,
        augment::AugmentViews<Images, Rows, Indices, Numbers, Out>{
            spec, key, augment::Normalisation(spec.mean, spec.std), workspace, images, row, index, view, out});
}

/// The same where `images` is the whole data set, so that an image's index is its row.
template <class Exec, class Images, class Indices, class Numbers, class Out>
void augment_views(const Exec& exec, const AugmentSpec& spec, const AugmentKey& key, const Images& images,
                   const Indices& index, const Numbers& view, const Out& out)
{
    augment_views(exec, spec, key, images, index, index, view, out);
}
}  // namespace paws::kernels

#!/usr/bin/python3
"""The PAWS loss, forward and backward, as composed PyTorch operations; the peer of bench_paws_loss."""

from typing import NamedTuple

from common import Peer, main, torch
from torch.nn.functional import normalize, softmax

TEMPERATURE, SHARPEN, SMOOTHING, SMALLEST_TARGET = 0.1, 0.25, 0.1, 1e-4


def smoothed_labels(classes, per_class):
    """[per_class * classes, classes], class after class and again from the first."""
    return (torch.eye(classes) * (1 - SMOOTHING) + SMOOTHING / classes).repeat(per_class, 1)


def predict(views, supports, labels):
    """Soft nearest neighbours: views [N, D], supports [M, D], labels [M, K] to probabilities [N, K]."""
    return softmax(normalize(views) @ normalize(supports).T / TEMPERATURE, dim=1) @ labels


def predict_stratified(views, supports, labels):
    """The same for supports in the order of smoothed_labels: sums over a class instead of the product with `labels`,
    and the temperature at the smaller factor."""
    classes = labels.shape[1]
    weights = softmax((normalize(views) / TEMPERATURE) @ normalize(supports).T, dim=1)
    return weights.unflatten(1, (-1, classes)).sum(1) * (1 - SMOOTHING) + SMOOTHING / classes


def sharpen(probabilities):
    powers = probabilities ** (1 / SHARPEN)
    return powers / powers.sum(dim=1, keepdim=True)


def multicrop_targets(probabilities, multicrop):
    """probabilities [2B, K] of the large views, swapped, to targets [(2 + multicrop) B, K]."""
    sharpened = sharpen(probabilities)
    first, second = sharpened.chunk(2)
    targets = torch.cat([sharpened, ((first + second) / 2).repeat(multicrop, 1)])
    return targets.masked_fill(targets < SMALLEST_TARGET, 0)


def paws_loss(views, supports, target_views, target_supports, labels, multicrop, predict=predict):
    """Mean cross-entropy, and me-max: minus the entropy of the mean sharpened prediction.

    views [(2 + multicrop) B, D], supports and target_supports [M, D], target_views [2B, D] (swapped), labels [M, K].
    """
    with torch.no_grad():
        targets = multicrop_targets(predict(target_views, target_supports, labels), multicrop)
    probabilities = predict(views, supports, labels)
    mean = sharpen(probabilities).mean(dim=0)
    return -(targets * probabilities.log()).sum(dim=1).mean(), torch.xlogy(mean, mean).sum()


class Shape(NamedTuple):
    views: int
    supports: int
    classes: int
    dims: int
    multicrop: int = 6


def forward_backward(shape, predict):
    labels = smoothed_labels(shape.classes, shape.supports // shape.classes)
    views = torch.randn(shape.views, shape.dims, requires_grad=True)
    supports = torch.randn(shape.supports, shape.dims, requires_grad=True)
    target_views = torch.randn(shape.views // (2 + shape.multicrop) * 2, shape.dims)
    target_supports = torch.randn(shape.supports, shape.dims)

    def call():
        views.grad = supports.grad = None
        sum(paws_loss(views, supports, target_views, target_supports, labels, shape.multicrop, predict)).backward()

    return call


def peer(shape):
    return Peer(
        shape.views,
        shipped=lambda: forward_backward(shape, predict),
        # Few classes are cheaper as a product, and bf16 is no choice: at this temperature it changes the loss.
        tuned=lambda: forward_backward(shape, predict if shape.classes < 100 else predict_stratified),
    )


if __name__ == "__main__":
    cifar10 = Shape(views=2048, supports=1280, classes=10, dims=128)
    imgnt_rank_of_64 = Shape(views=512, supports=6720, classes=960, dims=2048)
    main({"cifar10": peer(cifar10), "imgnt_rank_of_64": peer(imgnt_rank_of_64)}, __doc__)

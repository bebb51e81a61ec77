#!/usr/bin/python3
"""CIFAR-10's images to training views with torchvision and Pillow, on one thread; the peer of bench_augment."""

import random

from common import Peer, main, torch

try:
    import numpy
    from PIL import Image, ImageOps
    from torchvision import transforms
except ImportError as error:
    raise SystemExit(f"{error.name} is missing: apt-get install python3-torchvision python3-pil")

IMAGES, LARGE, SMALL = 64, 2, 6
MEAN, STD = (0.4914, 0.4822, 0.4465), (0.2023, 0.1994, 0.2010)
STRENGTH = 0.5


def solarise(image):
    return ImageOps.solarize(image, random.randrange(256))


def sometimes(transform, probability):
    return transforms.RandomApply([transform], p=probability)


def view_of(size, scale):
    """The published transform, from image to image [size, size]; torchvision's default is a bilinear resize."""
    strengths = [0.8 * STRENGTH] * 3 + [0.2 * STRENGTH]
    return [
        transforms.RandomResizedCrop(size, scale),
        transforms.RandomHorizontalFlip(),
        sometimes(transforms.ColorJitter(*strengths), 0.8),
        sometimes(solarise, 0.2),
        sometimes(ImageOps.equalize, 0.2),
    ]


def batch():
    return numpy.random.default_rng(0).integers(256, size=(IMAGES, 32, 32, 3), dtype=numpy.uint8)


def shipped():
    """Each view becomes a normalised tensor by itself; a batch [N, 3, S, S] is put together at the end."""
    to_tensor = [transforms.ToTensor(), transforms.Normalize(MEAN, STD)]
    large = transforms.Compose(view_of(32, (0.75, 1)) + to_tensor)
    small = transforms.Compose(view_of(18, (0.3, 0.75)) + to_tensor)
    images = batch()

    def call():
        views = [[], []]
        for array in images:
            image = Image.fromarray(array)
            views[0] += [large(image) for _ in range(LARGE)]
            views[1] += [small(image) for _ in range(SMALL)]
        return [torch.stack(view) for view in views]

    return call


def tuned():
    """Views stay bytes, and are normalised as one batch, in channels-last order."""
    large, small = (transforms.Compose(view_of(*crop)) for crop in ((32, (0.75, 1)), (18, (0.3, 0.75))))
    mean, std = (255 * torch.tensor(values) for values in (MEAN, STD))
    images = batch()

    def normalise(views):
        together = torch.from_numpy(numpy.stack([numpy.asarray(view) for view in views]))
        return ((together - mean) / std).permute(0, 3, 1, 2)

    def call():
        views = [[], []]
        for array in images:
            image = Image.fromarray(array)
            views[0] += [large(image) for _ in range(LARGE)]
            views[1] += [small(image) for _ in range(SMALL)]
        return [normalise(view) for view in views]

    return call


if __name__ == "__main__":
    main({"cifar10": Peer(IMAGES * (LARGE + SMALL), shipped, tuned)}, __doc__)

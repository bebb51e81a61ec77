#!/usr/bin/python3
"""JPEGs of ImageNet's sizes to training and evaluation views with torchvision and Pillow, on one thread; the peer of bench_photographs."""

import io
import random
from pathlib import Path

from common import Peer, main, torch

try:
    import numpy
    from PIL import Image, ImageFilter
    from torchvision import transforms
except ImportError as error:
    raise SystemExit(f"{error.name} is missing: apt-get install python3-torchvision python3-pil")

LARGE, SMALL = 2, 6
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
STRENGTH = 1.0
PHOTOGRAPH = Path(__file__).resolve().parent.parent / "data/photograph_500x375.jpg"


def blur(image):
    """With a random radius, as contrastive methods do."""
    return image.filter(ImageFilter.GaussianBlur(random.uniform(0.1, 2.0)))


def view_of(size, scale):
    """The published transform, from image to image [size, size]."""
    strengths = [0.8 * STRENGTH] * 3 + [0.2 * STRENGTH]
    return [
        transforms.RandomResizedCrop(size, scale),
        transforms.RandomHorizontalFlip(),
        transforms.RandomApply([transforms.ColorJitter(*strengths)], p=0.8),
        transforms.RandomGrayscale(p=0.2),
        transforms.RandomApply([blur], p=0.5),
    ]


def decoded(stored):
    return Image.open(io.BytesIO(stored)).convert("RGB")


def shipped():
    """Each view becomes a normalised tensor by itself; what belongs together is stacked at the end."""
    to_tensor = [transforms.ToTensor(), transforms.Normalize(MEAN, STD)]
    large = transforms.Compose(view_of(224, (0.14, 1)) + to_tensor)
    small = transforms.Compose(view_of(96, (0.05, 0.14)) + to_tensor)
    stored = PHOTOGRAPH.read_bytes()

    def call():
        image = decoded(stored)
        views = [large(image) for _ in range(LARGE)], [small(image) for _ in range(SMALL)]
        return [torch.stack(view) for view in views]

    return call


def tuned():
    """Views stay bytes, and are normalised together, in channels-last order."""
    large, small = (transforms.Compose(view_of(*crop)) for crop in ((224, (0.14, 1)), (96, (0.05, 0.14))))
    mean, std = (255 * torch.tensor(values) for values in (MEAN, STD))
    stored = PHOTOGRAPH.read_bytes()

    def normalise(views):
        together = torch.from_numpy(numpy.stack([numpy.asarray(view) for view in views]))
        return ((together - mean) / std).permute(0, 3, 1, 2)

    def call():
        image = decoded(stored)
        views = [large(image) for _ in range(LARGE)], [small(image) for _ in range(SMALL)]
        return [normalise(view) for view in views]

    return call


def big_photograph():
    """The same enlarged three times, as bytes."""
    out = io.BytesIO()
    Image.open(PHOTOGRAPH).resize((1500, 1125), Image.BILINEAR).save(out, "JPEG", quality=90)
    return out.getvalue()


def evaluation(opened):
    view = transforms.Compose(
        [transforms.Resize(256), transforms.CenterCrop(224), transforms.ToTensor(), transforms.Normalize(MEAN, STD)]
    )
    stored = big_photograph()
    return lambda: view(opened(stored))


def drafted(stored):
    """Decoded at a fraction of its size that still has 256 pixels each way, which Pillow has but few people ask for."""
    image = Image.open(io.BytesIO(stored))
    image.draft("RGB", (256, 256))
    return image.convert("RGB")


if __name__ == "__main__":
    main(
        {
            "imagenet_jpeg": Peer(1, shipped, tuned),
            "evaluation_view": Peer(1, lambda: evaluation(decoded), lambda: evaluation(drafted)),
        },
        __doc__,
    )

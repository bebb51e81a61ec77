#!/usr/bin/python3
"""Training with its data, torchvision's views made by a worker a core; the peer of bench_training."""

from common import DEVICE, ON_GPU, THREADS, Peer, main, torch
from augment import MEAN, STD, view_of
from train_step import CIFAR10, CIFAR10_DIV8, shipped_step, tuned_step, tuned_variants

import numpy
from PIL import Image
from torchvision import transforms

STEPS = 40 if ON_GPU else 4  # of an epoch


class Views(torch.utils.data.Dataset):
    """Random images of CIFAR-10's size: `large` views of one and `small` ones, normalised."""

    def __init__(self, images, large, small):
        self.images = numpy.random.default_rng(0).integers(256, size=(images, 32, 32, 3), dtype=numpy.uint8)
        ending = [transforms.ToTensor(), transforms.Normalize(MEAN, STD)]
        self.large = [transforms.Compose(view_of(32, (0.75, 1)) + ending)] * large
        self.small = [transforms.Compose(view_of(18, (0.3, 0.75)) + ending)] * small

    def __len__(self):
        return len(self.images)

    def __getitem__(self, index):
        image = Image.fromarray(self.images[index])
        return [view(image) for view in self.large + self.small]


def loader(dataset, batch):
    workers = max(1, THREADS // 2)  # of two loaders
    return torch.utils.data.DataLoader(
        dataset,
        batch,
        shuffle=True,
        drop_last=True,
        num_workers=workers,
        persistent_workers=True,
        pin_memory=ON_GPU,
        generator=torch.Generator(device=DEVICE),
        worker_init_fn=lambda _: torch.set_default_device("cpu") if ON_GPU else None,
    )


def training(step):
    """Supports come from a loader of their own, two views of each labelled image."""
    shape = step.shape
    unlabelled = loader(Views(STEPS * shape.images, 2, shape.multicrop), shape.images)
    labelled = loader(Views(STEPS * shape.supports // 2, 2, 0), shape.supports // 2)

    def views(batch):
        there = [view.to(DEVICE, non_blocking=True) for view in batch]
        return torch.cat(there).contiguous(memory_format=step.memory_format)

    def call():
        for batch, supports in zip(unlabelled, labelled):
            loss = step(views(supports), views(batch[:2]), views(batch[2:]))
            loss.item()  # for the published meters

    return call


def peer(shape):
    return Peer(
        STEPS * shape.images,
        shipped=lambda: training(shipped_step(shape)),
        tuned=tuned_variants(lambda bf16: training(tuned_step(shape, bf16))),
    )


if __name__ == "__main__":
    main({"cifar10_div8": peer(CIFAR10_DIV8), "cifar10": peer(CIFAR10)}, __doc__)

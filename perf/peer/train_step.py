#!/usr/bin/python3
"""One training step without its data; the peer of bench_train_step."""

from typing import NamedTuple

from common import BF16_INSTRUCTIONS, DEVICE, ON_GPU, Peer, main, torch
from model import ResNet50, WideResNet
from optimizer import ForeachLarsSgd, LarsSgd
from paws_loss import paws_loss, smoothed_labels


class Shape(NamedTuple):
    """What a rank has in a step."""

    network: type
    classes: int
    supports: int
    images: int
    large: int
    small: int
    multicrop: int = 6


CIFAR10_DIV8 = Shape(WideResNet, classes=10, supports=160, images=32, large=32, small=18)
CIFAR10 = Shape(WideResNet, classes=10, supports=1280, images=256, large=32, small=18)
IMGNT_RANK_OF_64 = Shape(ResNet50, classes=15, supports=105, images=64, large=224, small=96)


class Step:
    """Forward of supports and large views together and of the small views, PAWS loss, backward, update."""

    def __init__(self, shape, dtype, memory_format, optimizer_type):
        self.shape, self.dtype, self.memory_format = shape, dtype, memory_format
        self.model = shape.network().to(memory_format=memory_format).train()
        self.optimizer = optimizer_type(self.model.named_parameters())
        self.labels = smoothed_labels(shape.classes, shape.supports // shape.classes)
        scales = dtype == torch.float16
        self.scaler = torch.amp.GradScaler(DEVICE) if scales else None

    def __call__(self, supports, large, small):
        images, count = self.shape.images, self.shape.supports
        self.optimizer.zero_grad()
        half = self.dtype != torch.float32
        with torch.autocast(DEVICE, dtype=self.dtype if half else torch.bfloat16, enabled=half):
            h = torch.cat([self.model(torch.cat([supports, large])), self.model(small)])
            z = self.model.pred(h) if hasattr(self.model, "pred") else h
        z, targets = z.float(), h.detach().float()
        first, second = targets[count : count + 2 * images].chunk(2)
        swapped = torch.cat([second, first])
        loss, me_max = paws_loss(
            z[count:], z[:count], swapped, targets[:count], self.labels, self.shape.multicrop
        )
        if self.scaler is None:
            (loss + me_max).backward()
            self.optimizer.step(0.1)
        else:
            self.scaler.scale(loss + me_max).backward()
            self.scaler.step(self.optimizer, 0.1)
            self.scaler.update()
        return loss


def shipped_step(shape):
    """As published: half precision with a scaled loss on a GPU; on a CPU float32."""
    return Step(shape, torch.float16 if ON_GPU else torch.float32, torch.contiguous_format, LarsSgd)


def tuned_step(shape, bf16):
    return Step(shape, torch.bfloat16 if bf16 else torch.float32, torch.channels_last, ForeachLarsSgd)


def on_random_images(step):
    def images(count, size):
        return torch.randn(count, 3, size, size).contiguous(memory_format=step.memory_format)

    shape = step.shape
    supports, large = images(shape.supports, shape.large), images(2 * shape.images, shape.large)
    small = images(shape.multicrop * shape.images, shape.small)
    return lambda: step(supports, large, small)


def tuned_variants(call_of):
    """call_of(bf16): the variants that the guide's advice comes to here. A CPU may have bf16's instructions and be
    slower with them."""
    if ON_GPU:
        return lambda: call_of(BF16_INSTRUCTIONS)
    variants = {"float32_channels_last": lambda: call_of(False)}
    if BF16_INSTRUCTIONS:
        variants["bf16_channels_last"] = lambda: call_of(True)
    return variants


def peer(shape):
    return Peer(
        shape.images,
        shipped=lambda: on_random_images(shipped_step(shape)),
        tuned=tuned_variants(lambda bf16: on_random_images(tuned_step(shape, bf16))),
    )


def float32_peer(shape):
    return peer(shape)._replace(tuned=lambda: on_random_images(tuned_step(shape, bf16=False)))


if __name__ == "__main__":
    cases = {
        "cifar10_div8": peer(CIFAR10_DIV8),
        "cifar10_div8_fp32": float32_peer(CIFAR10_DIV8),
        "cifar10": peer(CIFAR10),
        "imgnt_rank_of_64": peer(IMGNT_RANK_OF_64),
    }
    main(cases, __doc__)

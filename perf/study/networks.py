"""The networks that the program knows (src/nn/architecture.cpp), and the arithmetic of their forward passes."""

from typing import NamedTuple


class Network(NamedTuple):
    family: str  #: basic, bottleneck or wide
    blocks: tuple  #: of each stage
    widen: int = 1


NETWORKS = {
    "resnet18": Network("basic", (2, 2, 2, 2)),
    "resnet34": Network("basic", (3, 4, 6, 3)),
    "resnet50": Network("bottleneck", (3, 4, 6, 3)),
    "resnet50w2": Network("bottleneck", (3, 4, 6, 3), 2),
    "resnet50w4": Network("bottleneck", (3, 4, 6, 3), 4),
    "resnet101": Network("bottleneck", (3, 4, 23, 3)),
    "resnet101w2": Network("bottleneck", (3, 4, 23, 3), 2),
    "resnet151": Network("bottleneck", (3, 8, 36, 3)),
    "resnet151w2": Network("bottleneck", (3, 8, 36, 3), 2),
    "resnet200": Network("bottleneck", (3, 24, 36, 3)),
    "resnet200w2": Network("bottleneck", (3, 24, 36, 3), 2),
    "wide_resnet16w1": Network("wide", (2, 2, 2)),
    "wide_resnet28w2": Network("wide", (4, 4, 4), 2),
}


def is_for_small_pictures(name):
    return NETWORKS[name].family == "wide"


class _Counter:
    """Multiply-adds of convolutions, layer by layer."""

    def __init__(self, size):
        self.size, self.total = size, 0

    def convolve(self, inputs, outputs, kernel, stride=1, size=None):
        size = self.size if size is None else size
        after = -(-size // stride)
        self.total += inputs * outputs * kernel * kernel * after * after
        return after


def _wide(network, count):
    channels = 16
    count.convolve(3, channels, 3)
    for stage, blocks in enumerate(network.blocks):
        outputs = 16 * 2**stage * network.widen
        for block in range(blocks):
            stride = 2 if stage > 0 and block == 0 else 1
            before = count.size
            count.convolve(channels, outputs, 3)
            count.size = count.convolve(outputs, outputs, 3, stride)
            if channels != outputs or stride > 1:
                count.convolve(channels, outputs, 1, stride, before)
            channels = outputs


def _residual(network, count):
    stem = channels = 64 * network.widen
    count.size = count.convolve(3, stem, 7, 2)
    count.size = -(-count.size // 2)  # max pooling
    expansion = 4 if network.family == "bottleneck" else 1
    for stage, blocks in enumerate(network.blocks):
        width = stem * 2**stage
        outputs = width * expansion
        for block in range(blocks):
            stride = 2 if stage > 0 and block == 0 else 1
            before = count.size
            if expansion == 4:
                count.convolve(channels, width, 1)
                count.size = count.convolve(width, width, 3, stride)
                count.convolve(width, outputs, 1)
            else:
                count.size = count.convolve(channels, outputs, 3, stride)
                count.convolve(outputs, outputs, 3)
            if channels != outputs or stride > 1:
                count.convolve(channels, outputs, 1, stride, before)
            channels = outputs


def forward_flops(name, side):
    """Floating-point operations (two a multiply-add) of the convolutions for one view of `side` × `side` pixels."""
    network, count = NETWORKS[name], _Counter(side)
    (_wide if network.family == "wide" else _residual)(network, count)
    return 2 * count.total

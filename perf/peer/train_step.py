#!/usr/bin/python3
"""One step of wide_resnet28w2 at an eighth of the published CIFAR-10 batch; the peer of bench_train_step."""

from common import BF16_INSTRUCTIONS, Peer, main, torch
from model import WideResNet
from optimizer import ForeachLarsSgd, LarsSgd
from paws_loss import paws_loss, smoothed_labels

PICTURES, SUPPORTS, CLASSES, MULTICROP = 32, 160, 10, 6


def train_step(bf16=False, memory_format=torch.contiguous_format, optimizer_type=LarsSgd):
    """Forward of supports and large views together and of the small views, PAWS loss, backward, update."""
    model = WideResNet().to(memory_format=memory_format).train()
    optimizer = optimizer_type(model.named_parameters())
    labels = smoothed_labels(CLASSES, SUPPORTS // CLASSES)

    def pictures(count, size):
        return torch.randn(count, 3, size, size).contiguous(memory_format=memory_format)

    supports, large = pictures(SUPPORTS, 32), pictures(2 * PICTURES, 32)
    small = pictures(MULTICROP * PICTURES, 18)

    def call():
        optimizer.zero_grad()
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=bf16):
            h = torch.cat([model(torch.cat([supports, large])), model(small)])
        h = h.float()
        targets = h.detach()
        first, second = targets[SUPPORTS : SUPPORTS + 2 * PICTURES].chunk(2)
        swapped = torch.cat([second, first])
        loss, me_max = paws_loss(h[SUPPORTS:], h[:SUPPORTS], swapped, targets[:SUPPORTS], labels, MULTICROP)
        (loss + me_max).backward()
        optimizer.step(0.1)
        return loss

    return call


def tuned(bf16):
    return train_step(bf16, torch.channels_last, ForeachLarsSgd)


if __name__ == "__main__":
    cases = {
        "cifar10_div8": Peer(PICTURES, shipped=train_step, tuned=lambda: tuned(bf16=BF16_INSTRUCTIONS)),
        "cifar10_div8_fp32": Peer(PICTURES, shipped=train_step, tuned=lambda: tuned(bf16=False)),
    }
    main(cases, __doc__)

#!/usr/bin/python3
"""Batch norm with ReLU, without and with a shortcut, forward and backward; the peer of bench_batch_norm."""

from common import ON_GPU, Peer, main, torch

SHAPE = (1792 if ON_GPU else 224, 32, 32, 32)


def batch_norm_relu(dtype, memory_format, add, in_place):
    bn = torch.nn.BatchNorm2d(SHAPE[1])

    def images():
        return torch.randn(SHAPE).to(dtype).contiguous(memory_format=memory_format)

    x, shortcut, grad = images().requires_grad_(), images().requires_grad_(), images()

    def call():
        x.grad = shortcut.grad = None
        y = bn(x)
        if add:
            y = y.add_(shortcut) if in_place else y + shortcut
        y = torch.relu_(y) if in_place else torch.relu(y)
        y.backward(grad)

    return call


def peer(dtype, add):
    return Peer(
        SHAPE[0],
        shipped=lambda: batch_norm_relu(dtype, torch.contiguous_format, add, in_place=False),
        tuned=lambda: batch_norm_relu(dtype, torch.channels_last, add, in_place=True),
    )


if __name__ == "__main__":
    dtypes = {"bf16": torch.bfloat16, "fp32": torch.float32}
    if ON_GPU:
        dtypes["fp16"] = torch.float16
    cases = {
        f"{name}/{dtype_name}": peer(dtype, add)
        for name, add in (("batch_norm_relu", False), ("add_relu", True))
        for dtype_name, dtype in dtypes.items()
    }
    main(cases, __doc__)

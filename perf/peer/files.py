#!/usr/bin/python3
"""Embeddings by h5py and checkpoints by torch.save, to $TMPDIR or else /tmp; the peer of bench_files.

Shipped: the file is written in place, and its bytes may still be in memory at the end. Tuned: as ours, a file that is
interrupted leaves the old one whole, and a finished one is on the disk (temporary file, fsync, rename)."""

import os
import tempfile
from collections import OrderedDict

from common import Peer, main, torch
from model import WideResNet
from torch import nn

try:
    import h5py
    import numpy
    from torchvision.models import resnet50
except ImportError as error:
    raise SystemExit(f"{error.name} is missing: apt-get install python3-h5py python3-torchvision")

IMAGES, DIMENSIONS = 20_000, 2048
FOLDER = tempfile.TemporaryDirectory(prefix="paws-peer-")
TARGET = os.path.join(FOLDER.name, "file")


def durably(write):
    def call():
        temporary = TARGET + ".new"
        write(temporary)
        with open(temporary, "rb+") as file:
            os.fsync(file.fileno())
        os.replace(temporary, TARGET)

    return call


def embeddings():
    values = numpy.random.default_rng(0).standard_normal((IMAGES, DIMENSIONS), "f4")
    numbers = numpy.arange(IMAGES)
    names = [f"ILSVRC2012_val_{10_000_000 + n}.JPEG" for n in numbers]

    def write(path):
        with h5py.File(path, "w") as file:
            file["embeddings"] = values
            file["labels"] = numbers % 1000
            file["index"] = numbers
            file["names"] = names

    return write


def photograph_network():
    network = resnet50()
    layers = OrderedDict()
    for layer in (1, 2):
        layers[f"fc{layer}"] = nn.Linear(2048, 2048)
        layers[f"bn{layer}"] = nn.BatchNorm1d(2048)
        layers[f"relu{layer}"] = nn.ReLU(inplace=True)
    layers["fc3"] = nn.Linear(2048, 128)
    network.fc = nn.Sequential(layers)
    return network


def checkpoint(make_network):
    def make():
        network = make_network()
        momenta = {name: torch.zeros_like(parameter) for name, parameter in network.named_parameters()}
        state = {"encoder": network.state_dict(), "opt": momenta, "epoch": 1}
        return lambda path: torch.save(state, path)

    return make


def peer(make):
    def shipped():
        write = make()
        return lambda: write(TARGET)

    return Peer(1, shipped, lambda: durably(make()))


if __name__ == "__main__":
    main(
        {
            "embedding_dump/20000x2048": peer(embeddings),
            "checkpoint_write/wide_resnet28w2": peer(checkpoint(WideResNet)),
            "checkpoint_write/resnet50": peer(checkpoint(photograph_network)),
        },
        __doc__,
    )

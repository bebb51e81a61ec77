"""Files like Fashion-MNIST's, with a few images of ten classes."""
import random
import struct
from pathlib import Path

SIDE, CLASSES = 28, 10
SPLITS = (("train", 30), ("t10k", 5))  # images of a class


def image(label, source):
    """Grey stripes, whose distance is that of the class."""
    return bytes(min(255, 20 * ((row // (1 + label % 5) + column // (1 + label // 5)) % 8) + source.randrange(64))
                 for row in range(SIDE) for column in range(SIDE))


def write(folder):
    source = random.Random(0)
    folder = Path(folder)
    folder.mkdir(parents=True)
    for name, per_class in SPLITS:
        labels = [number % CLASSES for number in range(per_class * CLASSES)]
        (folder / f"{name}-labels-idx1-ubyte").write_bytes(struct.pack(">ii", 0x801, len(labels)) + bytes(labels))
        pixels = b"".join(image(label, source) for label in labels)
        (folder / f"{name}-images-idx3-ubyte").write_bytes(struct.pack(">iiii", 0x803, len(labels), SIDE, SIDE) + pixels)

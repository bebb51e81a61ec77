"""A folder of made-up images, and a run that trains on them in seconds."""
import math
import os
import struct
import zlib

SIDE = 16
CLASSES = ("left", "right", "up", "down")
IMAGES = 160  # of a class: at 4 a rank, 80 steps an epoch on 2 ranks

CONFIGURATION = """task: paws_train
meta: {model_name: wide_resnet16w1, output_dim: 16, use_pred_head: true, device: cpu, precision: fp32, threads: 1}
criterion: {unsupervised_batch_size: 4, classes_per_batch: 4, supervised_imgs_per_class: 1, supervised_views: 1, temperature: 0.1,
  sharpen: 0.25, me_max: true}
data: {dataset: folder, root_path: ., image_folder: images, unlabeled_frac: 0.5, crop_size: 16, multicrop: 0, label_smoothing: 0.1}
optimization: {epochs: 4, warmup: 1, start_lr: 0.1, lr: 0.4, final_lr: 0.01, momentum: 0.9, nesterov: false, weight_decay: 1.0e-06}
logging: {folder: run, write_tag: small, log_every: 1}
"""


def png(pixels):
    """Of rows of RGB bytes."""
    def chunk(name, content):
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    rows = b"".join(b"\0" + row for row in pixels)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", SIDE, SIDE, 8, 2, 0, 0, 0)) + chunk(b"IDAT", zlib.compress(rows)) +
            chunk(b"IEND", b""))


def image(kind, number):
    """Stripes in the direction of the class, shifted and tinted by the number."""
    angle = math.pi * kind / len(CLASSES)

    def value(x, y, channel):
        along = math.cos(angle) * x + math.sin(angle) * y
        return int(128 + 90 * math.sin(1.1 * along + 0.7 * number + channel))

    return png([bytes(value(x, y, channel) for x in range(SIDE) for channel in range(3)) for y in range(SIDE)])


def write_images(folder):
    for split, count in (("train", IMAGES), ("val", 5)):
        for kind, name in enumerate(CLASSES):
            place = os.path.join(folder, split, name)
            os.makedirs(place)
            for number in range(count):
                with open(os.path.join(place, f"{number:03}.png"), "wb") as file:
                    file.write(image(kind, number + (1000 if split == "val" else 0)))

"""The step of a published setting on a machine that is only described: compute times from operations and an assumed
sustained share of the peak, places of reductions and sizes of tensors from a measured rank."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import yaml

from study.errors import Refused
from study.model.collectives import Network, World
from study.model.simulate import Setting, step_seconds
from study.networks import NETWORKS, forward_flops

IMAGENET_PICTURES = 1_281_167
IMAGENET_CLASSES = 1000
#: Mean size of a picture of ImageNet's training split as JPEG.
IMAGENET_BYTES = 110_000
FLOAT = 4


@dataclass(frozen=True)
class Training:
    """What of a configuration the model needs; batches are per rank."""

    network: str
    pictures: int
    classes: int  #: of a support batch
    images_per_class: int
    multicrop: int
    embedding: int
    prediction_head: bool
    epochs: int
    large: int = 224
    small: int = 96

    @property
    def supports(self):
        return self.classes * self.images_per_class


def read_training(path):
    """Of a PAWS configuration for ImageNet. Throws Refused."""
    try:
        document = yaml.safe_load(Path(path).read_text())
        meta, criterion, data = document["meta"], document["criterion"], document["data"]
        training = Training(
            network=meta["model_name"],
            pictures=int(criterion["unsupervised_batch_size"]),
            classes=int(criterion["classes_per_batch"]),
            images_per_class=int(criterion["supervised_imgs_per_class"]) * int(criterion.get("supervised_views", 1)),
            multicrop=int(data.get("multicrop", 6)),
            embedding=int(meta["output_dim"]),
            prediction_head=bool(meta.get("use_pred_head", False)),
            epochs=int(document["optimization"]["epochs"]),
        )
    except OSError as error:
        raise Refused(f"{path}: {error.strerror}; --config takes a PAWS configuration such as configs/paws/imgnt_train.yaml") from None
    except (yaml.YAMLError, KeyError, TypeError, ValueError) as error:
        said = f"{type(error).__name__} {' '.join(str(error).split())}"
        raise Refused(f"{path}: not the configuration of a PAWS training ({said}); see configs/paws/imgnt_train.yaml") from None
    if training.network not in NETWORKS:
        raise Refused(f"{path}: meta.model_name: there is no '{training.network}'; it is one of {', '.join(NETWORKS)}")
    return training


def encoder_flops(training):
    """Forward pass of one rank: supports and two large views, then the small ones."""
    large = training.supports + 2 * training.pictures
    return large * forward_flops(training.network, training.large) + training.multicrop * training.pictures * forward_flops(
        training.network, training.small)


def loss_flops(training, supports):
    """(forward, backward) of the matrix products of one rank with `supports` in all: anchors and targets with supports; then the
    gradients of anchors and of supports."""
    product = 2 * supports * training.embedding
    anchors, targets = (2 + training.multicrop) * training.pictures, 2 * training.pictures
    return product * (anchors + (targets if training.prediction_head else 0)), 2 * product * anchors


def supports_of(training, ranks, grow):
    """All supports on so many ranks. As configured they grow with the ranks; where ranks must have different classes, there
    are none left beyond 1,000, and as many supports as fit then are shared by all ranks."""
    return ranks * training.supports if grow else min(ranks, IMAGENET_CLASSES // training.classes) * training.supports


def projected(profile, machine, training, ranks, grow=False):
    """The profile of one of `ranks` on the machine."""
    rate = 1e12 * machine["compute.peak_tflops"] * machine["compute.sustained"]
    forward = encoder_flops(training) / rate
    supports = supports_of(training, ranks, grow)
    loss, loss_backward = (flops / (1e12 * machine["compute.fp32_tflops"]) for flops in loss_flops(training, supports))
    # Weights, gradient and momentum are read, weights and momentum written, norms of both taken before (LARS).
    update = 7 * profile.gradient_bytes() / (1e9 * machine["compute.memory_gb_s"])
    row = training.embedding * FLOAT * supports / ranks
    generator = np.random.default_rng(0)
    spread = np.maximum(0.5, generator.normal(1, machine["compute.spread"], 1000))
    return replace(
        profile.with_phases(forward=forward, backward=2 * forward, loss=loss, update=update, other=0.0, data_wait=0.0).with_lead(loss_backward),
        pictures=training.pictures,
        gather_forward=row * (2 if training.prediction_head else 1),
        gather_backward=row,
        spread=tuple(spread),
    )


def input_seconds(machine, training, world):
    """Making a step's views on the cores of a rank (a support has one view of eight; decoding is two fifths of the rest),
    and reading its pictures, where they are not staged."""
    views = 2 + training.multicrop
    pictures = training.pictures + training.supports * (0.4 + 0.6 / views)
    return 1e-3 * machine["input.core_ms_per_picture"] * pictures / machine["input.cores_per_rank"]


def read_seconds(machine, training, world):
    """Of a step's pictures from the file system by all ranks, where they are not staged on the nodes."""
    return (training.pictures + training.supports) * world.ranks * IMAGENET_BYTES / (1e9 * machine["files.read_gb_s"])


def staging_seconds(machine, world):
    """The packed pictures to all nodes: read once by each, into its own disk."""
    size = IMAGENET_PICTURES * IMAGENET_BYTES
    return max(size * world.nodes / (1e9 * machine["files.read_gb_s"]), size / (1e9 * machine["files.disk_gb_s"]))


def world_of(machine, ranks):
    return World(ranks, max(1, -(-ranks // machine.ranks_per_node)))


def steps_per_epoch(training, ranks):
    return max(1, IMAGENET_PICTURES // (training.pictures * ranks))


def setting_of(machine, training, ranks, checkpoint_bytes, bucket_mb=8, staged=True, steps=20):
    """A checkpoint an epoch: its copy is waited for, the file is written beside the training."""
    world = world_of(machine, ranks)
    copy = checkpoint_bytes / 1e10  # host memory
    write = checkpoint_bytes / (1e9 * machine["files.write_gb_s"])
    made = input_seconds(machine, training, world)
    return Setting(
        world=world,
        network=Network(machine.links()),
        bucket_bytes=bucket_mb * 2**20,
        classes=IMAGENET_CLASSES,
        input_seconds=made if staged else max(made, read_seconds(machine, training, world)),
        save_seconds=copy / steps_per_epoch(training, ranks),
        steps=steps,
    ), write


def epochs_seconds(machine, training, world, step, write):
    """All epochs: staging, steps, and what of writing an epoch's checkpoint does not fit beside it."""
    steps = steps_per_epoch(training, world.ranks)
    return staging_seconds(machine, world) + training.epochs * max(steps * step, write)


def project(profile, machine, training, ranks, grow=False, **options):
    """(profile, setting, seconds of a step)."""
    there = projected(profile, machine, training, ranks, grow)
    setting, write = setting_of(machine, training, ranks, profile.checkpoint_bytes, **options)
    return there, setting, step_seconds(there, setting), write

"""What one rank does in a step: compute times, and where in them it wants to talk to others."""

import json
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from study.errors import Refused

#: Non-overlapped phases in which a rank computes, in the order of the step.
COMPUTE = ("forward", "loss", "backward", "update", "other")


@dataclass(frozen=True)
class Norm:
    """A call of a batch-norm layer: seconds after its pass began at which statistics are reduced, and bytes of each reduction."""

    forward_at: float
    forward_bytes: float
    backward_at: float
    backward_bytes: float


@dataclass(frozen=True)
class Profile:
    """Of one rank. Times in seconds, medians over steps; `gradients` are (bytes, seconds after the backward pass began)."""

    network: str
    precision: str
    pictures: int
    phases: dict
    gradients: tuple
    norms: tuple
    gather_forward: float = 0  #: bytes that a rank contributes
    gather_backward: float = 0
    checkpoint_bytes: float = 0
    augmentation: float = 0  #: beside the step
    spread: tuple = (1.0,)  #: compute times of the steps measured, over their median
    step: float = 0
    details: dict = field(default_factory=dict)

    def compute(self):
        """Seconds of a step without data and ranks."""
        return sum(self.phases[name] for name in COMPUTE)

    def gradient_bytes(self):
        return sum(size for size, _ in self.gradients)

    def scaled(self, factor):
        """All compute times, and the places in them, `factor` times as long."""
        times = {name: seconds * (factor if name in COMPUTE else 1) for name, seconds in self.phases.items()}
        return replace(
            self,
            phases=times,
            gradients=tuple((size, ready * factor) for size, ready in self.gradients),
            norms=tuple(Norm(n.forward_at * factor, n.forward_bytes, n.backward_at * factor, n.backward_bytes) for n in self.norms),
        )

    def with_phases(self, **seconds):
        """With phases of other lengths; what happens within forward and backward passes keeps its place as a share of them."""

        def factor(name):
            return seconds[name] / self.phases[name] if name in seconds and self.phases[name] > 0 else 1

        forward, backward = factor("forward"), factor("backward")
        return replace(
            self,
            phases={**self.phases, **seconds},
            gradients=tuple((size, ready * backward) for size, ready in self.gradients),
            norms=tuple(Norm(n.forward_at * forward, n.forward_bytes, n.backward_at * backward, n.backward_bytes) for n in self.norms),
        )


    def with_lead(self, seconds):
        """With a backward pass that has `seconds` more to do before anything of its beginning."""
        return replace(
            self,
            phases={**self.phases, "backward": self.phases["backward"] + seconds},
            gradients=tuple((size, ready + seconds) for size, ready in self.gradients),
            norms=tuple(replace(norm, backward_at=norm.backward_at + seconds) for norm in self.norms),
        )

    def with_supports(self, factor, growing=1.0):
        """With `factor` times as many supports in the loss, of which the share `growing` of its time depends. Its backward pass
        is what lies before the first batch norm's or gradient's."""
        more = (factor - 1) * growing
        lead = min([norm.backward_at for norm in self.norms] + [ready for _, ready in self.gradients] + [self.phases["backward"]])
        return self.with_lead(lead * more).with_phases(loss=self.phases["loss"] * (1 + more))


def _check(document, path):
    if not isinstance(document, dict) or document.get("format") != "paws-timings":
        raise Refused(f"{path}: not a file of paws_hpc's timings; a run with logging.timings: true writes TAG-timings.json")
    if document.get("version", 0) > 1:
        raise Refused(f"{path}: version {document['version']} is newer than this program knows (1); take perf/scaling of that version")


def read_timings(path):
    """The JSON document of a run. Throws Refused."""
    try:
        document = json.loads(Path(path).read_text())
    except OSError as error:
        raise Refused(f"{path}: {error.strerror}; name the TAG-timings.json of a run with logging.timings: true") from None
    except ValueError:
        raise Refused(f"{path}: no JSON; name the TAG-timings.json of a run with logging.timings: true") from None
    _check(document, path)
    return document


def spread_of(path):
    """Compute times of the steps of rank 0 over their median, from the HDF5 file beside the JSON one; (1,) without it."""
    path = Path(path).with_suffix(".h5")
    if not path.exists():
        return (1.0,)
    import h5py

    with h5py.File(path, "r") as file:
        names = [name.decode() if isinstance(name, bytes) else name for name in file["phases"][()]]
        wanted = [names.index(name) for name in COMPUTE if name in names]
        seconds = file["seconds"][0][:, wanted].sum(axis=1).astype(float)
        warm = int(file.attrs.get("warm_up_steps", 2))
    seconds = seconds[warm:] if len(seconds) > warm + 2 else seconds
    return tuple(float(value) for value in seconds / np.median(seconds))


def profile_of(document, spread=(1.0,), path="timings"):
    """Of a run on one rank. Throws Refused."""
    if document["world_size"] != 1:
        raise Refused(f"{path}: a run on {document['world_size']} ranks; the model starts from a run on one")
    median = {name: phase["median"] for name, phase in document["phases"].items()}
    phases = {name: median.get(name, 0.0) for name in COMPUTE + ("data_wait", "checkpoint")}
    # A checkpoint falls into few steps, whose median says nothing of it: the model takes its bytes.
    phases["checkpoint"] = 0.0
    return Profile(
        network=document["network"],
        precision=document["precision"],
        pictures=document["pictures_per_step"],
        phases=phases,
        gradients=tuple(sorted(((g["bytes"], g["ready"]) for g in document["gradients"]), key=lambda gradient: gradient[1])),
        norms=tuple(Norm(n["forward_at"], n["bytes_forward"], n["backward_at"], n["bytes_backward"]) for n in document["batch_norms"]),
        gather_forward=document["gathers"]["forward_bytes"],
        gather_backward=document["gathers"]["backward_bytes"],
        checkpoint_bytes=document.get("checkpoint_bytes", 0),
        augmentation=median.get("augmentation", 0.0),
        spread=spread,
        step=document["step"]["median"],
    )


def load(path):
    """The profile in a TAG-timings.json of one rank. Throws Refused."""
    return profile_of(read_timings(path), spread_of(path), path)

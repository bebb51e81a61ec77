"""Descriptions of machines in perf/machines: every number with its source, most of them assumptions."""

from dataclasses import dataclass
from pathlib import Path

import yaml

from study.errors import Refused
from study.model.collectives import Links

#: section.key of each number that a description must have, and its unit.
NUMBERS = {
    "compute.peak_tflops": "10^12 operations/s of matrix units",
    "compute.sustained": "share of the peak that a training step reaches",
    "compute.fp32_tflops": "10^12 operations/s that float32 products reach (the loss)",
    "compute.memory_gb_s": "10^9 bytes/s of device memory that passes over weights reach",
    "compute.spread": "standard deviation of a rank's compute time, over its mean",
    "links.latency_inside_us": "µs a hop inside a node",
    "links.bandwidth_inside_gb_s": "10^9 bytes/s of a rank to its neighbours in the node",
    "links.latency_between_us": "µs a hop between nodes",
    "links.bandwidth_between_gb_s": "10^9 bytes/s of all of a node's adapters",
    "links.call_us": "µs a collective call costs before anything moves",
    "input.cores_per_rank": "cores that decode and augment",
    "input.core_ms_per_picture": "ms of a core for all views of a picture",
    "files.read_gb_s": "10^9 bytes/s of the file system for all nodes together",
    "files.write_gb_s": "10^9 bytes/s of one writer",
    "files.disk_gb_s": "10^9 bytes/s into a node's own disk",
}


@dataclass(frozen=True)
class Machine:
    name: str
    ranks_per_node: int
    precision: str
    values: dict  #: by section.key
    sources: dict

    def __getitem__(self, key):
        return self.values[key]

    def links(self):
        return Links(
            latency_inside=1e-6 * self["links.latency_inside_us"],
            bandwidth_inside=1e9 * self["links.bandwidth_inside_gb_s"],
            latency_between=1e-6 * self["links.latency_between_us"],
            bandwidth_between=1e9 * self["links.bandwidth_between_gb_s"],
            call=1e-6 * self["links.call_us"],
        )


def _number(document, key, path):
    section, name = key.split(".")
    entry = (document.get(section) or {}).get(name) if isinstance(document.get(section), dict) else None
    value = entry.get("value") if isinstance(entry, dict) else None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value < 0:
        raise Refused(f"{path}: {key} must be {{value: NUMBER, source: TEXT}}, {NUMBERS[key]}; see perf/machines/v100.yaml")
    if not isinstance(entry.get("source"), str) or not entry["source"].strip():
        raise Refused(f"{path}: {key} names no source; write where the number comes from, or 'assumed: why'")
    return float(value), entry["source"]


def read_machine(path):
    """Throws Refused."""
    try:
        document = yaml.safe_load(Path(path).read_text())
    except OSError as error:
        raise Refused(f"{path}: {error.strerror}; descriptions of machines are in perf/machines") from None
    except yaml.YAMLError as error:
        raise Refused(f"{path}: {' '.join(str(error).split())}") from None
    if not isinstance(document, dict):
        raise Refused(f"{path}: no description of a machine; see perf/machines/v100.yaml")
    ranks = document.get("ranks_per_node")
    if isinstance(ranks, bool) or not isinstance(ranks, int) or ranks < 1:
        raise Refused(f"{path}: ranks_per_node must be a number above 0: the GPUs of a node")
    numbers = {key: _number(document, key, path) for key in NUMBERS}
    zero = next((key for key in numbers if numbers[key][0] == 0 and not key.endswith(("_us", "spread", "ms_per_picture"))), None)
    if zero:
        raise Refused(f"{path}: {zero} must be above 0")
    return Machine(
        str(document.get("name", Path(path).stem)),
        ranks,
        str(document.get("precision", "fp16")),
        {key: value for key, (value, _) in numbers.items()},
        {key: source for key, (_, source) in numbers.items()},
    )

"""A study: what to measure. Every key has one line in KEYS; whatever is wrong with a file is told in one line."""

import difflib
from dataclasses import dataclass
from pathlib import Path

import yaml

from study.errors import Refused
from study.networks import NETWORKS


@dataclass(frozen=True)
class Delay:
    """An artificial one for each collective call (perf/delay_messages.cpp)."""

    latency_us: float = 0
    mb_per_s: float = 0  #: 0: no limit

    @property
    def is_none(self):
        return self.latency_us == 0 and self.mb_per_s == 0


@dataclass(frozen=True)
class Study:
    name: str
    networks: tuple
    precision: tuple
    scaling: tuple
    ranks: tuple
    nodes: tuple  #: for each entry of ranks
    threads: int
    device: str
    steps: int
    repetitions: int
    data: str
    config: str  #: a configuration whose keys the runs take over; empty: none
    pictures: int  #: weak: of a rank; strong: of all
    classes: int
    images_per_class: int  #: weak: of a rank; strong: of all
    large: int
    small: int
    multicrop: int
    delays: tuple
    apart: bool
    links: bool
    minutes: float  #: that a run may take
    settings: tuple  #: (key, value) of the program's configuration


def _is_number(value):
    return isinstance(value, int) and not isinstance(value, bool)


def _count(least=1):
    def check(value):
        return value if _is_number(value) and value >= least else None

    return check


def _counts(value):
    values = value if isinstance(value, list) else [value]
    return tuple(values) if values and all(_is_number(v) and v >= 1 for v in values) else None


def _words(*allowed):
    def check(value):
        values = value if isinstance(value, list) else [value]
        return tuple(dict.fromkeys(values)) if values and all(v in allowed for v in values) else None

    return check


def _word(*allowed):
    return lambda value: value if value in allowed else None


def _flag(value):
    return value if isinstance(value, bool) else None


def _text(value):
    return value if isinstance(value, str) and value.strip() else None


def _positive(value):
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) and value > 0 else None


def _delays(value):
    found = []
    for entry in value if isinstance(value, list) else []:
        if not isinstance(entry, dict) or not set(entry) <= {"latency_us", "mb_per_s"}:
            return None
        if any(isinstance(v, bool) or not isinstance(v, (int, float)) or v < 0 for v in entry.values()):
            return None
        found.append(Delay(**entry))
    return tuple(dict.fromkeys(found)) if found or value == [] else None


def _settings(value):
    if not isinstance(value, dict) or not all(isinstance(key, str) and key.count(".") == 1 for key in value):
        return None
    return tuple(sorted((key, setting) for key, setting in value.items()))


REQUIRED = object()
PRECISIONS = ("fp32", "bf16", "fp16", "fp64")

#: key: (check, which gives None for a wrong value; default; what it takes)
KEYS = {
    "name": (_text, "", "a word"),
    "networks": (_words(*NETWORKS), REQUIRED, f"a list of {', '.join(NETWORKS)}"),
    "precision": (_words(*PRECISIONS), ("fp32",), f"a list of {', '.join(PRECISIONS)}"),
    "scaling": (_words("weak", "strong"), ("weak",), "weak, strong or a list of both"),
    "ranks": (_counts, REQUIRED, "a list of numbers above 0, for example [1, 2, 4]"),
    "nodes": (_counts, (1,), "a number above 0, or a list of them, one for each entry of ranks"),
    "threads": (_count(), 1, "threads of a rank, a number above 0"),
    "device": (_word("auto", "cpu", "cuda"), "auto", "auto, cpu or cuda"),
    "steps": (_count(3), 12, "steps of a run, at least 3: the first ones warm up"),
    "repetitions": (_count(), 3, "a number above 0"),
    "data": (_word("synthetic", "real"), "synthetic", "synthetic, or real with the data of config"),
    "config": (_text, "", "a configuration of paws_hpc, relative to the study"),
    "batch.pictures": (_count(), REQUIRED, "a number above 0: of a rank (weak), of all ranks (strong)"),
    "batch.classes": (_count(2), 10, "a number above 1: classes of a support batch"),
    "batch.images_per_class": (_count(), 1, "a number above 0: of a rank (weak), of all ranks (strong)"),
    "views.large": (_count(8), 32, "pixels, at least 8"),
    "views.small": (_count(8), 18, "pixels, at least 8"),
    "views.multicrop": (_count(0), 6, "small views of a picture, 0 for none"),
    "delays": (_delays, (), "a list of {latency_us: NUMBER, mb_per_s: NUMBER}"),
    "apart": (_flag, True, "true or false: also runs on as many ranks that do not talk to each other"),
    "links": (_flag, True, "true or false: also measures collective calls with bench_comm"),
    "minutes": (_positive, 10.0, "minutes that a run may take, above 0"),
    "settings": (_settings, (), "a mapping of section.key of the program's configuration to values"),
}
SECTIONS = {key.split(".")[0] for key in KEYS if "." in key}


def _flatten(document, name):
    flat = {}
    for key, value in document.items():
        if key in SECTIONS:
            if not isinstance(value, dict):
                keys = ", ".join(k.split(".")[1] for k in KEYS if k.startswith(f"{key}."))
                raise Refused(f"{name}: {key} must be a mapping with keys of {keys}")
            flat.update({f"{key}.{inner}": inner_value for inner, inner_value in value.items()})
        else:
            flat[str(key)] = value
    for key in flat:
        if key not in KEYS:
            near = difflib.get_close_matches(key, KEYS, 1, 0.4)
            raise Refused(f"{name}: {key}: there is no such key" + (f"; did you mean {near[0]}?" if near else f"; there are {', '.join(KEYS)}"))
    return flat


def _value(key, flat, name):
    check, default, takes = KEYS[key]
    if key not in flat:
        if default is REQUIRED:
            raise Refused(f"{name}: {key} is missing; give {takes}")
        return default
    value = check(flat[key])
    if value is None:
        raise Refused(f"{name}: {key}: {flat[key]!r} will not do; give {takes}")
    return value


def _check_ranks(study, name):
    for count, nodes in zip(study.ranks, study.nodes):
        if count % nodes != 0:
            raise Refused(f"{name}: nodes: {count} ranks do not fill {nodes} nodes evenly; give nodes that divide them")
    if len(set(study.ranks)) != len(study.ranks):
        raise Refused(f"{name}: ranks: a number is there twice; leave one out")
    if "strong" in study.scaling:
        for key, total in (("batch.pictures", study.pictures), ("batch.images_per_class", study.images_per_class)):
            uneven = next((count for count in study.ranks if total % count != 0), None)
            if uneven:
                raise Refused(f"{name}: {key}: {total} in all do not fill {uneven} ranks evenly; strong scaling needs a multiple of every entry of ranks")


def parse_study(text, name, folder="."):
    """Throws Refused."""
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise Refused(f"{name}: no YAML: {' '.join(str(error).split())}") from None
    if not isinstance(document, dict):
        raise Refused(f"{name}: no study; it is a mapping with the keys networks, ranks, batch and others (perf/studies has examples)")
    flat = _flatten(document, name)
    values = {key.split(".")[-1]: _value(key, flat, name) for key in KEYS}
    values["name"] = values["name"] or Path(name).stem
    if len(values["nodes"]) == 1:
        values["nodes"] *= len(values["ranks"])
    if len(values["nodes"]) != len(values["ranks"]):
        raise Refused(f"{name}: nodes: {len(values['nodes'])} entries for {len(values['ranks'])} of ranks; give one number, or as many as ranks has")
    if values["config"]:
        values["config"] = str((Path(folder) / values["config"]).resolve())
        if not Path(values["config"]).is_file():
            raise Refused(f"{name}: config: there is no file {values['config']}; name one relative to the study")
    if values["data"] == "real" and not values["config"]:
        raise Refused(f"{name}: data: real needs config, a configuration of paws_hpc that names the pictures; or take synthetic")
    study = Study(**values)
    _check_ranks(study, name)
    return study


def read_study(path):
    """(Study, its text). Throws Refused."""
    path = Path(path)
    try:
        text = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise Refused(f"{path}: {getattr(error, 'strerror', None) or 'no text'}; name a study file, for example one of perf/studies") from None
    return parse_study(text, str(path), path.parent), text

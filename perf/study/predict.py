"""perf/scaling predict: the published setting on described machines, or a measured rank on given links."""

import csv
from pathlib import Path

import yaml

from study.errors import Refused
from study.launch import ROOT
from study.markdown import table
from study.model import answers
from study.model.collectives import Links, Network, World
from study.model.machine_file import read_machine
from study.model.profile import load
from study.model.projection import read_training
from study.model.simulate import Setting, step_seconds, terms

RANKS = (1, 8, 16, 64, 128, 256, 512, 1024)
LINK_KEYS = {"ranks_per_node": 0, "latency_inside_us": 1e-6, "bandwidth_inside_gb_s": 1e9, "latency_between_us": 1e-6,
             "bandwidth_between_gb_s": 1e9, "call_us": 1e-6}


def read_links(path):
    """(Links, ranks of a node). Throws Refused."""
    try:
        document = yaml.safe_load(Path(path).read_text())
    except (OSError, yaml.YAMLError) as error:
        raise Refused(f"{path}: {' '.join(str(getattr(error, 'strerror', None) or error).split())}; --links takes a YAML of {', '.join(LINK_KEYS)}") from None
    if not isinstance(document, dict):
        raise Refused(f"{path}: no description of links; it is a mapping with the keys {', '.join(LINK_KEYS)}")
    for key, value in document.items():
        if key not in LINK_KEYS:
            raise Refused(f"{path}: {key}: there is no such key; there are {', '.join(LINK_KEYS)}")
        if isinstance(value, bool) or not isinstance(value, (int, float)) or value < 0 or (value == 0 and "bandwidth" in key):
            raise Refused(f"{path}: {key}: {value!r} will not do; give a number{' above 0' if 'bandwidth' in key else ''}")
    missing = [key for key in LINK_KEYS if key not in document and key != "call_us"]
    if missing:
        raise Refused(f"{path}: {missing[0]} is missing; give a number")
    values = {key.removesuffix("_us").removesuffix("_gb_s"): value * LINK_KEYS[key] for key, value in document.items() if key != "ranks_per_node"}
    return Links(**values), max(1, int(document["ranks_per_node"]))


def on_links(profile, options):
    links, of_node = read_links(options.links)
    rows = []
    for ranks in options.ranks or (1, 2, 4, 8, 16, 32, 64):
        setting = Setting(World(ranks, -(-ranks // of_node)), Network(links), bucket_bytes=options.bucket_mb * 2**20)
        step, lost = step_seconds(profile, setting), terms(profile, setting)
        if not rows:
            first = step
        largest = max(lost, key=lost.get)
        rows.append([ranks, answers.milliseconds(step), f"{ranks * profile.pictures / step:,.0f}", f"{first / step:.1%}",
                     f"{largest} ({lost[largest] / step:.1%})"])
    print("\n".join(table(["ranks", "step, ms", "pictures/s", "efficiency", "costs most"], rows)))


def on_machines(profile, options):
    training = read_training(options.config)
    if training.network != profile.network:
        raise Refused(f"{options.timings}: timings of {profile.network}, and {options.config} trains {training.network}; take those of a rank with that network")
    machines = [read_machine(path) for path in options.machine or sorted((ROOT / "perf/machines").glob("*.yaml"), key=_generation)]
    lines, rows = answers.answers(profile, machines, training, options.ranks or RANKS)
    print("\n".join(lines))
    if options.output:
        _write(rows, lines, Path(options.output))


def _generation(path):
    """V100 before A100 before H100."""
    return ("v100", "a100", "h100").index(path.stem) if path.stem in ("v100", "a100", "h100") else 9


def _write(rows, lines, folder):
    from study import plots

    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "projection.md").write_text("\n".join(lines), encoding="utf-8")
        with open(folder / "projection.csv", "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            scalars = [key for key in rows[0] if key != "terms"]
            writer.writerow(scalars + [f"{name} s" for name in rows[0]["terms"]])
            for row in rows:
                writer.writerow([f"{row[key]:.6g}" if isinstance(row[key], float) else row[key] for key in scalars]
                                + [f"{seconds:.6g}" for seconds in row["terms"].values()])
        plots.projection(rows, folder)
    except OSError as error:
        raise Refused(f"--output {folder}: {error.strerror or error}; name a folder that you may write to") from None


def predict(options):
    profile = load(options.timings)
    (on_links if options.links else on_machines)(profile, options)

#!/usr/bin/env python3
"""A tiny study from the first run to its report, with an interruption; and what perf/scaling refuses.

usage: small_study.py --paws-hpc PROGRAM"""
import argparse
import csv
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import h5py
import yaml

SOURCE = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(SOURCE / "perf"))

from bad_studies import BAD_LINKS, GOOD, LINKS, MACHINE, MACHINES, STUDIES  # noqa: E402
from made_up import timings  # noqa: E402
from study.errors import Refused  # noqa: E402
from study.model.machine_file import read_machine  # noqa: E402
from study.predict import read_links  # noqa: E402
from study.study_file import parse_study  # noqa: E402

DELAY_US = 5000
TINY = {**GOOD, "scaling": ["weak", "strong"], "steps": 3, "repetitions": 1, "device": "cpu", "views": {"large": 16, "multicrop": 0},
        "delays": [{"latency_us": DELAY_US}]}


def check(condition, message):
    if not condition:
        sys.exit(f"small_study.py: {message}")


def changed(base, change):
    return {key: value for key, value in {**base, **change}.items() if value is not None}


class Scaling:
    def __init__(self, folder, paws_hpc):
        self.folder = Path(folder)
        self.environment = {**os.environ, "PAWS_SCALING_PROGRAM": paws_hpc, "MPLCONFIGDIR": folder}

    def start(self, *arguments):
        return subprocess.Popen([str(SOURCE / "perf/scaling"), *map(str, arguments)], cwd=self.folder, env=self.environment, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)

    def run(self, *arguments, code=0):
        process = self.start(*arguments)
        said, errors = process.communicate(timeout=300)
        check(process.returncode == code, f"{arguments}: exit code {process.returncode}\n{said}{errors}")
        return said + errors

    def refuse(self, pattern, *arguments, code=2):
        lines = self.run(*arguments, code=code).splitlines()
        check(len(lines) == 1 and re.match(rf"perf/scaling: .*{pattern}", lines[0]), f"{arguments}: {lines} is not one line of '{pattern}'")

    def write(self, name, content):
        (self.folder / name).write_text(content if isinstance(content, str) else yaml.safe_dump(content))
        return name


def refusal(act, *arguments):
    try:
        act(*arguments)
    except Refused as refused:
        return str(refused)
    return "nothing was refused"


def check_bad_input(scaling):
    parse_study(yaml.safe_dump(GOOD), "s.yaml")
    for change, pattern in STUDIES:
        said = refusal(parse_study, yaml.safe_dump(changed(GOOD, change)), "s.yaml")
        check(re.match(rf"s\.yaml: {pattern}", said) and "\n" not in said, f"{change}: '{said}' is not '{pattern}'")
    for text in ("[1, 2]", "networks: [", "3"):
        check(re.match(r"s\.yaml: no (study|YAML)", refusal(parse_study, text, "s.yaml")), f"'{text}' is taken for a study")
    for section, key, value, pattern in MACHINES:
        machine = yaml.safe_load((SOURCE / MACHINE).read_text())
        (machine[section] if section else machine)[key] = value
        said = refusal(read_machine, scaling.folder / scaling.write("machine.yaml", machine))
        check(re.search(pattern, said), f"machine with {key} {value}: '{said}'")
    for change, pattern in BAD_LINKS:
        said = refusal(read_links, scaling.folder / scaling.write("links.yaml", changed(LINKS, change)))
        check(re.search(pattern, said), f"links with {change}: '{said}'")


def check_command_line(scaling):
    good = scaling.write("good.yaml", GOOD)
    scaling.write("one.json", json.dumps(timings()))
    scaling.write("two.json", json.dumps(timings(ranks=2)))
    scaling.write("other.json", "{}")
    scaling.write("links.yaml", LINKS)
    scaling.write("bad.yaml", {**GOOD, "steps": 1})
    scaling.write("clusters.yaml", {**GOOD, "nodes": [1, 2]})
    scaling.refuse("bad.yaml: steps: 1 will not do", "run", "bad.yaml", "--output", "out")
    scaling.refuse("nowhere.yaml: No such file", "run", "nowhere.yaml", "--output", "out")
    scaling.refuse("2 nodes need a job of SLURM", "run", "clusters.yaml", "--output", "out")
    scaling.refuse("the following arguments are required: --output", "run", good)
    scaling.refuse("--nodes 7: the study has no run on so many nodes", "run", good, "--output", "nodes", "--nodes", "7")
    scaling.refuse("invalid choice: 'measure'", "measure", good)
    scaling.refuse("there is no study.yaml", "report", "out")
    scaling.refuse("nothing is measured yet", "report", "nodes")
    scaling.refuse("two.json: a run on 2 ranks; the model starts from a run on one", "predict", "two.json")
    scaling.refuse("other.json: not a file of paws_hpc's timings", "predict", "other.json")
    scaling.refuse("nowhere.json: No such file", "predict", "nowhere.json")
    scaling.refuse("timings of wide_resnet16w1, and .* trains resnet50", "predict", "one.json")
    scaling.refuse("bad.yaml: not the configuration of a PAWS training", "predict", "one.json", "--config", "bad.yaml")
    scaling.refuse("--output .*: Not a directory|Not a directory|File exists", "run", good, "--output", "one.json/x")
    check(not (scaling.folder / "out").exists(), "something was measured or kept for a bad study")
    check("SLURM_ARRAY_TASK_ID" in scaling.run("submit", good, "--output", "out", "--dry-run"), "no script")
    scaling.environment["PAWS_SCALING_PROGRAM"] = "/bin/false"
    scaling.refuse("exit code 1: it wrote nothing", "run", good, "--output", "failing", code=1)
    predicted = scaling.run("predict", "one.json", "--links", "links.yaml", "--ranks", "1", "8", "64")
    check(len(predicted.splitlines()) == 5 and "| 64 |" in predicted, predicted)


def done_files(output):
    return {path: path.stat().st_mtime_ns for path in output.glob("runs/*/*/done.json")}


def interrupted_run(scaling, study, output):
    """Ends it once something is measured; what was is there, whole."""
    process = scaling.start("run", study, "--output", output.name)
    end = time.monotonic() + 120
    while not done_files(output) and process.poll() is None and time.monotonic() < end:
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    check(process.returncode == 130 and "the same command goes on" in errors, f"interrupted: {process.returncode} {errors}")
    return done_files(output)


def check_study(scaling):
    study, output = scaling.write("tiny.yaml", TINY), scaling.folder / "tiny"
    before = interrupted_run(scaling, study, output)
    said = scaling.run("run", study, "--output", "tiny")
    after = done_files(output)
    # One rank with each batch, two apart, two together with each batch and with a delay; bench_comm.
    expected = {"r1-p4-s2", "r1-p2-s1", "r2-p4-s2", "r2-p2-s1", "r2-p4-s2-apart", "r2-p2-s1-apart", f"r2-p4-s2-delay{DELAY_US}us"}
    names = {path.parent.parent.name.replace("wide_resnet16w1-fp32-", "") for path in after}
    check(names - {"links-r1", "links-r2"} == expected, f"measured {names}")
    check(before and all(after[path] == written for path, written in before.items()), "what had been measured was measured again")
    check(len(re.findall(r"^\d+/", said, re.MULTILINE)) == len(after) - len(before), said)
    check("measured" in scaling.run("run", study, "--output", "tiny") and done_files(output) == after, "a finished study was measured again")
    scaling.write("more.yaml", {**TINY, "steps": 4})
    scaling.refuse(r"another study than more.yaml \(steps differs\)", "run", "more.yaml", "--output", "tiny")
    return output


def check_delay(output):
    """Every batch norm's two reductions, the gather and its gradient, the mean predictions and the agreement wait for it."""
    document = json.loads((output / f"runs/wide_resnet16w1-fp32-r2-p4-s2-delay{DELAY_US}us/0/study-timings.json").read_text())
    least = 1e-6 * DELAY_US * (2 * len(document["batch_norms"]) + 4)
    check(len(document["batch_norms"]) > 10 and document["step"]["min"] >= least, f"a step of {document['step']['min']} s with delays of {least} s")


def check_report(scaling, output):
    scaling.run("report", "tiny")
    with open(output / "table.csv") as file:
        rows = list(csv.DictReader(file))
    points = [(row["scaling"], row["ranks"], row["delay_us"]) for row in rows]
    check(points == [("weak", "1", "0"), ("weak", "2", "0"), ("strong", "1", "0"), ("strong", "2", "0"), ("weak", "1", f"{DELAY_US}"),
                     ("weak", "2", f"{DELAY_US}")], f"points {points}")
    check([row["efficiency"] for row in rows[::2]] == ["1"] * 3, "one rank is not the base")
    for row in rows:
        phases = sum(float(row[f"{name}_s"]) for name in ("data_wait", "forward", "loss", "backward", "communication", "update", "checkpoint", "other"))
        check(0.7 < phases / float(row["step_s"]) < 1.3, f"phases of {phases} s in a step of {row['step_s']} s")
        check(abs(float(row["pictures_per_s"]) * float(row["step_s"]) / float(row["pictures_per_step"]) - 1) < 1e-3, "throughput is not pictures over time")
    with h5py.File(output / "table.h5") as file:
        check(file.attrs["format"] == "paws-scaling" and len(file["table"]) == len(rows), "table.h5 is not the table")
        check(abs(file["table"]["step_s"][1] - float(rows[1]["step_s"])) < 1e-5, "table.h5 has other figures")
    for name in ("throughput", "efficiency", "phases", "spread"):
        for kind, magic in (("png", b"\x89PNG"), ("svg", b"<?xml")):
            check((output / f"{name}.{kind}").read_bytes().startswith(magic), f"{name}.{kind} is no picture")
    page = (output / "report.md").read_text()
    for words in ("# Scaling study tiny", "## Points", "limited by", "paws_hpc"):
        check(words in page, f"report.md has no '{words}'")
    if list(output.glob("runs/links-r2")):
        check(len(re.findall(r"^\| (?:weak|strong) .*\| [+-]\d+\.\d%", page, re.MULTILINE)) == 3, "report.md does not have three predictions")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--paws-hpc", required=True)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        check_bad_input(Scaling(folder, options.paws_hpc))
        check_command_line(Scaling(folder, options.paws_hpc))
        scaling = Scaling(folder, options.paws_hpc)
        output = check_study(scaling)
        check_delay(output)
        check_report(scaling, output)
        check("0 of 6 differences" in scaling.run("compare", "tiny", "tiny"), "a study differs from itself")


if __name__ == "__main__":
    main()

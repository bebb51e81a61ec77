#!/usr/bin/env python3
"""Kills a training run with SIGKILL at random moments, also while it writes checkpoints, and starts it again each time; it must resume from
where it was, never from the beginning, and end bit for bit like a run that was left alone.

usage: kills.py --paws-hpc PROGRAM --data tests/inputs [--kills 100] [--ranks 1] [--seed 1]"""
import argparse
import glob
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import time

import h5py

from faults import environment

# Every step asks for a checkpoint, so that one is being written nearly always.
CONFIG = """task: paws_train
meta: {{model_name: wide_resnet28w2, output_dim: 16, device: cpu, precision: fp32, threads: 1, comm_timeout: 5}}
criterion: {{unsupervised_batch_size: 4, classes_per_batch: 5, supervised_imgs_per_class: 1, supervised_views: 1, temperature: 0.1, sharpen: 0.25, me_max: true}}
data: {{dataset: hdf5, file: {data}, unlabeled_frac: 0.5, crop_size: 16, multicrop: 0, label_smoothing: 0.1}}
optimization: {{epochs: 100000, warmup: 0, start_lr: 0.1, lr: 0.1, final_lr: 0.01, momentum: 0.9, nesterov: false, weight_decay: 1.0e-06}}
logging: {{folder: {folder}, write_tag: run, log_every: 1, checkpoint_minutes: 1.0e-09, keep_last: 2}}
"""


class Training:
    def __init__(self, options, root, name):
        self.folder = root / name
        self.config = root / f"{name}.yaml"
        self.config.write_text(CONFIG.format(data=root / "data.h5", folder=self.folder))
        self.start = [] if options.ranks == 1 else ["mpirun", "--oversubscribe", "-n", str(options.ranks)]
        self.program = options.paws_hpc
        self.environment = environment()

    def begin(self, *arguments):
        return subprocess.Popen([*self.start, self.program, str(self.config), *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                env=self.environment, start_new_session=True)

    def run_to(self, step, summary):
        process = self.begin("--stop-after", f"{step}steps", "--summary", str(summary))
        said, _ = process.communicate(timeout=600)
        assert process.returncode == 0, said
        return json.loads(summary.read_text())


def processes_of(session, program):
    """The ranks: all processes of the program in the session."""
    found = []
    for place in glob.glob("/proc/[0-9]*"):
        try:
            fields = pathlib.Path(place, "stat").read_text().rsplit(")", 1)[1].split()
            if int(fields[3]) == session and os.readlink(f"{place}/exe") == program:
                found.append(int(place.rsplit("/", 1)[1]))
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            pass
    return found


def kill(process, program, chance):
    """All ranks of a run of one, one rank of several: the others must end by themselves."""
    victims = processes_of(process.pid, program)
    if victims:
        try:
            os.kill(chance.choice(victims), signal.SIGKILL)
        except ProcessLookupError:
            pass


def step_of(folder):
    """The step that the newest whole checkpoint has, as the program would choose it; h5py tells a whole one."""
    for name in ("run-latest.h5", "run-latest-1.h5"):
        try:
            with h5py.File(folder / name) as file:
                return int(file["progress"].attrs["iteration"])
        except (OSError, KeyError):
            pass
    return 0


def content(path):
    with h5py.File(path) as file:
        arrays = {}
        file.visititems(lambda name, item: arrays.update({name: item[()].tobytes()}) if isinstance(item, h5py.Dataset) and name != "config" else None)
        return arrays, sorted((name, value) for name, value in file["progress"].attrs.items() if name != "crc32")


def figures(path):
    return [line.rsplit(",", 1)[0] for line in path.read_text().splitlines()]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--paws-hpc", required=True)
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--ranks", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    options.paws_hpc = os.path.realpath(options.paws_hpc)
    chance = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        subprocess.run([options.paws_hpc, "pack", "--format", "cifar10", "--input", options.data / "cifar-10-batches-py", "--output", root / "data.h5"], check=True,
                       stdout=subprocess.DEVNULL)
        training = Training(options, root, "killed")
        reached = partial = skipped = 0
        for number in range(options.kills):
            process = training.begin()
            time.sleep(chance.uniform(0.1, 1.5 if options.ranks == 1 else 3))
            kill(process, options.paws_hpc, chance)
            said, _ = process.communicate(timeout=120)
            assert process.returncode != 0, said
            step = step_of(training.folder)
            assert step >= reached, f"kill {number}: step {step} after {reached}:\n{said}"
            if reached:
                assert "resumed from" in said or "ranks  " not in said, f"kill {number}: began anew:\n{said}"
            reached = step
            partial += bool(glob.glob(str(training.folder / "*.partial-*")))
            skipped += "; skipped" in said
        end = reached + 3
        training.run_to(end, root / "summary.json")
        alone = Training(options, root, "alone")
        alone.run_to(end, root / "summary.json")
        assert content(training.folder / "run-latest.h5") == content(alone.folder / "run-latest.h5"), "the weights differ"
        for rank in range(options.ranks):
            assert figures(training.folder / f"run_r{rank}.csv") == figures(alone.folder / f"run_r{rank}.csv"), "the logs differ"
        assert not glob.glob(str(training.folder / "*.partial-*")), "leftovers"
    print(f"{options.kills} kills on {options.ranks} rank(s), {end} steps: {partial} within a write, {skipped} corrupt files skipped; the end is that of a run left alone")


if __name__ == "__main__":
    sys.exit(main())

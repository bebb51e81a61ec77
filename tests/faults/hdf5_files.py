#!/usr/bin/env python3
"""Gives the program HDF5 files that are damaged, lead elsewhere or claim too much, as h5py and a byte editor make them:
each ends in one line that names the file and exit code 2, in no time and with little memory, or is read as it was.

usage: hdf5_files.py --paws-hpc PROGRAM --data tests/inputs"""
import argparse
import os
import resource
import subprocess
import tempfile
from pathlib import Path

import h5py
import numpy as np

MOST_MEMORY = 1 << 20  # kB; the program itself takes a third of it


class Program:
    def __init__(self, path):
        self.path = path
        names = ("PATH", "HOME", "LD_LIBRARY_PATH", "TMPDIR")
        self.kept = {name: os.environ[name] for name in names if name in os.environ} | {"OMP_NUM_THREADS": "1"}

    def run(self, *words):
        return subprocess.run([self.path, *map(str, words)], env=self.kept, capture_output=True, text=True, timeout=60)

    def check_refused(self, file, parts, *words):
        result = self.run(*words)
        said = result.stderr.strip()
        assert result.returncode == 2, (words, result.returncode, said)
        assert "\n" not in said and str(file) in said, (words, said)
        assert all(part in said for part in parts), (words, parts, said)


def readers(file, folder):
    """What reads a data set."""
    return [
        ("inspect", file),
        ("subset", "--data", file, "--per-class", 1, "--output", folder / "list.txt"),
        ("views", folder / "run.yaml", "--set", f"data.file={file}", "--output", folder / "sheet.png"),
    ]


def make(path, change, **options):
    with h5py.File(path, "w", **options) as file:
        file.attrs["format"], file.attrs["version"] = "paws-dataset", 1
        file["class_names"] = np.array(["a", "b"], "S1")
        train = file.create_group("train")
        train["labels"] = np.arange(2)
        train["names"] = np.array(["x", "y"], "S1")
        train["images"] = np.zeros((2, 32, 32, 3), "u1")
        change(file, train)
    return path


def replace(group, name, *arguments, **options):
    del group[name]
    return group.create_dataset(name, *arguments, **options)


def external_link(file, train):
    del train["labels"]
    train["labels"] = h5py.ExternalLink("other.h5", "/labels")


def external_split(file, train):
    file["val"] = h5py.ExternalLink("other.h5", "/train")


def external_storage(file, train):
    replace(train, "images", (2, 32, 32, 3), "u1", external=[("/etc/passwd", 0, 6144)])


def virtual(file, train):
    layout = h5py.VirtualLayout((2, 32, 32, 3), "u1")
    layout[:] = h5py.VirtualSource("other.h5", "images", (2, 32, 32, 3))
    del train["images"]
    train.create_virtual_dataset("images", layout, fillvalue=7)


def many_names(file, train):
    replace(file, "class_names", (1 << 32,), "S1", chunks=(1 << 16,), compression=1)


def many_labels(file, train):
    replace(train, "labels", (3_300_000_000,), "u1")


def no_split(file, train):
    del file["train"]


def wrong_checksums(file, train):
    del train["images"]
    train["encoded"], train["offsets"] = np.arange(9, dtype="u1"), np.array([0, 4, 9])
    train["checksums"] = np.array([1, 2], "u4")


FOREIGN = [
    (external_link, ["/train/labels", "external link"]),
    (external_split, ["/val", "external link"]),
    (external_storage, ["/train/images", "external storage"]),
    (virtual, ["/train/images", "virtual data set"]),
    (many_names, ["/class_names", "claims"]),
    (many_labels, ["/train/labels", "claims"]),
    (no_split, ["has no split"]),
]

RUN = """task: paws_train
meta: {model_name: wide_resnet16w1, output_dim: 8, use_pred_head: true, device: cpu, precision: fp32}
criterion: {unsupervised_batch_size: 2, classes_per_batch: 2, supervised_imgs_per_class: 1}
data: {dataset: cifar10, multicrop: 0, label_smoothing: 0.1, unlabeled_frac: 0}
optimization: {epochs: 1, lr: 0.1}
logging: {folder: never, write_tag: t}
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--paws-hpc", required=True)
    parser.add_argument("--data", type=Path, required=True)
    arguments = parser.parse_args()
    program = Program(arguments.paws_hpc)
    with tempfile.TemporaryDirectory(prefix="paws-hdf5-files-") as name:
        folder = Path(name)
        (folder / "run.yaml").write_text(RUN)
        for number, (change, parts) in enumerate(FOREIGN):
            file = make(folder / f"{change.__name__}.h5", change)
            program.check_refused(file, parts, *readers(file, folder)[number % 3])
        file = make(folder / "checksums.h5", wrong_checksums)
        program.check_refused(file, ["image x", "checksum"], "inspect", file)

        # In a file of ours, old or new, a byte that HDF5 would hang at or crash on.
        old = (arguments.data / "packed_without_header_seal.h5").read_bytes()
        new = folder / "new.h5"
        packed = program.run("pack", "--format", "cifar10", "--input", arguments.data / "cifar-10-batches-py", "--output", new)
        assert packed.returncode == 0, packed.stderr
        heap = old.find(b"GCOL")
        changes = [(old, heap + 56, 0xFF), (old, heap + 26, 1), (old[:-24], heap + 56, 0xFF)]
        changes += [(new.read_bytes(), place, 0xFF) for place in (56, 300)]
        for number, (bytes_, place, value) in enumerate(changes):
            damaged = bytearray(bytes_)
            damaged[place] ^= value
            file = folder / f"damaged_{number}.h5"
            file.write_bytes(damaged)
            program.check_refused(file, [], *readers(file, folder)[1 + number % 2])
        assert not (folder / "list.txt").exists() and not (folder / "sheet.png").exists()
    most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    assert most < MOST_MEMORY, f"{most} kB"
    print("hdf5_files.py: all as it should be")


if __name__ == "__main__":
    main()

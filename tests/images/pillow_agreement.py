#!/usr/bin/env python3
"""Compares what we take for an image, and its pixels, with Pillow: on files that it makes and damages in many ways (from
a seed, so that they are always the same), on those of tests/inputs and of any folder.

usage: pillow_agreement.py --decode-images PROGRAM [--mutations N] [--seed S] [--also FOLDER]... [--only jpg]
                           [--keep FOLDER]

--also FOLDER: the files below it, too, and mutations of the small images among them. --keep FOLDER: leaves the mutated
files there.

Fails if we and Pillow agree on less than 99.5 % of the files, or if a pixel differs (CMYK: by more than 1). PNGs have
checksums of their pixels, which Pillow does not look at: where they are wrong or missing we are to refuse."""
import argparse
import collections
import random
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np
from PIL import Image

from mutations import Mutations, lost_ends, made_images, png_damage

DATA = Path(__file__).resolve().parent.parent / "inputs"
LEAST_AGREEMENT = 0.995
SMALL = 100_000
PNG = b"\x89PNG"


def by_pillow(path):
    """(RGB pixels or None, by how much ours may differ, why not)"""
    try:
        with Image.open(path, formats=("JPEG", "PNG")) as image:
            image.load()
            if image.mode == "I":
                # 16-bit grey: we scale it to 8 bits, convert("RGB") clips it.
                grey = (np.asarray(image) >> 8).astype("u1")
                return np.repeat(grey[:, :, None], 3, 2), 0, ""
            return np.asarray(image.convert("RGB")), int(image.mode == "CMYK"), ""
    except Exception as error:  # whatever it is, Pillow does not read the file
        return None, 0, f"{type(error).__name__}: {error}"


def by_us(program, paths):
    """For each path (RGB pixels or None, why not)."""
    with tempfile.TemporaryFile() as names:
        names.write(b"".join(bytes(path) + b"\n" for path in paths))
        names.seek(0)
        with subprocess.Popen([program], stdin=names, stdout=subprocess.PIPE) as process:
            for path in paths:
                word, *rest = process.stdout.readline().decode(errors="replace").rstrip("\n").split(" ")
                if word == "ok":
                    height, width = map(int, rest)
                    pixels = process.stdout.read(height * width * 3)
                    yield np.frombuffer(pixels, "u1").reshape(height, width, 3), ""
                else:
                    assert word == "refused", f"{path}: no answer of {program}"
                    yield None, " ".join(rest)
        assert process.returncode == 0, f"{program}: exit code {process.returncode}"


def compare(path, ours, reason):
    """(what came out, whether it is right, a line if it is not)"""
    theirs, allowed, why = by_pillow(path)
    if theirs is not None:
        data = path.read_bytes()
        damage = png_damage(data) if data.startswith(PNG) else None
        if damage:
            return "refused by us alone", ours is None, f"{path}: we take it, though {damage}"
    if ours is None and theirs is None:
        return "refused", True, ""
    if theirs is None:
        return "taken by us alone", False, f"{path}: Pillow refuses it: {why}"
    if ours is None:
        return "taken by Pillow alone", False, f"{path}: we refuse it: {reason}"
    if ours.shape != theirs.shape or (np.abs(ours.astype("i2") - theirs) > allowed).any():
        return "other pixels", False, f"{path}: other pixels"
    return "taken", True, ""


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--decode-images", required=True)
    parser.add_argument("--mutations", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--also", type=Path, action="append", default=[])
    parser.add_argument("--only", choices=("jpg", "png"))
    parser.add_argument("--keep", type=Path)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")  # Pillow's, about damaged files

    with tempfile.TemporaryDirectory() as scratch:
        folder = arguments.keep or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        files = []
        sources = []

        def write(group, name, data):
            (folder / name).write_bytes(data)
            files.append((group, folder / name))

        for name, data in made_images(arguments.seed).items():
            write("made", name, data)
            sources.append((name, data))
            if name.endswith("jpg"):
                for how, mutated in lost_ends(data).items():
                    write("without end", f"{how}_{name}", mutated)
        for root in [DATA / "pictures", DATA / "more_jpegs"] + arguments.also:
            for path in sorted(root.rglob("*")):
                if path.is_file():
                    files.append((root.name, path))
                    data = path.read_bytes()
                    if len(data) <= SMALL and data.startswith((b"\xff\xd8", PNG)) and by_pillow(path)[0] is not None:
                        sources.append((path.name, data))
        sources = [(kind, name, data) for name, data in sources
                   for kind in ["png" if data.startswith(PNG) else "jpg"] if arguments.only in (None, kind)]
        mutations = Mutations(random.Random(arguments.seed))
        for i in range(arguments.mutations):
            kind, name, data = sources[i % len(sources)]
            how, mutated = mutations.mutate(kind, data)
            write(f"mutated {kind}", f"{i}_{how}_{name}", mutated)

        counts = collections.defaultdict(collections.Counter)
        differences = collections.Counter()
        for (group, path), (ours, reason) in zip(files, by_us(arguments.decode_images, [path for _, path in files])):
            outcome, right, line = compare(path, ours, reason)
            counts[group][outcome] += 1
            if not right:
                differences[outcome] += 1
                print(line)
    for group, outcomes in counts.items():
        print(f"{group}: {outcomes.total()} files,", ", ".join(f"{n} {what}" for what, n in sorted(outcomes.items())))
    agreement = 1 - differences.total() / len(files)
    print(f"agreement: {100 * agreement:.2f} % of {len(files)} files")
    taken = sum(outcomes["taken"] for outcomes in counts.values())
    refused = sum(outcomes["refused"] for outcomes in counts.values())
    assert min(taken, refused) > len(files) / 10, "too few files of one kind to say anything"
    good = agreement >= LEAST_AGREEMENT and not differences["other pixels"] and not differences["refused by us alone"]
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())

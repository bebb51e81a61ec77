#!/usr/bin/env python3
"""Ranks of one node write one HDF5 file where /dev/shm is missing, as a small preloaded library has it; nothing is left
beside the file, and `doctor` says what is missing.

usage: no_shared_memory.py --paws-hpc PROGRAM --library no_shared_memory.so --data tests/inputs"""
import tempfile
from pathlib import Path

from preloaded import Program, parse, write_images


def main():
    arguments = parse(__doc__)
    paws_hpc = Program(arguments.paws_hpc, arguments.library)
    with tempfile.TemporaryDirectory(prefix="paws-no-shared-memory-") as name:
        folder = Path(name)
        write_images(folder / "images", arguments.data)
        paws_hpc("pack", "--format", "imagefolder", "--input", folder / "images", "--output", folder / "packed.h5", ranks=2)
        assert "whole" in paws_hpc("inspect", folder / "packed.h5")
        left = sorted(path.name for path in folder.iterdir())
        assert left == ["images", "packed.h5"], left
        lines = [line for line in paws_hpc("doctor").splitlines() if "shared memory" in line]
        assert len(lines) == 1 and lines[0].startswith("note") and "/dev/shm" in lines[0], lines
    print("no_shared_memory.py: all as it should be")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Ranks of one node write one HDF5 file where /dev/shm is missing, as a small preloaded library has it; nothing is left
beside the file, and `doctor` says what is missing.

usage: no_shared_memory.py --paws-hpc PROGRAM --library no_shared_memory.so --data tests/inputs"""
import argparse
import os
import shutil
import subprocess
import tempfile
from pathlib import Path


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--paws-hpc", required=True)
    parser.add_argument("--library", required=True)
    parser.add_argument("--data", type=Path, required=True)
    arguments = parser.parse_args()
    environment = os.environ | {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1", "OMP_NUM_THREADS": "1"}

    def paws_hpc(*words, ranks=1):
        line = ["mpirun", "--oversubscribe", "-n", str(ranks), "-x", f"LD_PRELOAD={arguments.library}", arguments.paws_hpc, *map(str, words)]
        result = subprocess.run(line, env=environment, capture_output=True, text=True, timeout=120)
        assert result.returncode == 0, (line, result.returncode, result.stdout + result.stderr)
        return result.stdout

    with tempfile.TemporaryDirectory(prefix="paws-no-shared-memory-") as name:
        folder = Path(name)
        for split in ("train", "val"):
            for kind in ("a", "b"):
                (folder / "images" / split / kind).mkdir(parents=True)
                shutil.copy(arguments.data / "pictures/progressive.jpg", folder / "images" / split / kind)
        paws_hpc("pack", "--format", "imagefolder", "--input", folder / "images", "--output", folder / "packed.h5", ranks=2)
        assert "whole" in paws_hpc("inspect", folder / "packed.h5")
        left = sorted(path.name for path in folder.iterdir())
        assert left == ["images", "packed.h5"], left
        lines = [line for line in paws_hpc("doctor").splitlines() if "shared memory" in line]
        assert len(lines) == 1 and lines[0].startswith("note") and "/dev/shm" in lines[0], lines
    print("no_shared_memory.py: all as it should be")


if __name__ == "__main__":
    main()

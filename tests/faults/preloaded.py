"""The program with a small library preloaded, which takes something from it that systems usually have."""
import argparse
import os
import shutil
import subprocess
from pathlib import Path

KEPT = ("PATH", "HOME", "LD_LIBRARY_PATH", "TMPDIR")


def parse(description):
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--paws-hpc", required=True)
    parser.add_argument("--library", required=True)
    parser.add_argument("--data", type=Path, required=True)
    return parser.parse_args()


class Program:
    def __init__(self, paws_hpc, library):
        self.paws_hpc, self.library = paws_hpc, library
        self.environment = {name: os.environ[name] for name in KEPT if name in os.environ}
        self.environment |= {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1", "OMP_NUM_THREADS": "1"}

    def __call__(self, *words, ranks=1, code=0, **variables):
        """What it says, on both streams."""
        line = [self.paws_hpc, *map(str, words)]
        environment = self.environment | variables
        if ranks > 1:
            # Into the ranks alone: mpirun needs what is taken from them.
            line = ["mpirun", "--oversubscribe", "-n", str(ranks), "-x", f"LD_PRELOAD={self.library}", *line]
        else:
            environment["LD_PRELOAD"] = self.library
        result = subprocess.run(line, env=environment, capture_output=True, text=True, timeout=120)
        assert result.returncode == code, (line, result.returncode, result.stdout + result.stderr)
        return result.stdout + result.stderr


def write_images(folder, data):
    """A folder of two classes, with an image of each in either split."""
    for split in ("train", "val"):
        for kind in ("a", "b"):
            (folder / split / kind).mkdir(parents=True)
            shutil.copy(data / "pictures/progressive.jpg", folder / split / kind)

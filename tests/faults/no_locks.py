#!/usr/bin/env python3
"""Runs the program as on a file system without locks: a small library, preloaded, makes those of flock fail as NFS and
Lustre do and those of fcntl with ENOSYS. All works without locks, on several ranks too; where HDF5_USE_FILE_LOCKING asks
for them, one line says so.

usage: no_locks.py --paws-hpc PROGRAM --library no_locks.so --data tests/inputs"""
import errno
import tempfile
from pathlib import Path

from preloaded import Program, parse, write_images

RUN = """task: paws_train
meta: {{model_name: wide_resnet16w1, output_dim: 16, use_pred_head: true, device: cpu, precision: fp32}}
criterion: {{unsupervised_batch_size: 20, classes_per_batch: 10, supervised_imgs_per_class: 2}}
data: {{dataset: cifar10, file: {0}/c.h5, multicrop: 0, label_smoothing: 0.1, unlabelled_count: 40, unlabeled_frac: 0, copy_data: true, scratch: {0}}}
optimization: {{epochs: 1, lr: 0.1}}
logging: {{folder: {0}/run, write_tag: t}}
"""


def main():
    arguments = parse(__doc__)
    paws_hpc = Program(arguments.paws_hpc, arguments.library)
    with tempfile.TemporaryDirectory(prefix="paws-no-locks-") as name:
        folder = Path(name)
        write_images(folder / "images", arguments.data)
        paws_hpc("pack", "--format", "imagefolder", "--input", folder / "images", "--output", folder / "i.h5", ranks=2)
        paws_hpc("pack", "--format", "cifar10", "--input", arguments.data / "cifar-10-batches-py", "--output", folder / "c.h5")
        assert "whole" in paws_hpc("inspect", folder / "i.h5", NO_LOCKS_FLOCK=str(errno.ENOLCK))
        (folder / "run.yaml").write_text(RUN.format(folder))
        said = paws_hpc(folder / "run.yaml", ranks=2)
        # Two jobs of a node could write one copy at the same time, so there is none.
        assert "not copied" in said and "has no locks" in said, said
        paws_hpc("embed", "--checkpoint", folder / "run/t-latest.h5", "--output", folder / "e.h5", "--split", "val", ranks=2)
        assert "whole" in paws_hpc("inspect", folder / "e.h5")
        for file in ("i.h5", "e.h5"):
            said = paws_hpc("inspect", folder / file, code=2, HDF5_USE_FILE_LOCKING="TRUE").strip()
            assert "\n" not in said and file in said and "set HDF5_USE_FILE_LOCKING=FALSE" in said, said
    print("no_locks.py: all as it should be")


if __name__ == "__main__":
    main()

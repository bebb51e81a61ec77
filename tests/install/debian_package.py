#!/usr/bin/env python3
"""Makes the .deb, installs it in a Debian 12 that has nothing, uses it there as an ordinary user does, and removes it again.

usage: debian_package.py --build FOLDER --version VERSION [--package FILE.deb] [--mirror URL] [--keep]

Needs root, mmdebstrap, and a network: some 10 minutes. Exit code 77 where something is missing."""
import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import small_idx
from bare_root import MIRROR, BareRoot, missing

SKIPPED = 77
WORK = "/home/someone/work"
SMALL = ("--set data.file=fashion.h5 --set data.subset=labelled.txt --set logging.folder=run --set optimization.epochs=1 "
         "--set data.unlabelled_count=64")
# [what, command]; as root.
INSTALL = [
    ("packages are listed", "apt-get update -qq"),
    # mpirun is what a user of several ranks installs; no more than what the package depends on otherwise.
    ("the package is installed, with what it needs",
     "DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends /srv/paws-hpc.deb openmpi-bin"),
    ("its files are there as they were packed", "dpkg --verify paws-hpc && test -e /usr/share/doc/paws-hpc/copyright"),
    ("a user is added", "useradd --create-home --shell /bin/bash someone && cp -r /srv/images /home/someone/work && chown -R someone /home/someone"),
]
# By that user.
USE = [
    ("the program says what it is", "paws_hpc --version"),
    ("images are packed", "paws_hpc pack --format idx --class-names fashion-mnist --input . --output fashion.h5"),
    ("labelled images are drawn", "paws_hpc subset --data fashion.h5 --per-class 10 --seed 0 --output labelled.txt"),
    ("a run is planned", f"paws_hpc /usr/share/paws_hpc/configs/demo.yaml {SMALL} --dry-run"),
    ("a network is trained", f"paws_hpc /usr/share/paws_hpc/configs/demo.yaml {SMALL}"),
    ("and evaluated", "paws_hpc snn-eval --checkpoint run/demo-latest.h5"),
    ("and its embeddings written", "paws_hpc embed --checkpoint run/demo-latest.h5 --split val --output embeddings.h5 && paws_hpc inspect embeddings.h5"),
    ("two ranks train", "mpirun --oversubscribe -n 2 paws_hpc /usr/share/paws_hpc/configs/demo.yaml "
     f"{SMALL} --set logging.folder=two --set criterion.supervised_imgs_per_class=5 --set criterion.unsupervised_batch_size=32"),
]
REMOVE = [("the package is removed and leaves nothing",
           "apt-get purge -y -qq paws-hpc && ! find /usr -path '*paws[_-]hpc*' | grep .")]


def make_package(build, folder):
    """The .deb of this build."""
    done = subprocess.run(["cpack", "-G", "DEB", "-B", str(folder)], cwd=build, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)
    found = list(folder.glob("*.deb"))
    if done.returncode != 0 or len(found) != 1:
        sys.exit(f"cpack: exit code {done.returncode}, {len(found)} packages\n{done.stdout}")
    return found[0]


def wrong_control(package, version):
    """What of the package's description is not as it must be."""
    fields = dict(line.split(": ", 1) for line in subprocess.run(["dpkg-deb", "-f", str(package)], capture_output=True, text=True, check=True)
                  .stdout.splitlines() if ": " in line and not line.startswith(" "))
    if not fields["Version"].startswith(f"{version}-"):
        return f"its version is {fields['Version']}, not {version}"
    needed = ("libtorch1.13", "libopenmpi3", "libhdf5-openmpi-103-1", "libyaml-cpp0.7", "libdnnl2")
    lacking = [name for name in needed if name not in fields["Depends"]]
    return f"it does not depend on {', '.join(lacking)}" if lacking else ""


def run(root, what, command, log, user=None):
    line = command if user is None else f"su - {user} -c 'cd {WORK} && OMP_WAIT_POLICY=passive {command}'"
    code, seconds = root.run(line, log=log, seconds=1800)
    print(f"{what}: {'done' if code == 0 else f'FAILED with exit code {code}'}, {seconds:.0f} s", flush=True)
    return code == 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", required=True, type=lambda name: Path(name).resolve())
    parser.add_argument("--version", required=True)
    parser.add_argument("--package", type=Path, help="this one, instead of one of the build")
    parser.add_argument("--mirror", default=MIRROR)
    parser.add_argument("--keep", action="store_true", help="leave the folder with the root and the log")
    options = parser.parse_args()
    lacking = missing()
    if lacking:
        print(f"skipped: this needs {lacking}")
        return SKIPPED
    folder = Path(tempfile.mkdtemp(prefix="paws-deb-", dir="/var/tmp"))
    log = folder / "log"
    succeeded = False
    try:
        package = options.package or make_package(options.build, folder)
        wrong = wrong_control(package, options.version)
        if wrong:
            print(f"{package.name}: {wrong}")
            return 1
        root = BareRoot(folder / "root", options.mirror)
        print(f"{package.name} in a bare Debian 12, made in {root.make(folder / 'log.root'):.0f} s", flush=True)
        shutil.copy(package, root.path("/srv/paws-hpc.deb"))
        small_idx.write(root.path("/srv/images"))
        succeeded = all(run(root, what, command, log) for what, command in INSTALL) \
            and all(run(root, what, command, log, "someone") for what, command in USE) \
            and all(run(root, what, command, log) for what, command in REMOVE)
        if not succeeded and log.exists():
            print("\n".join(log.read_text(errors="replace").splitlines()[-30:]))
    finally:
        if options.keep:
            print(f"see {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    print("the package works" if succeeded else "the package does not work")
    return 0 if succeeded else 1


if __name__ == "__main__":
    sys.exit(main())

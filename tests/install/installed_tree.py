#!/usr/bin/env python3
"""Installs to a scratch folder, moves it, and uses what is there as a user does: the demo's steps by hand, jobs, tools, manual page,
completion.

usage: installed_tree.py --build FOLDER --version VERSION [--keep]"""
import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import small_idx

SOURCE = Path(__file__).resolve().parent.parent.parent
SMALL = ["--set", "data.file=fashion.h5", "--set", "data.subset=labelled.txt", "--set", "logging.folder=run", "--set", "optimization.epochs=1",
         "--set", "data.unlabelled_count=64"]
FILES = """bin/paws_hpc
share/bash-completion/completions/paws_hpc
share/doc/paws-hpc/README.md
share/doc/paws-hpc/copyright
share/doc/paws-hpc/docs/getting-started.md
share/man/man1/paws_hpc.1
share/paws_hpc/CHANGELOG.md
share/paws_hpc/LICENSE
share/paws_hpc/configs/paws/imgnt_train.yaml
share/paws_hpc/docs/getting-started.md
share/paws_hpc/jobs/common.sh
share/paws_hpc/jobs/submit
share/paws_hpc/perf/machines/v100.yaml
share/paws_hpc/perf/scaling
share/paws_hpc/perf/study/launch.py
share/paws_hpc/perf/tools/draw_embeddings.py
share/paws_hpc/perf/tools/make_imagefolder
share/paws_hpc/subsets/fashion_mnist_10_per_class_seed0.txt""".splitlines()


class Wrong(Exception):
    pass


def require(condition, what):
    if not condition:
        raise Wrong(what)


class Tree:
    """The moved tree, and an empty folder to work in."""

    def __init__(self, build, folder, version):
        self.folder = Path(folder)
        self.first = self.folder / "first"
        # Spaces in it: nothing may split the path.
        self.prefix = self.folder / "moved to another place"
        self.work = self.folder / "work"
        self.version = version
        self.work.mkdir()
        self.run("cmake", "--install", build, "--prefix", self.first)
        self.first.rename(self.prefix)
        self.data = self.prefix / "share/paws_hpc"

    def run(self, *command, expect=0, **variables):
        environment = {**os.environ, "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1", **variables}
        # The one of the tree, not of whoever runs the test.
        environment["PATH"] = f"{self.folder}/moved to another place/bin:{environment['PATH']}"
        done = subprocess.run([str(word) for word in command], cwd=self.work, env=environment, stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, errors="replace", timeout=300, check=False)
        said = done.stdout + done.stderr
        require(done.returncode == expect, f"{' '.join(map(str, command))}: exit code {done.returncode}\n{said}")
        return said


def whole(tree):
    """all files are there, and none knows where it was made"""
    missing = [name for name in FILES if not (tree.prefix / name).exists()]
    require(not missing, f"not installed: {', '.join(missing)}")
    for path in tree.prefix.rglob("*"):
        require(path.exists(), f"{path} points nowhere ({os.readlink(path) if path.is_symlink() else ''})")
        require(not path.is_symlink() or path.resolve().is_relative_to(tree.prefix), f"{path} points out of the tree")
        require("__pycache__" not in path.parts, f"{path} is installed")
        if path.is_file() and path.name != "paws_hpc":
            content = path.read_bytes()
            for place in (tree.first, SOURCE):
                require(str(place).encode() + b"/" not in content, f"{path} names {place}")
            source = SOURCE / path.relative_to(tree.data) if path.is_relative_to(tree.data) else path
            require(os.access(path, os.X_OK) == os.access(source, os.X_OK), f"{path} is executable, {source} is not, or the other way round")


def program(tree):
    """the program says its version, and takes libraries from beside itself first"""
    require(tree.run("paws_hpc", "--version").startswith(f"paws_hpc {tree.version}\n"), "--version says another version")
    found = dict(re.findall(r"^\s*(\S+) => (/\S+)", tree.run("ldd", tree.prefix / "bin/paws_hpc"), re.M))
    name = next(name for name in found if name.startswith("libfmt"))
    libraries = tree.prefix / "lib"
    libraries.mkdir(exist_ok=True)
    shutil.copy(found[name], libraries / name)
    # ldd prints the path as the program names it, $ORIGIN replaced.
    require(f"moved to another place/bin/../lib/{name}" in tree.run("ldd", tree.prefix / "bin/paws_hpc"), f"{libraries / name} is not taken")
    (libraries / name).unlink()


def demo(tree):
    """the demo's steps by hand, from packing to a plot"""
    small_idx.write(tree.work / "images")
    tree.run("paws_hpc", "pack", "--format", "idx", "--class-names", "fashion-mnist", "--input", "images", "--output", "fashion.h5")
    tree.run("paws_hpc", "subset", "--data", "fashion.h5", "--per-class", "10", "--seed", "0", "--output", "labelled.txt")
    config = tree.data / "configs/demo.yaml"
    require("demo" in tree.run("paws_hpc", config, *SMALL, "--dry-run", "--print-config"), "--dry-run says nothing of the run")
    tree.run("paws_hpc", config, *SMALL)
    require("top-1" in tree.run("paws_hpc", "snn-eval", "--checkpoint", "run/demo-latest.h5"), "snn-eval prints no accuracy")
    tree.run("paws_hpc", "embed", "--checkpoint", "run/demo-latest.h5", "--split", "val", "--output", "embeddings.h5")
    tree.run("paws_hpc", "inspect", "embeddings.h5")
    tree.run(sys.executable, tree.data / "perf/tools/draw_embeddings.py", "embeddings.h5", "embeddings.png", "--classes", "fashion.h5",
             MPLBACKEND="Agg", PYTHONDONTWRITEBYTECODE="1")
    require((tree.work / "embeddings.png").stat().st_size > 1000, "embeddings.png is empty")
    # In one command, which finds its configuration and its list of labels; that is of more images than there are here.
    said = tree.run("paws_hpc", "demo", "--images", "images", expect=2)
    require(f"{tree.data}/subsets/fashion_mnist_10_per_class_seed0.txt" in said, f"the demo does not find its labels: {said}")


def jobs(tree):
    """a job script that finds the tree, and one for a study"""
    script = tree.run(tree.data / "jobs/submit", "--template", "cpu", "--fname", tree.data / "configs/demo.yaml", "--dry-run")
    require(str(tree.data) in script, f"the script does not name {tree.data}:\n{script}")
    require(f"PAWS={tree.data}" in script.replace("'", "").replace("\\", ""), f"PAWS is not {tree.data}:\n{script}")
    by_name = tree.run(tree.data / "jobs/submit", "--template", "cpu", "--fname", "imgnt_train.yaml", "--dry-run")
    require("\nCONFIG=imgnt_train.yaml\n" in by_name, f"a configuration by name:\n{by_name}")
    study = tree.run(tree.data / "perf/scaling", "submit", tree.data / "perf/studies/gpus.yaml", "--output", "study", "--dry-run",
                     PYTHONDONTWRITEBYTECODE="1")
    require("#SBATCH" in study, study)


def tools(tree):
    """a prediction and made-up images"""
    require("V100" in tree.run(tree.data / "perf/scaling", "predict", "--machine", tree.data / "perf/machines/v100.yaml", "--ranks", "8",
                               PYTHONDONTWRITEBYTECODE="1"), "predict says nothing of V100")
    # What paws_hpc would be measured, were the study there.
    require("bin/paws_hpc" in tree.run(sys.executable, "-c", "from study.launch import program; print(program())",
                                       PYTHONPATH=str(tree.data / "perf"), PYTHONDONTWRITEBYTECODE="1"), "perf/scaling does not find the program")
    made = tree.run(tree.data / "perf/tools/make_imagefolder", "--help")
    require("make_imagefolder" in made, made)


def manual_page(tree):
    """the manual page: no warnings, the version, all commands"""
    page = tree.prefix / "share/man/man1/paws_hpc.1"
    checks = 0
    for command in (["mandoc", "-Tlint", "-Wwarning"], ["groff", "-man", "-Tutf8", "-ww", "-z"]):
        if shutil.which(command[0]):
            said = tree.run(*command, page, LC_ALL="C.UTF-8")
            require(not said.strip(), f"{command[0]}: {said}")
            checks += 1
    require(checks, "neither mandoc nor groff is installed; as root: apt-get install mandoc")
    if shutil.which("mandoc"):
        text = re.sub(r".\x08", "", tree.run("mandoc", "-Tutf8", page))
        require(f"paws_hpc {tree.version}" in text, "the page does not name the version")
        require(all(f"   {name}" in text for name in commands(tree)), "the page lacks a command")
    if shutil.which("man"):
        shown = tree.run("man", "--warnings", "-P", "cat", "paws_hpc", MANPATH=str(tree.prefix / "share/man"), LC_ALL="C.UTF-8", MANWIDTH="100")
        require("NAME" in shown and "warning" not in shown, shown)


def commands(tree):
    return re.findall(r"^  ([a-z][a-z-]*) {2,}", tree.run("paws_hpc", "--help").split("Subcommands:")[1], re.M)


def complete(tree, *words):
    """What bash offers after these words, the last of which is being typed."""
    script = """source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _paws_hpc; printf '%s\\n' "${COMPREPLY[@]}" """
    return tree.run("bash", "-c", script, "bash", tree.prefix / "share/bash-completion/completions/paws_hpc", "paws_hpc", *words).split("\n")[:-1]


def completion(tree):
    """completion of commands, options, settings and files"""
    for name in ("run.yaml", "a checkpoint.h5", "notes.txt"):
        (tree.work / name).touch()
    expected = [
        (["sn"], ["snn-eval"]),
        (["snn-eval", "--che"], ["--checkpoint"]),
        (["--dry"], ["--dry-run"]),
        (["run.yaml", "--set", "optimization.ep"], ["optimization.epochs="]),
        (["pack", "--format", "im"], ["imagefolder"]),
        (["run.y"], ["run.yaml"]),
        (["no"], []),
        (["inspect", "a"], ["a checkpoint.h5"]),
        (["run.yaml", "--set", "data.file", "=", "a"], ["a checkpoint.h5"]),
        (["demo", "run.yaml", "--tier", "us"], ["usual"]),
    ]
    for words, wanted in expected:
        offered = [word for word in complete(tree, *words) if word]
        require(offered == wanted, f"paws_hpc {' '.join(words)}: {offered} instead of {wanted}")
    # The shell's own settings stay as they are.
    require("off" in tree.run("bash", "-c", 'source "$1"; shift; COMP_WORDS=(paws_hpc ""); COMP_CWORD=1; _paws_hpc; shopt extglob || true', "bash",
                              tree.prefix / "share/bash-completion/completions/paws_hpc"), "extglob is left on")
    described = tree.run(sys.executable, SOURCE / "packaging/describe_program.py", "--paws-hpc", tree.prefix / "bin/paws_hpc")
    require(not described, described)


STEPS = (whole, program, demo, jobs, tools, manual_page, completion)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", required=True, type=lambda name: Path(name).resolve())
    parser.add_argument("--version", required=True)
    parser.add_argument("--keep", action="store_true", help="leave the folder")
    options = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="paws-install-")
    failures = 0
    try:
        tree = Tree(options.build, folder, options.version)
        for step in STEPS:
            print(f"{step.__doc__} ...", flush=True)
            try:
                step(tree)
            except (Wrong, subprocess.TimeoutExpired) as wrong:
                failures += 1
                print(f"    FAILED: {wrong}", flush=True)
    finally:
        if options.keep:
            print(f"see {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    print(f"{failures} of the steps failed" if failures else "all steps passed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())

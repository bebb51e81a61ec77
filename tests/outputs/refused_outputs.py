#!/usr/bin/env python3
"""Outputs that would destroy something, or could not be written in the end: refused before anything is read or computed,
in one line, and nothing in the folder changes. And those that may be streamed, or that a link leads to: written there.

usage: refused_outputs.py --paws-hpc PROGRAM --data FOLDER (tests/inputs)"""
import argparse
import json
import os
import shutil
import stat
import subprocess
import tempfile
from pathlib import Path

RUN = """task: paws_train
meta: {{model_name: wide_resnet16w1, output_dim: 16, use_pred_head: true, device: cpu, precision: fp32, threads: 1}}
criterion: {{unsupervised_batch_size: 20, classes_per_batch: 2, supervised_imgs_per_class: 1}}
data: {{dataset: synthetic, num_classes: 2, synthetic_train: 40, synthetic_validation: 10, synthetic_height: 16, synthetic_width: 16,
  crop_size: 16, eval_crop_size: 16, multicrop: 0, label_smoothing: 0.1}}
optimization: {{epochs: 1, lr: 0.1}}
logging: {{folder: {0}/run, write_tag: t}}
"""
MPIRUN = "mpirun --oversubscribe -n 2".split()


def contents_of(folder):
    """Kind and bytes, or target, of all that is there; times and inodes do not count."""
    found = {}
    for path in sorted(folder.rglob("*")):
        kind = stat.S_IFMT(path.lstat().st_mode)
        found[str(path.relative_to(folder))] = (
            kind,
            os.readlink(path) if path.is_symlink() else path.read_bytes() if stat.S_ISREG(kind) else b"",
        )
    return found


class Program:
    def __init__(self, program, folder):
        self.program, self.folder = program, folder
        kept = ("PATH", "HOME", "LD_LIBRARY_PATH", "TMPDIR")
        self.environment = {name: os.environ[name] for name in kept if name in os.environ}
        self.environment.update(OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1", OMP_NUM_THREADS="1")

    def start(self, words, **more):
        start = more.pop("start", ())
        return subprocess.run(
            [*start, self.program, *map(str, words)],
            env=self.environment, cwd=self.folder, timeout=120, stdin=subprocess.DEVNULL,
            **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **more},
        )

    def done(self, *words, code=0, **more):
        result = self.start(words, **more)
        assert result.returncode == code, (words, result.returncode, result.stdout, result.stderr)
        return result

    def refuses(self, words, *parts, **more):
        """Exit code 2, one line that has the parts, and everything as it was."""
        before = contents_of(self.folder)
        result = self.start(words, **more)
        text = result.stderr.decode()
        lines = [line for line in text.splitlines() if line.startswith("paws_hpc: ")]
        assert result.returncode == 2 and len(lines) == 1, (words, result.returncode, result.stdout, text)
        for part in map(str, parts):
            assert part in lines[0], (words, part, lines[0])
        after = contents_of(self.folder)
        assert after == before, (words, before.keys() ^ after.keys() or [n for n in after if after[n] != before[n]])


def make_files(paws_hpc, data):
    """Through links, which stay: a packed data set and a checkpoint."""
    folder = paws_hpc.folder
    for kind in "train", "val":
        for name in "ant", "bee":
            (folder / "images" / kind / name).mkdir(parents=True)
            shutil.copy(data / "pictures/rgb.png", folder / "images" / kind / name / "1.png")
    shutil.copy(data / "reference_ckpt_small.pth.tar", folder / "c.pth.tar")
    (folder / "run.yaml").write_text(RUN.format(folder))
    (folder / "notes.yaml").write_text("mine: true\n")
    (folder / "deep").mkdir()
    for command, name in ((PACK, "data.h5"), (CONVERT, "c.h5")):
        (folder / name).symlink_to("deep/" + name)
        paws_hpc.done(*command, name)
        assert (folder / name).is_symlink() and (folder / "deep" / name).stat().st_size > 0, name
    assert len(list((folder / "deep").iterdir())) == 2
    os.link(folder / "deep/c.h5", folder / "hard.h5")
    os.mkfifo(folder / "fifo")


# Each command up to its output.
PACK = "pack --format imagefolder --input images --output".split()
SUBSET = "subset --data data.h5 --per-class 1 --output".split()
EMBED = "embed --checkpoint c.h5 --output".split()
VIEWS = "views run.yaml --pictures 1 --output".split()
CONVERT = "convert c.pth.tar".split()
SUMMARY = "inspect c.h5 --summary".split()


def check_inputs(paws_hpc):
    for words, *parts in (
        ([*SUMMARY, "hard.h5"], "--summary: hard.h5", "FILE c.h5"),
        ([*EMBED, "hard.h5"], "--output: hard.h5", "--checkpoint c.h5"),
        ([*SUBSET, "./data.h5"], "--output: ./data.h5", "--data data.h5"),
        (["run.yaml", "--dry-run", "--summary", "run.yaml"], "--summary: run.yaml", "CONFIG run.yaml"),
        (["convert", "c.h5", "hard.h5"], "OUT: hard.h5", "IN c.h5"),
        ([*PACK, "c.pth.tar"], "--output: c.pth.tar", "is not a packed data set"),
        ([*VIEWS, "images/train/ant/1.png"], "--output: images/train/ant/1.png", "is not a PNG of paws_hpc"),
    ):
        paws_hpc.refuses(words, *parts)


def check_places(paws_hpc):
    folder = paws_hpc.folder
    try:
        os.mknod(folder / "null", stat.S_IFCHR | 0o600, os.makedev(1, 3))
    except PermissionError:
        print("refused_outputs.py: no device nodes without root; a FIFO stands for them")
    device = "null" if (folder / "null").exists() else "fifo"
    paws_hpc.refuses([*EMBED, device], "--output: " + device, " is a ")
    paws_hpc.refuses([*PACK, "fifo"], "--output: fifo", "is a FIFO", start=MPIRUN)
    paws_hpc.refuses(["run.yaml", "--summary", "none/file"], "--summary: none/file", "make it first", start=MPIRUN)
    with open(folder / "printed", "ab") as printed:
        paws_hpc.refuses([*SUMMARY, "printed"], "printed", "stdout", stdout=printed)


def check_runs(paws_hpc):
    """The files of a run, all of which its tag names."""
    run = paws_hpc.folder / "run"
    run.mkdir()
    (run / "t.lock").symlink_to("../notes.yaml")
    paws_hpc.refuses(["run.yaml"], "run/t.lock", "is there already and is not a lock")
    (run / "t.lock").unlink()
    os.mkfifo(run / "t_r1.csv")
    paws_hpc.refuses(["run.yaml"], "rank 1", "t_r1.csv", "is a FIFO", start=MPIRUN)
    shutil.rmtree(run)
    tag = "logging.write_tag=" + "t" * 250
    paws_hpc.refuses(["run.yaml", "--set", tag, "--dry-run"], "logging.write_tag: has 250 bytes", "takes 255", "at most")


def check_written(paws_hpc):
    """Streams, long names, and what a run makes."""
    folder = paws_hpc.folder
    paws_hpc.done(*PACK, "n" * 252 + ".h5", start=MPIRUN)
    reader = subprocess.Popen(["cat", "fifo"], cwd=folder, stdout=subprocess.PIPE)
    paws_hpc.done(*SUMMARY, "fifo")
    assert json.loads(reader.communicate(timeout=20)[0])["task"] == "inspect"
    assert paws_hpc.done(*SUBSET, "/dev/stdout").stdout.split() == [b"0", b"1"]
    with open(folder / "both", "wb") as both:
        both.write(b"before\n")
        both.flush()
        paws_hpc.done(*SUMMARY, "/dev/stdout", stdout=both)
    before, summary = (folder / "both").read_text().split("\n", 1)
    assert before == "before" and json.loads(summary)["task"] == "inspect"
    if (folder / "null").exists():
        paws_hpc.done(*SUBSET, "null", "--summary", "null")
        assert (folder / "null").is_char_device()
    # The longest tag there can be, a checkpoint on another disk, and a summary where nothing is yet.
    tag, summary = "t" * 238, "runs/new/summary.json"
    latest = folder / "runs/new" / (tag + "-latest.h5")
    settings = ["--set", "logging.folder=runs/new", "--set", "logging.write_tag=" + tag, "--set", "optimization.epochs=2"]
    paws_hpc.done("run.yaml", *settings, "--summary", summary)
    assert json.loads((folder / summary).read_text())["epochs"] == 2
    with tempfile.TemporaryDirectory(dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None) as other_disk:
        place = Path(other_disk) / "latest.h5"
        shutil.move(latest, place)
        latest.symlink_to(place)
        before = place.read_bytes()
        paws_hpc.done("runs/new/params-paws_train.yaml", "--resume", "never", "--set", "meta.seed=5", "--summary", summary)
        assert latest.is_symlink() and place.read_bytes() != before
        # The one of the epoch before has come over to the disk of the run.
        assert (latest.parent / (tag + "-latest-1.h5")).stat().st_dev == folder.stat().st_dev
        assert len(list(Path(other_disk).iterdir())) == 1
    assert not list(folder.rglob("*.partial-*"))


def check_full_stdout(paws_hpc):
    """As programs of the system do: an exit code, and one line on stderr."""
    with open("/dev/full", "wb") as full:
        for words in ["inspect", "c.h5"], ["run.yaml", "--dry-run"], ["--help"]:
            result = paws_hpc.done(*words, code=1, stdout=full)
            assert result.stderr.count(b"\n") == 1 and b"stdout: not all of the output could be written (No space" in result.stderr, words
        paws_hpc.done("run.yaml", stdout=full)
    closed = ["sh", "-c", 'exec "$@" >&-', "sh"]
    result = paws_hpc.done("inspect", "c.h5", code=1, start=closed)
    assert b"stdout: not all of the output could be written" in result.stderr, result.stderr
    paws_hpc.done("run.yaml", "--resume", "never", start=closed)
    # Neither can the reason be said then.
    for words in ["--help"], ["--version"]:
        paws_hpc.done(*words, code=1, start=["sh", "-c", 'exec "$@" >&- 2>&-', "sh"])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--paws-hpc", required=True)
    parser.add_argument("--data", required=True, type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="paws-refused-") as name:
        paws_hpc = Program(Path(arguments.paws_hpc).resolve(), Path(name))
        make_files(paws_hpc, arguments.data.resolve())
        for check in (check_inputs, check_places, check_runs, check_written, check_full_stdout):
            check(paws_hpc)
    print("refused_outputs.py: all as it should be")


if __name__ == "__main__":
    main()
